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

"""Counted operations of SmolVLA against torch's counter."""

from contextlib import contextmanager

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from vla_accel_ros.models.cost.stages import CostModel
from vla_accel_ros.models.heads.flow_head import FlowHead
from vla_accel_ros.models.layout import layout_of
from vla_accel_ros.pruning.registry import create

CASES = {
    'none': ('none', {}, 1),
    'before': ('random', {'keep': 0.5, 'place': 'before_llm'}, 1),
    'in_towers': ('random', {'keep': 0.5, 'place': 'in_towers', 'tower_block': 1}, 1),
    'fastv': ('fastv', {'keep': 0.5}, 1),
    'all_rows': ('fastv', {'keep': 0.5, 'rows': 'all_rows'}, 1),
    'vla_pruner': ('vla_pruner', {'keep': 0.5, 'window': 1}, 2),
    'of_the_state': ('vla_pruner', {'keep': 0.5, 'action_rows': 'prompt'}, 1),
}


class Counted:
    """Count by stage what torch runs, a stage within another one for itself alone."""

    def __init__(self, counter):
        self._counter, self._within = counter, 0
        self.flops = {}

    @contextmanager
    def __call__(self, stage):
        before, self._within = self._within, 0
        start = self._counter.get_total_flops()
        yield
        took = self._counter.get_total_flops() - start
        self.flops[stage] = self.flops.get(stage, 0) + took - self._within
        self._within = before + took


@pytest.mark.parametrize('case', sorted(CASES))
def test_operations_of_each_stage_are_those_that_torch_counts(small_smolvla, ask_at, case):
    name, given, steps = CASES[case]
    buckets = {'buckets': (64, 128, 192)} if name != 'none' else {}
    config = small_smolvla.config
    pruner = create(name, layout_of(config), **given, **buckets)
    head = FlowHead(small_smolvla, None, small_smolvla.flow)
    # What is made of the times is kept.
    head.plan(head.noise(), config.head.steps)
    with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH):
        for step in range(steps):
            with FlopCounterMode(display=False) as counter:
                watch = Counted(counter)
                done = head.answer(
                    ask_at(step), pruner, lambda n: small_smolvla.new_cache(n + 4), watch
                )
    for stage, cost in CostModel(config).inference(done.stats.work).items():
        assert cost.flops == pytest.approx(watch.flops.get(stage, 0), rel=0.02), stage
