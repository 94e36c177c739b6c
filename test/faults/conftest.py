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

"""What the fault tests share: an arm_command process in motion, fed by the test."""

from pathlib import Path
import sys

import pytest

# The test tree is no package (its name is the standard library's), so helpers come by path.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope='module')
def arm_alone(tmp_path_factory):
    """Give a rig of arm_command alone; it takes seconds to come up, so a file shares it."""
    from feeder import Feeder
    from rig import Rig

    from vla_accel_ros.graph.processes import Deployment

    rig = Rig(Deployment(), tmp_path_factory.mktemp('logs'), ['arm_command'])
    try:
        rig.start()
        rig.feeder = Feeder(rig)
        yield rig
    finally:
        rig.close()


@pytest.fixture
def arm_in_motion(arm_alone):
    """Give that rig with the arm moving, whatever the test before has left."""
    rig = arm_alone
    rig.processes.thaw()
    rig.feeder.reset()
    if not rig.processes.all_alive():
        rig.start('arm_command')
    assert rig.enable().success
    rig.moves()
    rig.reports.mark()
    yield rig
    rig.recorder.verify()
    assert rig.errors == []


@pytest.fixture(scope='session')
def wanderer(tmp_path_factory):
    """Give a checkpoint of random weights that keeps the arm moving."""
    from wandering import write_wanderer

    return write_wanderer(tmp_path_factory.mktemp('checkpoint'))


@pytest.fixture(scope='module')
def robot(wanderer, tmp_path_factory):
    """Give a rig of the whole graph on the embedded arm, driven by the wanderer."""
    from camera_relay import CameraRelay
    from rig import Rig
    from wandering import INSTRUCTION

    from vla_accel_ros.graph.processes import Deployment

    rig = Rig(
        Deployment(
            sim=True,
            checkpoint=str(wanderer),
            instruction=INSTRUCTION,
            device='cpu',
            image_topics=CameraRelay.TOPICS,
        ),
        tmp_path_factory.mktemp('logs'),
    )
    try:
        rig.relay = CameraRelay(rig)
        rig.start()
        yield rig
    finally:
        rig.close()


@pytest.fixture
def robot_in_motion(robot):
    """Give that rig with the arm moving, whatever the test before has left."""
    robot.processes.thaw()
    robot.relay.clear()
    robot.reset_table()
    assert robot.enable().success
    robot.moves()
    robot.reports.mark()
    yield robot
    robot.recorder.verify()
    assert robot.errors == []
    assert robot.processes.all_alive()
