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

"""What a diffusion head runs: its condition, made once a chunk, and one step of denoising."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vla_accel_ros.engines.interface import Tensors
from vla_accel_ros.layers.dit import DiT


@dataclass(frozen=True)
class Condition:
    """Embed what a chunk is conditioned on; it is the same for all steps of denoising.

    In: `feature` [B, features]. Out: `condition` [B, width], or with `guided` [2 * B, width],
    whose second half is without a feature.

    Attributes:
        net: The action transformer.
        guided: Whether the steps are guided.
    """

    net: DiT
    guided: bool
    name = 'condition'
    inputs = ('feature',)
    outputs = ('condition',)

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Embed it; see `Program.run`."""
        return {'condition': self.net.z_embedder(given['feature'], self.guided)}


@dataclass(frozen=True)
class Denoise:
    """One step of DDIM without added noise (arXiv 2010.02502, equation 12 with sigma 0).

    In: `x` [B, chunk, dims], noisy actions; `condition` as `Condition` gives it; `time` [width],
    the step's embedded time; `scales` [4]: sqrt(1/a), sqrt(1/a - 1), sqrt(b) and sqrt(1 - b) with
    the cumulated alphas a of this step and b of the next one. Out: `x` [B, chunk, dims] with less
    noise; `clean` [B, chunk, dims], what it would be without any; `noise` [B, chunk, dims], as
    predicted.

    Guided by a scale s (arXiv 2207.12598) both samples go through the transformer in one pass, and
    the noise is u + s * (c - u) of c with the feature and u without.

    Attributes:
        net: The action transformer.
        guidance: The scale s; 0 where there is no guidance.
    """

    net: DiT
    guidance: float
    name = 'denoise'
    inputs = ('x', 'condition', 'time', 'scales')
    outputs = ('x', 'clean', 'noise')

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Take the step; see `Program.run`."""
        x, condition = given['x'], given['condition'] + given['time']
        if self.guidance:
            with_feature, without = self.net(torch.cat([x, x]), condition).chunk(2)
            noise = without + self.guidance * (with_feature - without)
        else:
            noise = self.net(x, condition)
        shrink, part, keep, again = given['scales'].unbind()
        clean = shrink * x - part * noise
        return {'x': keep * clean + again * noise, 'clean': clean, 'noise': noise}
