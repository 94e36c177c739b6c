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


"""Random pruning, seeded: what any method must beat at the same kept count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.options import option
from vla_accel_ros.pruning.early import EarlyParameters, EarlyPruner
from vla_accel_ros.pruning.parameters import keep_option
from vla_accel_ros.pruning.selection import shares, top


@dataclass(frozen=True, kw_only=True)
class RandomParameters(EarlyParameters):
    """Parameters of random pruning."""

    keep: float = keep_option()
    seed: int = option(0, 'seed; each episode repeats its sequence', range=(0, 2**31 - 1))


class RandomPruner(EarlyPruner[RandomParameters]):
    """Keep as many tokens of each camera as asked for, drawn anew at each inference."""

    name = 'random'
    Parameters = RandomParameters

    def _forget(self) -> None:
        super()._forget()
        self._generator = np.random.default_rng(self.parameters.seed)

    def _choose(self, received: Tensor | None) -> Tensor | None:
        shape = (self.layout.cameras, self.layout.tokens)
        counts = torch.tensor(shares(self._budget(self.parameters.keep), self.layout.cameras))
        return top(torch.from_numpy(self._generator.random(shape)), counts[:, None])
