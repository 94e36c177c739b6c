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

"""arm_command in simulated time, when that time does what time should not do."""

import time

from arm_recorder import NS
from feeder import Feeder
import pytest
from rig import Rig
from rosgraph_msgs.msg import Clock

from vla_accel_ros.graph.processes import Deployment
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import from_ns

TICK_NS = 5_000_000
# arm_command waits half a second for the clock, and looks each tenth; the rest is for the machine.
FROZEN_S = 2.0


class SimulatedTime:
    """Time as the test wants it, published each 5 ms."""

    def __init__(self) -> None:
        self.now_ns, self.running, self._publisher = 100 * NS, True, None

    def publish_by(self, rig) -> None:
        self._publisher = rig.publisher(Clock, '/clock', qos.SENSOR)
        rig.peer.create_timer(TICK_NS / NS, self._tick)

    def _tick(self) -> None:
        if self.running:
            self.now_ns += TICK_NS
        self._publisher.publish(Clock(clock=from_ns(self.now_ns)))


@pytest.fixture(scope='module')
def shared(tmp_path_factory):
    simulated = SimulatedTime()
    rig = Rig(
        Deployment(use_sim_time=True),
        tmp_path_factory.mktemp('logs'),
        ['arm_command'],
        lambda: simulated.now_ns,
    )
    try:
        rig.start()
        rig.refused = rig.ask_to_enable()
        simulated.publish_by(rig)
        rig.time, rig.feeder = simulated, Feeder(rig)
        yield rig
    finally:
        rig.close()


@pytest.fixture
def rig(shared):
    shared.time.running = True
    shared.enable()
    shared.moves()
    shared.reports.mark()
    yield shared
    shared.recorder.verify()
    assert shared.errors == []


def stays_stopped(rig):
    """See the arm at rest although time runs and actions flow, and enable it."""
    rig.reports.mark()
    rig.recorder.forbid()
    rig.counts('arm_command', 'not_enabled')
    assert rig.enable().success
    rig.moves()
    rig.quiet('arm_command', 'stopped')


def test_without_a_clock_the_arm_cannot_be_enabled(rig):
    assert not rig.refused.success
    assert '/clock' in rig.refused.message


def test_a_clock_that_stands_still_stops_the_arm_until_it_is_enabled(rig):
    rig.time.running = False
    frozen_s = time.monotonic()
    rig.until(lambda: not rig.recorder.twists[-1].moving, 'zero')
    assert time.monotonic() - frozen_s < FROZEN_S
    rig.tells('arm_command', 'stopped', 'clock_frozen')
    rig.time.running = True
    stays_stopped(rig)


def test_a_clock_that_is_set_back_stops_the_arm_until_it_is_enabled(rig):
    rig.recorder.set_back()
    rig.time.now_ns -= 10 * NS
    rig.until(lambda: rig.recorder.twists and not rig.recorder.twists[-1].moving, 'zero')
    rig.tells('arm_command', 'stopped', 'clock')
    stays_stopped(rig)


def test_a_clock_that_leaps_ahead_leaves_no_motion_behind(rig):
    leapt_ns = rig.time.now_ns
    rig.feeder.flowing = False
    rig.time.now_ns += 10 * NS
    rig.tells('arm_command', 'watchdog')
    assert rig.recorder.last_motion_ns <= leapt_ns
    rig.feeder.reset()
    rig.moves()
