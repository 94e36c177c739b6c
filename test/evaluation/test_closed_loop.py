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

"""An episode on both clocks, in environments that are hardly any."""

from episodes import timeless
import numpy as np
import pytest

from vla_accel_ros.acceleration import find
from vla_accel_ros.environments.interface import Outcome, View
from vla_accel_ros.environments.tabletop import Tabletop
from vla_accel_ros.evaluation.closed_loop import run_episode
from vla_accel_ros.evaluation.driver import Driver
from vla_accel_ros.evaluation.latency import Fixed
from vla_accel_ros.models.policy import Policy

INSTRUCTION = 'pick up the red cube'
SEED = 2_000_000


@pytest.fixture(scope='module')
def policy(random_checkpoint):
    return Policy.load(random_checkpoint, threads=1)


class Point:
    """A point that goes where the actions take it; done after some steps."""

    cameras = ('one', 'two')

    def __init__(self, steps=12, step_s=0.05):
        self.steps, self.step_s, self.rendered = steps, step_s, 0

    def reset(self, seed, instruction):
        self.moved = []

    def observe(self):
        self.rendered += 1
        shade = np.full((32, 32, 3), 10 * len(self.moved), np.uint8)
        return View((shade, shade))

    def step(self, action):
        self.moved.append(action)
        return Outcome(len(self.moved) == self.steps, True)

    def tool_position(self):
        return None


def run(policy, text, environment, latency_ms=None):
    latency = None if latency_ms is None else Fixed(latency_ms)
    return run_episode(Driver(policy, find(text)[0], latency), environment, SEED, INSTRUCTION)


def test_without_latency_both_clocks_are_the_same_to_the_bit(policy):
    environment = Tabletop(32, max_steps=8)
    for text in ('none', 'hold+jacobi@v_min=0,gripper_guard=false'):
        still = run(policy, text, environment)
        assert timeless(run(policy, text, environment, 0)) == timeless(still)
    environment.close()


def test_only_what_the_model_is_asked_about_is_rendered(policy):
    environment = Point()
    result = run(policy, 'hold@v_min=0,gripper_guard=false', environment)
    assert environment.rendered == len(result.calls) < result.steps == 12
    assert result.success
    assert len(result.jerk) == 0


def test_a_slow_model_moves_the_arm_less_and_sees_older_frames(policy):
    fast, slow = Point(), Point()
    run(policy, 'none', fast)
    result = run(policy, 'none', slow, 120)
    assert np.count_nonzero(np.any(np.array(fast.moved)[:, :6], axis=1)) == 12
    # Asked at 0, answered at 0.12 s within the third step, asked again with the fourth.
    moving = np.any(np.array(slow.moved)[:, :6], axis=1).tolist()
    assert moving[:6] == [False, False, True, True, False, True]
    assert result.decisions == {'waiting': 8, 'deliberative': 4}
    assert np.isclose(
        np.array(slow.moved)[:, 0].sum() + 0.4 * result.records[-1].action[0],
        sum(r.action[0] for r in result.records if r.action is not None),
    )


def test_a_bridge_moves_on_meanwhile(policy):
    environment = Point()
    result = run(policy, 'none@bridge=hold', environment, 120)
    assert result.decisions['bridged'] > 0
    assert result.decisions['waiting'] < 8


def test_an_environment_of_another_step_is_refused(policy):
    with pytest.raises(ValueError, match=r'a policy step is 0.05 s, that of the environment 0.1'):
        run(policy, 'none', Point(step_s=0.1))
    method = find('none')[0].at_step(0.1)
    assert run_episode(Driver(policy, method), Point(step_s=0.1), SEED, INSTRUCTION).steps == 12
