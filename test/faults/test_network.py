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

"""Inference on another host, over a link that is slow or cut: real DDS between two namespaces."""

import os

import pytest

from benchmarks.network.link import missing


@pytest.fixture(scope='module')
def linked(wanderer, tmp_path_factory):
    """Give the robot's side on one host and inference on another."""
    from linked import two_hosts

    if not os.environ.get('VLA_ACCEL_NETWORK'):
        pytest.skip('starts two hosts: make test-network')
    if lacks := missing():
        pytest.skip(lacks)
    with two_hosts(wanderer, tmp_path_factory.mktemp('logs')) as rig:
        yield rig


@pytest.fixture
def rig(linked):
    """Give it under the name by which the fault matrix finds what was measured."""
    return linked


def test_20_ms_each_way_are_bridged_and_observations_are_compressed(rig):
    def act():
        with rig.worse(delay_s=0.02):
            rig.moves()
            rig.until(
                lambda: (
                    float(rig.reports.value('scheduler', 'latency_ms') or 0) >= 40.0
                    and rig.reports.value('scheduler', 'observation_bytes')
                    and rig.reports.value('scheduler', 'clock_offset_ms')
                ),
                'an answer has come over the slow link, and it is told',
            )
        sent = float(rig.reports.value('scheduler', 'observation_bytes'))
        assert 0 < sent < 2 * 3 * 224 * 224
        low, high = map(float, rig.reports.value('scheduler', 'clock_offset_ms').split(' to '))
        assert low <= 0.0 <= high

    rig.verified(act)


@pytest.mark.parametrize('seconds', [0.2, 5.0])
def test_a_cut_link_holds_the_arm_in_time_and_it_goes_on_by_itself(rig, seconds):
    def act():
        with rig.worse(cut=True):
            if seconds > 1.0:
                rig.rests()
                rig.tells('scheduler', 'inference_timeout')
            rig.lasts(seconds)
        rig.moves()

    rig.verified(act)
