# Copyright 2026 The vla_accel_ros developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""Several arms at one meeting: each is answered as if it were served alone."""

from checkpoints import random_checkpoint
import numpy as np
import pytest
import torch

from vla_accel_ros.decoding.registry import DECODERS
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.meeting import Meeting
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.prediction import NotFiniteError
from vla_accel_ros.models.tokenizer import TokenizerError
from vla_accel_ros.motion import Motion
from vla_accel_ros.observations import Observation
from vla_accel_ros.pruning.registry import METHODS

# Prompts of three lengths.
WORDS = (
    'pick up the red cube',
    'stack the red cube on the green cube',
    'pick up the blue cube and place it in the bin',
)
FAST = Motion((0.05, 0.0, 0.02), (0.0, 0.0, 0.0), 0.1)
STEP = 10**8


@pytest.fixture(scope='module')
def policy(tmp_path_factory):
    return Policy.load(random_checkpoint(tmp_path_factory.mktemp('checkpoint')), threads=1)


@pytest.fixture
def meeting():
    made = Meeting()
    yield made
    made.close()


def frames(arm, count):
    generator = np.random.default_rng(arm)
    return [
        Observation(
            tuple(generator.integers(0, 256, (32, 32, 3), np.uint8) for _ in range(2)),
            WORDS[arm],
            stamp_ns=(step + 1) * STEP,
        )
        for step in range(count)
    ]


class Arm:
    """One arm's policy, and what it answered."""

    def __init__(self, policy, method='none', decoder='greedy', **parameters):
        self.policy, self.answers = policy.sibling(), []
        self.policy.meet()
        self.policy.set_pruning(method, **parameters)
        self.policy.set_decoder(decoder, draft='previous')

    def task(self, observation):
        def run():
            answer = self.policy.predict(observation, motion=FAST)
            self.answers.append((answer.token_ids.tolist(), answer.kept_ids.tolist()))

        return run


def same_as_alone(policy, meeting, kinds, steps=4, **parameters):
    """Run arms that come at random, and check each against one that is served alone."""
    seen = [frames(arm % len(WORDS), steps) for arm in range(len(kinds))]
    arms = [Arm(policy, *kind, **parameters) for kind in kinds]
    generator, begun = np.random.default_rng(5), [0] * len(kinds)
    while min(begun) < steps:
        here = [k for k in range(len(kinds)) if begun[k] < steps and generator.random() < 0.7]
        if here:
            tasks = [arms[k].task(seen[k][begun[k]]) for k in here]
            assert meeting.run(tasks) == [None] * len(here)
        for k in here:
            begun[k] += 1
    for arm, kind, observations in zip(arms, kinds, seen, strict=True):
        alone = Arm(policy, *kind, **parameters)
        for observation in observations:
            alone.task(observation)()
        assert arm.answers == alone.answers


@pytest.mark.parametrize('method', sorted(METHODS))
def test_tokens_are_those_of_the_arm_served_alone(policy, meeting, method):
    own = {'edges': False} if method == 'sp_vla' else {}
    kinds = [(method, decoder) for decoder in sorted(DECODERS)]
    same_as_alone(policy, meeting, kinds, round_up=False, **own)
    assert meeting.joined[3] > 0


@pytest.mark.parametrize('decoder', sorted(DECODERS))
def test_three_arms_of_one_decoder_share_its_passes(policy, meeting, decoder):
    same_as_alone(policy, meeting, [('fastv', decoder)] * 3)
    assert meeting.joined[3] > 0


def test_arms_with_methods_of_their_own_share_what_they_call_alike(policy, meeting):
    same_as_alone(
        policy, meeting, [('none', 'greedy'), ('fastv', 'verify'), ('sp_vla', 'jacobi')], 2
    )
    assert meeting.joined[3] > 0


def test_what_one_arm_raises_and_its_nan_touch_no_other(policy, meeting):
    arms = [Arm(policy) for _ in range(4)]
    seen = [frames(arm % 3, 2) for arm in range(4)]
    broken = Observation(seen[1][0].images, 'juggle the purple elephants', stamp_ns=STEP)
    nan = arms[2].policy._ask

    def not_finite(*given):
        ask = nan(*given)
        ask.pixels.fill_(float('nan'))
        return ask

    arms[2].policy._ask = not_finite
    tasks = [arms[k].task(broken if k == 1 else seen[k][0]) for k in range(4)]
    raised = meeting.run(tasks)
    assert raised[0] is None and raised[3] is None
    assert isinstance(raised[1], TokenizerError) and isinstance(raised[2], NotFiniteError)
    arms[2].policy._ask = nan
    assert meeting.run([arms[k].task(seen[k][1]) for k in range(4)]) == [None] * 4
    for k in (0, 2, 3):
        alone = Arm(policy)
        for observation in seen[k][2 - len(arms[k].answers) :]:
            alone.task(observation)()
        assert arms[k].answers == alone.answers


def test_a_program_that_fails_joined_is_run_for_each_arm_alone(policy, meeting, monkeypatch):
    def refuse(asked):
        raise MemoryError('too large together')

    monkeypatch.setattr('vla_accel_ros.engines.meeting.run_joined', refuse)
    arms = [Arm(policy) for _ in range(2)]
    assert meeting.run([arms[k].task(frames(k, 1)[0]) for k in range(2)]) == [None, None]
    assert set(meeting.joined) == {1}


class Counting:
    """An engine of its own; it is told the shapes of each call."""

    name, precision, exact = 'counting', 'float32', True

    def __init__(self):
        self.batches = []

    def ready(self, program, bucket):
        self.batches += [shape[0] for name, shape in bucket if name == 'pixels']
        if program.name == 'loop':
            raise EngineError('it cannot loop')
        return EAGER.ready(program, bucket)


def test_an_engine_with_shapes_of_its_own_runs_each_call_as_it_is(policy, meeting):
    engine, arms = Counting(), [Arm(policy) for _ in range(2)]
    for arm in arms:
        arm.policy.set_engine(engine)
    raised = meeting.run([arms[k].task(frames(k, 1)[0]) for k in range(2)])
    assert engine.batches == [1, 1]
    assert all(isinstance(error, EngineError) for error in raised)


def test_a_lone_task_runs_in_the_callers_thread_without_a_guest(policy, meeting):
    arm = Arm(policy)
    assert meeting.run([arm.task(frames(0, 1)[0])]) == [None]
    assert arm.answers and not meeting.joined


def test_guests_compute_with_as_many_threads_as_the_thread_that_holds_the_meeting(meeting):
    before, seen = torch.get_num_threads(), []

    def note():
        seen.append(torch.get_num_threads())

    try:
        for count in (1, 2, 1):
            torch.set_num_threads(count)
            assert meeting.run([note, note]) == [None, None]
    finally:
        torch.set_num_threads(before)
    assert seen == [1, 1, 2, 2, 1, 1]


def test_no_group_is_larger_than_the_limit(policy):
    meeting = Meeting(most=2)
    arms = [Arm(policy) for _ in range(3)]
    meeting.run([arms[k].task(frames(k, 1)[0]) for k in range(3)])
    meeting.close()
    assert set(meeting.joined) == {1, 2}
    assert torch.is_inference_mode_enabled() is False


def test_an_arm_whose_thread_is_told_to_end_keeps_nobody_waiting(meeting):
    ran = []

    def leave():
        raise SystemExit(3)

    raised = meeting.run([leave, lambda: ran.append('other')])
    assert isinstance(raised[0], RuntimeError) and 'SystemExit(3)' in str(raised[0])
    assert raised[1] is None and ran == ['other']
