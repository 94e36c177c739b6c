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


"""SP-VLA's spatio-semantic token pruning (arXiv 2506.12723, section on token pruning).

Kept are the patches that receive most attention in the vision tower, up to a share of the mass
that falls with the arm's speed, and the patches that hold an edge, in their original order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vla_accel_ros.motion import Motion
from vla_accel_ros.pruning.early import EarlyParameters, EarlyPruner
from vla_accel_ros.pruning.edges import edge_patches
from vla_accel_ros.pruning.interface import Scene
from vla_accel_ros.pruning.parameters import ADAPTIVE, FIXED, budget_option, keep_option, option
from vla_accel_ros.pruning.selection import extend, mass

# Released code, per LIBERO suite: z_thre and z_min of its pruning law, in normalised units of dz.
CODE_SUITES = {
    'spatial': (0.5, 0.9),
    'object': (0.5, 0.9),
    'goal': (0.3, 0.7),
    'libero_10': (0.3, 0.85),
}


@dataclass(frozen=True, kw_only=True)
class SpVlaParameters(EarlyParameters):
    """Parameters of SP-VLA's pruning.

    The paper gives no values for its speeds; the defaults are ours, for a table-top arm.
    `code_parameters` converts the released code's.

    Raises:
        ValueError: When the speeds or thresholds are not in order.
    """

    law: str = option(
        'paper',
        "which speed counts: the end effector's (paper) or the vertical alone (code)",
        choices=('paper', 'code'),
    )
    v_low: float = option(
        0.1, 'speed below which nothing is dropped', unit='m/s', low=0.0, high=10.0
    )
    v_high: float = option(
        0.75, 'speed from which the mass kept no longer falls', unit='m/s', low=0.0, high=10.0
    )
    min_mass: float = option(
        0.0,
        'share of the attention mass kept at v_high (paper 0; code 1 - z_min)',
        low=0.0,
        high=1.0,
    )
    edges: bool = option(True, 'keep patches that hold an edge')
    canny_low: float = option(
        100.0, "Canny's lower threshold, in grey levels of 255", low=0.0, high=2000.0
    )
    canny_high: float = option(
        200.0, "Canny's upper threshold, in grey levels of 255", low=0.0, high=2000.0
    )
    budget: str = budget_option()
    keep: float = keep_option()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.v_low < self.v_high:
            raise ValueError(f'v_low is {self.v_low} m/s, expected below v_high {self.v_high} m/s')
        if not self.canny_low <= self.canny_high:
            raise ValueError(
                f'canny_low is {self.canny_low}, expected at most canny_high {self.canny_high}'
            )


def code_parameters(suite: str, z_unit_m: float, step_s: float, **others: Any) -> SpVlaParameters:
    """Give the released code's pruning law for a LIBERO suite, in m/s.

    Args:
        suite: One of `CODE_SUITES`.
        z_unit_m: Displacement along z of a normalised action of 1, metres: (q99 - q01) / 2 of
            the action statistics.
        step_s: Seconds of a policy step.
        others: Any other parameters.

    Raises:
        ValueError: When the suite is unknown or a scale is not positive.
    """
    if suite not in CODE_SUITES:
        raise ValueError(f"suite is '{suite}', expected one of {list(CODE_SUITES)}")
    if not (z_unit_m > 0 and step_s > 0):
        raise ValueError(f'z_unit_m is {z_unit_m} m, step_s is {step_s} s, expected above 0')
    z_thre, z_min = CODE_SUITES[suite]
    speed = z_unit_m / step_s
    return SpVlaParameters(
        law='code', v_low=z_thre * speed, v_high=speed, min_mass=1 - z_min, **others
    )


def mass_threshold(parameters: SpVlaParameters, motion: Motion | None) -> float:
    """Give the share of the attention mass to keep, T(v).

    Paper: 1 below v_low, else 1 - (v - v_low) / (v_high - v_low), v the end effector's speed.
    Code: 1 - (min(|dz|, 1) - z_thre) z_min / (1 - z_thre) above z_thre. Both are one line from 1
    at v_low to min_mass at v_high. An unknown motion counts as standing still.
    """
    if motion is None:
        return 1.0
    code = parameters.law == 'code'
    speed = abs(motion.vertical_speed) if code else motion.linear_speed
    span = parameters.v_high - parameters.v_low
    along = min(max((speed - parameters.v_low) / span, 0.0), 1.0)
    return 1 - (1 - parameters.min_mass) * along


class SpVlaPruner(EarlyPruner[SpVlaParameters]):
    """Semantic tokens by attention mass, spatial tokens by edges, fewer the faster the arm."""

    name = 'sp_vla'
    Parameters = SpVlaParameters

    def _forget(self) -> None:
        super()._forget()
        self._edges: Tensor | None = None
        self._mass = 1.0

    def _prepare(self, scene: Scene) -> bool:
        p = self.parameters
        self._edges = None
        self._mass = mass_threshold(p, scene.motion)
        if p.budget == ADAPTIVE and self._mass >= 1:
            self._fallback('first_step' if scene.motion is None else 'slow')
            return False
        if p.edges:
            marks = edge_patches(scene.images, self.layout, p.canny_low, p.canny_high)
            # Half of the method is blind on a camera without edges; the paper's success falls
            # from 74.9 to 23.9 % without them.
            if not marks.any(-1).all():
                self._fallback('no_edges')
                return False
            self._edges = torch.from_numpy(marks)
        return True

    def _choose(self, received: Tensor | None) -> Tensor | None:
        if received is None or not self._usable(received):
            return None
        spatial = torch.zeros_like(received, dtype=torch.bool)
        if self._edges is not None:
            spatial = self._edges.to(received.device)
        if self.parameters.budget == FIXED:
            return extend(spatial, received, self._budget(self.parameters.keep))
        return self._rounded(spatial | mass(received, self._mass), received)
