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

import pytest
import torch

from vla_accel_ros.engines.device import RateMeter


def test_rates_are_measured_and_the_best_counts():
    meter = RateMeter(torch.device('cpu'), torch.float32, 2**20)
    with pytest.raises(ValueError, match='no rate'):
        meter.best()
    meter.sample()
    best = meter.best()
    assert best.copy == max(meter.copy) > 0 and best.matrix == max(meter.matrix) > 0
    assert best.bytes == 2**22
    assert best.launch == min(meter.launch) > 0
