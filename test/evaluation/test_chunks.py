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

"""Episodes of a policy that answers with chunks and wants proprioception (OpenVLA-OFT)."""

from dataclasses import replace

import pytest
import torch

from vla_accel_ros.acceleration import Method
from vla_accel_ros.acceleration.grammar import parse
from vla_accel_ros.environments.tabletop import Tabletop
from vla_accel_ros.evaluation.closed_loop import run_episode
from vla_accel_ros.evaluation.driver import Driver
from vla_accel_ros.evaluation.latency import Fixed
from vla_accel_ros.models.checkpoints import folder as checkpoint
from vla_accel_ros.models.families.oft.config import OFTConfig
from vla_accel_ros.models.families.registry import build
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.presets import embedded
from vla_accel_ros.models.tokenizer import vocabulary, write_tokenizer
from vla_accel_ros.scheduling.config import SchedulerConfig
from vla_accel_ros.sim.tasks import all_instructions

LIFT = all_instructions('lift')[0]
STATISTICS = {
    'action': {
        'q01': [-0.02] * 6 + [0.0],
        'q99': [0.02] * 6 + [1.0],
        'mask': [True] * 6 + [False],
    },
    'proprio': {'q01': [-1.0] * 8, 'q99': [1.0] * 8},
}


@pytest.fixture
def policy(tmp_path):
    words = vocabulary(all_instructions())
    config = embedded(
        len(words),
        image_size=32,
        tower_width=32,
        tower_blocks=1,
        width=48,
        layers=2,
        heads=2,
        head=OFTConfig(chunk=8, proprio=8),
    )
    torch.manual_seed(0)
    checkpoint.save(build(replace(config, norm_stats={'random': STATISTICS})), tmp_path)
    write_tokenizer(words, tmp_path)
    return Policy.load(tmp_path, threads=1)


@pytest.mark.parametrize(
    ('options', 'calls', 'decisions'),
    [
        ({}, 3, {'deliberative': 3, 'queued': 17}),
        # Renewed with half of it left: after the first, a call every four steps.
        ({'prefetch_rows': 4}, 5, {'deliberative': 1, 'queued': 19}),
    ],
)
def test_a_chunk_serves_its_steps_with_one_call(policy, options, calls, decisions):
    environment = Tabletop(32, max_steps=20)
    method = Method(
        'chunks', '', SchedulerConfig(**{'rule': 'never', 'prefetch_rows': 0, **options})
    )
    result = run_episode(Driver(policy, method), environment, 2_000_000, LIFT)
    environment.close()
    assert result.steps == 20
    assert result.decisions == decisions
    assert len(result.calls) == calls


def test_a_chunk_that_is_renewed_in_time_hides_the_latency(policy):
    environment = Tabletop(32, max_steps=20)
    scheduler = SchedulerConfig(rule='never', prefetch_rows=4)
    result = run_episode(
        Driver(policy, Method('chunks', '', scheduler), Fixed(120)), environment, 2_000_000, LIFT
    )
    environment.close()
    # Only the first call is waited for.
    assert [r.kind for r in result.records[:3]] == ['waiting', 'waiting', 'deliberative']
    assert result.decisions == {'waiting': 2, 'deliberative': 1, 'queued': 17}
    assert all(call.latency_ms == 120 for call in result.calls)


def test_the_preset_fast_waits_for_its_first_chunk_only(policy):
    environment = Tabletop(32, max_steps=20)
    result = run_episode(Driver(policy, parse('fast'), Fixed(80)), environment, 2_000_000, LIFT)
    environment.close()
    assert [r.kind for r in result.records[:2]] == ['waiting', 'deliberative']
    assert result.decisions == {'waiting': 1, 'deliberative': 1, 'queued': 18}
