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

"""Counted operations of denoising against torch's counter."""

import numpy as np
from pi0_fixture import FIXTURES, NAMES
import pytest
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from vla_accel_ros.models.cost.stages import CostModel
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.observations import Observation


@pytest.mark.parametrize('method', ['fastv', 'none', 'vla_pruner'])
@pytest.mark.parametrize('name', NAMES)
def test_operations_are_those_that_torch_counts(name, method):
    policy = Policy.load(FIXTURES / name, cameras=1)
    policy.set_flow(3)
    policy.set_pruning(method)
    image = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    seen = Observation((image,), 'put the cup on the plate', 0, np.zeros(8))
    for _ in range(4):
        # Fused attention on the CPU is one that the counter does not know.
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            answer = policy.predict(seen)
    counted = CostModel(policy.config).total(answer.work).flops
    assert answer.kept == (256 if method == 'none' else 64)
    assert counted == pytest.approx(counter.get_total_flops(), rel=0.02)
