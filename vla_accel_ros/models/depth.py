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


"""Decoder layers left out of a model."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from vla_accel_ros.models.config import VLAConfig


def without(config: VLAConfig, layers: Collection[int]) -> VLAConfig:
    """Give a configuration that leaves out decoder layers, attention and MLP both.

    Args:
        config: May leave out some already.
        layers: Counted from 0.

    Raises:
        ValueError: When there is no such layer, or none would have its attention.
    """
    decoder = config.decoder
    dropped = replace(
        decoder,
        drop_attention=tuple(sorted({*decoder.drop_attention, *layers})),
        drop_mlp=tuple(sorted({*decoder.drop_mlp, *layers})),
    )
    return replace(config, decoder=dropped)
