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

"""Whatever the latencies, the losses and the orders of events: what must hold, holds."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from spaces import JOINTS, TWO_ARMS

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.actions import ActionChunk
from vla_accel_ros.scheduling.config import SchedulerConfig
from vla_accel_ros.scheduling.decision import Kind
from vla_accel_ros.scheduling.scheduler import Scheduler

MS = 1_000_000

configs = st.builds(
    SchedulerConfig,
    rule=st.sampled_from(['velocity', 'planar', 'trust', 'always', 'never']),
    predictor=st.sampled_from(['ridge', 'hold']),
    bridge=st.sampled_from(['stop', 'hold', 'ridge']),
    max_bridge_steps=st.integers(0, 4),
    prefetch_rows=st.integers(0, 3),
    execute=st.sampled_from(['chunk', 'fixed', 'rule']),
    execute_rows=st.integers(1, 3),
    overlap=st.booleans(),
    max_staleness_s=st.sampled_from([0.1, 0.3, 1.0]),
    answer_timeout_s=st.sampled_from([0.15, 0.5]),
    max_chunk_age_s=st.sampled_from([0.1, 2.0]),
    tau=st.sampled_from([0.0, 0.5]),
    trust_least=st.integers(0, 2),
    trust_longest=st.sampled_from([0.0, 0.1, 0.15, 0.2]),
    gripper_guard=st.booleans(),
)
values = st.one_of(st.floats(-0.03, 0.03), st.sampled_from([0.0, 1.0, np.nan, np.inf, 1e300]))


def events(space, size):
    row = st.lists(values, min_size=space.width, max_size=space.width)
    return st.lists(
        st.one_of(
            st.tuples(st.just('frame'), st.integers(5, 120)),
            st.tuples(st.just('frame'), st.sampled_from([33, 50])),
            st.tuples(st.just('answer'), st.integers(1, 5), row),
            st.tuples(st.just('old answer'), st.integers(0, 20)),
            st.tuples(st.just('instruction'), st.integers(0, 1)),
            st.tuples(st.just('configure'), configs),
            st.tuples(st.just('reset')),
            st.tuples(st.just('jump back')),
            st.tuples(st.just('old frame'), st.integers(0, 60)),
        ),
        max_size=size,
    )


class Referee:
    """Plays events to a scheduler and checks every decision against what was promised."""

    def __init__(self, config, space=END_EFFECTOR):
        self.space = space
        self.scheduler = Scheduler(config, space)
        self.scheduler.set_instruction('a')
        self.stamp = 10_000 * MS
        self.now = 0
        self.asked = []
        self.open = None
        self.newest_sent = None
        self.bridged = 0
        self.steps_since_vla = 0
        self.sent = []

    def play(self, event):
        name, *rest = event
        if name in ('frame', 'old frame', 'jump back'):
            self.frame(name, *rest)
        elif name == 'answer':
            rows, row = rest
            stamp = self.open if self.open is not None else 3
            self.answer(ActionChunk([row] * rows, stamp, space=self.space))
        elif name == 'old answer':
            (index,) = rest
            if index < len(self.asked):
                row = [0.01] * self.space.width
                self.answer(ActionChunk([row], self.asked[index], space=self.space))
        elif name == 'instruction':
            if self.scheduler.set_instruction('ab'[rest[0]]):
                self.forget()
        elif name == 'configure':
            self.scheduler.configure(replace(rest[0], capacity=self.scheduler.config.capacity))
        else:
            self.scheduler.reset()
            self.forget()
            self.newest_sent = None

    def forget(self):
        self.open = None
        self.bridged = 0

    def frame(self, name, gap_ms=0):
        stamp = self.stamp
        if name == 'frame':
            self.now += gap_ms * MS
            self.stamp = stamp = stamp + gap_ms * MS
        elif name == 'old frame':
            stamp -= gap_ms * MS
        else:
            self.stamp = stamp = max(stamp - 5000 * MS, 0)
        decision = self.scheduler.on_frame(stamp, self.now)
        if name == 'jump back' and decision.kind is not Kind.SKIPPED:
            self.forget()
            self.newest_sent = None
        self.check(decision, stamp)
        if decision.request:
            assert decision.request.stamp_ns == stamp
            self.open = stamp
            self.asked.append(stamp)

    def answer(self, chunk):
        decision = self.scheduler.on_answer(chunk, self.now)
        self.check(decision, None)
        if decision.kind is Kind.DISCARDED:
            assert decision.action is None
        else:
            assert chunk.stamp_ns == self.open
            self.bridged = 0
        if chunk.stamp_ns == self.open:
            self.open = None

    def check(self, decision, stamp):
        config = self.scheduler.config
        action = decision.action
        self.bridged += decision.kind is Kind.BRIDGED
        if decision.kind is Kind.BRIDGED:
            assert self.bridged <= config.max_bridge_steps
            assert config.bridge != 'stop'
        if decision.kind in (Kind.WAITING, Kind.SKIPPED, Kind.DISCARDED):
            assert action is None
            assert decision.request is None
        if action is not None:
            assert np.isfinite(action.values).all()
            assert action.space is self.space
            assert self.newest_sent is None or action.stamp_ns > self.newest_sent
            assert stamp is None or action.stamp_ns == stamp
            assert self.scheduler.buffer.last is action
            self.newest_sent = action.stamp_ns
            self.steps_since_vla = 0 if action.source.from_vla else self.steps_since_vla + 1
            if decision.kind is Kind.INTUITIVE and config.rule == 'trust':
                assert self.steps_since_vla <= config.trust_longest / config.policy_step_s + 1e-9
        assert decision.reason
        assert not (decision.request and decision.kind is Kind.INTUITIVE)
        assert len(self.scheduler.buffer) <= config.capacity


@settings(max_examples=200)
@given(configs, events(END_EFFECTOR, 120))
def test_stamps_increase_requests_are_single_and_bridging_is_bounded(config, sequence):
    judge(Referee(config), sequence)


@pytest.mark.parametrize('space', [TWO_ARMS, JOINTS])
def test_so_it_is_with_other_columns(space):
    @settings(max_examples=60)
    @given(configs, events(space, 60))
    def holds(config, sequence):
        judge(Referee(config, space), sequence)

    holds()


def judge(referee, sequence):
    for event in sequence:
        in_flight = referee.scheduler.in_flight
        asked = len(referee.asked)
        timeouts = referee.scheduler.counters.get('timeouts', 0)
        referee.play(event)
        if in_flight and len(referee.asked) > asked:
            # A second request only ever follows the loss of the first.
            lost = referee.scheduler.counters.get('timeouts', 0) > timeouts
            assert lost or event[0] == 'jump back'


class World:
    """A camera at 30 Hz and a VLA of random latency: events in the order of their times."""

    def __init__(self, config, latencies_ms, rows, lost):
        self.scheduler = Scheduler(config)
        self.scheduler.set_instruction('a')
        self.latencies = latencies_ms
        self.rows = rows
        self.lost = lost
        self.under_way = []
        self.actions = []

    def run(self, frames=120):
        calls = 0
        for index in range(frames):
            now = round(index * 1e9 / 30)
            for at, chunk in sorted(self.under_way, key=lambda item: item[0]):
                if at <= now:
                    self.note(self.scheduler.on_answer(chunk, at), at)
            self.under_way = [item for item in self.under_way if item[0] > now]
            decision = self.scheduler.on_frame(now, now)
            self.note(decision, now)
            if decision.request:
                live = [c for _, c in self.under_way if c.stamp_ns > now - 400 * MS]
                assert not live, 'a second request within the time of the first'
                if not self.lost[calls % len(self.lost)]:
                    latency = self.latencies[calls % len(self.latencies)]
                    chunk = ActionChunk(
                        [[0.01, 0, 0, 0, 0, 0, 0]] * self.rows, decision.request.stamp_ns
                    )
                    self.under_way.append((now + latency * MS, chunk))
                calls += 1
        return self

    def note(self, decision, now):
        if decision.action is not None:
            self.actions.append((now, decision.action))


@settings(max_examples=100)
@given(
    configs.map(lambda config: replace(config, answer_timeout_s=0.4, max_staleness_s=0.4)),
    st.lists(st.integers(1, 390), min_size=1, max_size=8),
    st.integers(1, 8),
    st.lists(st.booleans(), min_size=1, max_size=5),
)
def test_a_policy_of_any_latency_moves_the_arm_one_action_a_step(config, latencies, rows, lost):
    world = World(config, latencies, rows, lost).run()
    stamps = [action.stamp_ns for _, action in world.actions]
    assert stamps == sorted(set(stamps))
    assert len(stamps) <= world.scheduler.counters['steps']
    # A single row always moves the arm; a chunk does unless bridging ate it whole.
    if not all(lost) and (rows == 1 or rows > config.max_bridge_steps + 1):
        assert stamps
