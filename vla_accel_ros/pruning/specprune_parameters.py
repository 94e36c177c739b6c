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


"""Parameters of SpecPrune-VLA."""

from __future__ import annotations

from dataclasses import dataclass

from vla_accel_ros.pruning.parameters import (
    Parameters,
    budget_option,
    keep_option,
    layer_option,
    option,
)
from vla_accel_ros.scheduling.controller import FINE_ANGULAR, FINE_LINEAR


@dataclass(frozen=True, kw_only=True)
class SpecPruneParameters(Parameters):
    """Parameters of SpecPrune-VLA.

    Token counts are for a camera of 256 tokens and scale to others. `history` and `layer_level`
    are on, as in the paper; the released code has them off. Speeds are ours in m/s and rad/s:
    the code's 0.4 and 0.2 are for normalised actions.

    Raises:
        ValueError: When a value is out of its range or list entries are not ascending.
    """

    layer: int = layer_option(2)
    k_global: int = option(30, 'tokens from the last inference', low=0, high=65536)
    k_dynamic: int = option(20, 'tokens whose patch moved, at most', low=0, high=65536)
    k_local: int = option(
        24, 'tokens from each of the two layers before dropping', low=0, high=65536
    )
    alpha: float = option(0.8, 'factor on these counts in coarse mode', low=0.01, high=1.0)
    history: bool = option(True, 'use the last inference (off in the released code)')
    history_layers: tuple[int, ...] = option(
        (0,),
        'layers whose scores serve the next inference; 0: 15 and 32 of 32, scaled',
        low=0,
        high=1024,
    )
    similarity: float = option(
        0.986, 'cosine similarity of pixels below which a patch has moved', low=-1.0, high=1.0
    )
    speed_unit: float = option(
        0.1,
        'speed that counts as 1 in the age of the reference frame, floor(7 - v) + 4 steps',
        unit='m/s',
        low=1e-4,
        high=10.0,
    )
    layer_level: bool = option(True, 'drop more at later layers (off in the released code)')
    drop_layers: tuple[int, ...] = option(
        (0,), 'the later layers; 0: 5, 10, 15 and 20 of 32, scaled', low=0, high=1024
    )
    drop_share: float = option(0.1, 'share of the tokens dropped at each', low=0.0, high=0.9)
    rank_slope: float = option(
        0.05, 'k of the sigmoid over ranks, unknown in the paper', low=1e-4, high=10.0
    )
    rate: float = option(0.2, 'weight of a layer in the running mean', low=0.01, high=1.0)
    confidence: str = option(
        'entropy',
        "how far a layer is trusted (paper's first version: mean_std)",
        choices=('entropy', 'mean_std'),
    )
    controller: bool = option(True, 'keep fewer tokens while the arm moves fast')
    linear_threshold: float = option(
        FINE_LINEAR, 'speed below which the mode may be fine', unit='m/s', low=0.0, high=10.0
    )
    angular_threshold: float = option(
        FINE_ANGULAR,
        'angular speed below which the mode may be fine',
        unit='rad/s',
        low=0.0,
        high=100.0,
    )
    margin: float = option(
        1.0,
        'factor on both thresholds above which fine is left; the paper has 1',
        low=1.0,
        high=10.0,
    )
    budget: str = budget_option()
    keep: float = keep_option()

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ('history_layers', 'drop_layers'):
            layers = list(getattr(self, name))
            if layers != [0] and (0 in layers or layers != sorted(set(layers))):
                raise ValueError(f'{name} is {layers}, expected [0] or ascending layers')
