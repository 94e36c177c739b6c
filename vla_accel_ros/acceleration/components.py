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

"""The named parts that methods are put together from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# The policy as it is; what every method is compared with.
BASELINE = 'none'
# What prunes where a keep ratio is asked for and no method named: the plain baseline.
PLAIN_PRUNING = 'fastv'


@dataclass(frozen=True)
class Component:
    """A part of a method.

    Attributes:
        summary: One line on what it does.
        settings: What it sets, by parameter name.
    """

    summary: str
    settings: Mapping[str, object] = field(default_factory=dict)


def _scheduling(predictor: str) -> dict[str, object]:
    return {'rule': 'velocity', 'predictor': predictor}


COMPONENTS = {
    BASELINE: Component('the policy at every step, unaccelerated'),
    'ridge': Component(
        'steps within a band of speed are taken by ridge regression of the last actions',
        _scheduling('ridge'),
    ),
    'hold': Component('those steps repeat the last action', _scheduling('hold')),
    'trust': Component(
        'the last action is repeated for as long as that was just measured to be right (ours)',
        {'rule': 'trust', 'predictor': 'hold', 'gripper_guard': False},
    ),
    'sp_vla': Component(
        'SP-VLA: ridge scheduling, and pruning by speed, attention and edges',
        {**_scheduling('ridge'), 'pruning': 'sp_vla'},
    ),
    'sp_vla_scheduling': Component("SP-VLA's scheduling alone, as ridge", _scheduling('ridge')),
    'sp_vla_pruning': Component("SP-VLA's pruning alone", {'pruning': 'sp_vla'}),
    'vla_pruner': Component('VLA-Pruner', {'pruning': 'vla_pruner'}),
    'specprune': Component(
        'SpecPrune-VLA, chunks renewed when work becomes fine',
        {'pruning': 'specprune', 'replan_on_fine': True},
    ),
    'fastv': Component('FastV', {'pruning': 'fastv'}),
    'dart': Component('DART: the tokens that duplicate others least', {'pruning': 'dart'}),
    'info_entropy': Component(
        'VLA-InfoEntropy: texture, then what single words look at', {'pruning': 'info_entropy'}
    ),
    'random': Component('tokens drawn by lot', {'pruning': 'random'}),
    'ensemble': Component(
        'the VLA at every step, and what its last chunks say is averaged (CogACT)',
        {'chunks': 'ensemble'},
    ),
    'greedy': Component('one token a pass', {'decoder': 'greedy'}),
    'verify': Component('drafts verified', {'decoder': 'verify'}),
    'jacobi': Component('Jacobi decoding, from the draft', {'decoder': 'jacobi'}),
    'relaxed': Component('Jacobi that may be off by a few bins', {'decoder': 'relaxed'}),
}


def combine(names: list[str]) -> dict[str, object]:
    """Return what several components set together.

    Raises:
        ValueError: When one is unknown, or two set the same thing.
    """
    settings: dict[str, object] = {}
    by: dict[str, str] = {}
    for name in names:
        for key, value in COMPONENTS[name].settings.items():
            if key in by:
                raise ValueError(f"{by[key]} and {name} both set '{key}', expected one of them")
            settings[key], by[key] = value, name
    return settings
