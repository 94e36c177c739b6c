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

"""Inference on another host, over a link that is slow, lossy or cut: real DDS between the two."""

import pytest

LINKS = {
    '5 ms': {'delay_s': 0.005},
    '20 ms': {'delay_s': 0.02},
    '80 ms': {'delay_s': 0.08},
    'jitter': {'delay_s': 0.02, 'jitter_s': 0.03},
    '1 % loss': {'delay_s': 0.005, 'loss': 0.01},
    '10 % loss': {'delay_s': 0.005, 'loss': 0.1},
}


def test_20_ms_each_way_are_bridged_and_observations_are_compressed(rig):
    def act():
        with rig.worse(delay_s=0.02):
            rig.moves()
            rig.until(
                lambda: float(rig.reports.value('scheduler', 'latency_ms') or 0) >= 40.0,
                'an answer has come over the slow link, and it is told',
            )
        sent = float(rig.reports.value('scheduler', 'observation_bytes'))
        assert 0 < sent < rig.raw_bytes / 2
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


def test_answers_that_come_too_late_are_named_and_move_nothing(rig):
    def act():
        # There and back it takes longer than max_staleness, and less than answer_timeout.
        with rig.worse(delay_s=0.7):
            rig.tells('scheduler', 'answer_discarded', 'stale_answer')
            rig.rests()
        rig.moves()

    rig.verified(act)
