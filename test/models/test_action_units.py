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

"""Data sets in a controller's units."""

import numpy as np
import pytest

from vla_accel_ros.models.action_tokens import ActionStatistics
from vla_accel_ros.models.action_units import in_si


def statistics(columns=7):
    return ActionStatistics(
        -np.ones(columns), np.ones(columns), np.array([True] * (columns - 1) + [False])
    )


@pytest.mark.parametrize('key', ['libero_spatial', 'libero_10_no_noops'])
def test_a_unit_of_libero_is_5_cm_and_half_a_radian(key):
    found = in_si(key, statistics())
    assert found.unnormalise(np.array([1, -1, 0, 1, -1, 0, 0.3])) == pytest.approx(
        [0.05, -0.05, 0, 0.5, -0.5, 0, 0.3]
    )


def test_other_data_sets_are_in_m_and_rad_already():
    own = statistics()
    assert in_si('bridge_orig', own) is own


def test_statistics_of_other_widths_are_for_others_to_refuse():
    own = statistics(8)
    assert in_si('libero_goal', own) is own
