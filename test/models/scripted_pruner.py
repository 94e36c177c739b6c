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


"""A pruner that does what a test says."""

import torch

from vla_accel_ros.pruning.base import Pruner
from vla_accel_ros.pruning.parameters import Parameters


class Scripted(Pruner):
    """Drop given tokens at given points, and remember every score."""

    name = 'scripted'
    Parameters = Parameters

    def __init__(self, layout, needs, drops):
        super().__init__(None, layout)
        self._needs, self._drops = needs, drops
        self.seen, self.decoded, self.received = {}, {}, None

    def _mask(self, point):
        if point not in self._drops:
            return None
        mask = torch.ones(self.layout.total, dtype=torch.bool)
        mask[list(self._drops[point])] = False
        return mask.view(self.layout.cameras, self.layout.tokens)

    def _plan(self, scene):
        return self._needs

    def _towers(self, received):
        self.received = received
        return self._mask('towers')

    def _projected(self, distances, pivots):
        return self._mask('projector')

    def _layer(self, layer, scores):
        for rows, score in scores.items():
            self.seen[layer, rows] = score
        return self._mask(layer)

    def _decoded(self, scores):
        self.decoded = dict(scores)
