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

"""The programs of a tiny model that multiply FP8 numbers, with inputs, and frames of these."""

import torch

from vla_accel_ros.engines.calibration import Calibration
from vla_accel_ros.engines.interface import call
from vla_accel_ros.engines.programs.decoder import Span

LENGTH = 40


def cases(model, seed=0):
    """Give programs with inputs of the model's type: towers, projector, a span of all layers."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=generator).to(model.dtype)

    config, decoder = model.config, model.language_model.model
    side, places = config.image_size, torch.arange(LENGTH)
    return [
        (model.vision(), {'pixels': normal(1, config.channels, side, side)}),
        (model.projection(), {'features': normal(1, config.visual_tokens, 16)}),
        (
            Span(decoder, 0, config.decoder.layers, norm=True, taps=(3,)),
            {'x': normal(1, LENGTH, config.decoder.width), 'positions': places, 'rows': places},
        ),
    ]


@torch.inference_mode()
def frames_of(model, seeds=(0, 1)):
    """Give calibration frames of these programs."""
    frames = Calibration(model)
    for seed in seeds:
        for program, given in cases(model, seed):
            call(frames, program, given)
    return frames
