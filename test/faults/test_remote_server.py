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

"""The whole graph with its model in another process, which dies, hangs and talks nonsense."""

from policy_server import ServerProcess
import pytest
from rig import Rig
import yaml

from vla_accel_ros.graph.processes import Deployment

SWINGS = 'swing'


@pytest.fixture(scope='module')
def remote_robot(tmp_path_factory):
    """Give the graph on the embedded arm, driven by a policy server of the test's own."""
    server, folder = ServerProcess(), tmp_path_factory.mktemp('logs')
    file = folder / 'remote.yaml'
    settings = {
        'remote': server.url,
        'remote_images': ['a', 'b'],
        'remote_image_size': 32,
        'remote_timeout': 0.5,
        'remote_metres': 1.0,
        'remote_radians': 1.0,
        'remote_gripper': 'closed_is_one',
    }
    file.write_text(yaml.safe_dump({'/**/inference': {'ros__parameters': settings}}))
    rig = Rig(Deployment(sim=True, params_file=str(file), instruction=SWINGS), folder)
    rig.server = server
    try:
        rig.start()
        yield rig
    finally:
        rig.close()
        server.kill()


@pytest.fixture
def rig(remote_robot):
    """Give that rig with the arm moving."""
    rig = remote_robot
    rig.reset_table()
    assert rig.enable().success
    rig.moves()
    rig.reports.mark()
    yield rig
    rig.recorder.verify()
    assert rig.errors == [] and rig.processes.all_alive()


def test_the_server_is_killed_and_started_again_and_no_node_has_to_be(rig):
    rig.server.kill()
    rig.rests()
    rig.tells('inference', 'remote_unreachable')
    rig.tells('arm_command', 'watchdog')
    rig.server.start()
    rig.moves()
    rig.quiet('inference', 'remote_unreachable')


def test_the_server_hangs_and_goes_on(rig):
    rig.server.freeze()
    rig.rests()
    rig.tells('inference', 'remote_timeout')
    rig.server.thaw()
    rig.moves()


@pytest.mark.parametrize(
    ('nonsense', 'reason'),
    [
        ('nan', 'model_not_finite'),
        ('opened', 'remote_wrong_answer'),
        ('text', 'remote_refused'),
        ('wide', 'remote_wrong_answer'),
    ],
)
def test_nonsense_of_the_server_never_reaches_the_arm(rig, nonsense, reason):
    assert rig.set('scheduler', instruction=f'{SWINGS} {nonsense}').successful
    rig.rests()
    rig.counts('inference', reason)
    rig.tells('arm_command', 'watchdog')
    assert rig.set('scheduler', instruction=SWINGS).successful
    rig.moves()
