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

"""Every kind of bad link between the robot and inference: `make test-network`."""

import os

import pytest

from benchmarks.network.link import missing

LINKS = {
    '5 ms': {'delay_s': 0.005},
    '20 ms': {'delay_s': 0.02},
    '80 ms': {'delay_s': 0.08},
    'jitter': {'delay_s': 0.02, 'jitter_s': 0.03},
    '1 % loss': {'delay_s': 0.005, 'loss': 0.01},
    '10 % loss': {'delay_s': 0.005, 'loss': 0.1},
}


@pytest.fixture(scope='module')
def linked(wanderer, tmp_path_factory):
    """Give the robot's side on one host and inference on another."""
    from linked import two_hosts

    if not os.environ.get('VLA_ACCEL_NETWORK'):
        pytest.skip('takes minutes: make test-network')
    if lacks := missing():
        pytest.skip(lacks)
    with two_hosts(wanderer, tmp_path_factory.mktemp('logs')) as rig:
        yield rig


@pytest.fixture
def rig(linked):
    """Give it under the name by which the fault matrix finds what was measured."""
    return linked


@pytest.mark.parametrize('link', LINKS.values(), ids=LINKS)
def test_over_a_bad_link_the_arm_moves_and_is_held_in_time_when_it_is_cut(rig, link):
    def act():
        with rig.worse(**link):
            rig.moves()
            rig.lasts(3.0)
            rig.moves()
            rig.link.be(cut=True)
            rig.rests()
            rig.link.be(**link)
            rig.moves()

    rig.verified(act)
