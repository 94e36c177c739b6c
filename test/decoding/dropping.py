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

"""A pruner that drops what it is told to, where it is told to."""

import torch

from vla_accel_ros.pruning.base import Pruner
from vla_accel_ros.pruning.interface import Needs
from vla_accel_ros.pruning.parameters import Parameters


class Dropping(Pruner):
    """Drop tokens at given points: 0 for before the projector, else after that layer."""

    name = 'dropping'
    Parameters = Parameters

    def __init__(self, layout, drops):
        super().__init__(None, layout)
        self._drops = drops

    def _mask(self, point):
        mask = torch.ones(self.layout.total, dtype=torch.bool)
        mask[list(self._drops.get(point, ()))] = False
        return mask.view(self.layout.cameras, self.layout.tokens)

    def _plan(self, scene):
        return Needs(drops=tuple(self._drops))

    def _towers(self, received):
        return self._mask(0)

    def _layer(self, layer, scores):
        return self._mask(layer)
