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


"""Decoder layers left out of a model: which matter least, and a checkpoint without them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
import shutil

import torch

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import Bucket, Program, Runner, Tensors
from vla_accel_ros.engines.programs.decoder import Span
from vla_accel_ros.models.checkpoints import folder as checkpoint
from vla_accel_ros.models.checkpoints.checksum import checksum_file
from vla_accel_ros.models.checkpoints.file_names import CONFIG
from vla_accel_ros.models.checkpoints.weights import INDEX, WEIGHTS
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.registry import build

MADE = (WEIGHTS, checksum_file(Path(WEIGHTS)).name, CONFIG)
# What a checkpoint has beside weights and configuration: tokeniser, statistics, preprocessing.
BESIDE = ('.json', '.model', '.txt')


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


class LayerChanges:
    """An engine that runs as eager does and measures how much each decoder layer changes.

    The importance of a layer is 1 - cos(x, y), x what enters it and y what leaves it, mean over
    the tokens of a sequence and over the sequences (EfficientVLA, arXiv 2506.10100). Measured is
    the prefill, with all visual tokens.

    Attributes:
        sequences: That were measured.
    """

    name = 'layer_changes'
    precision, exact = 'float32', True

    def __init__(self) -> None:
        self.sequences = 0
        self._sums: dict[int, float] = {}

    @property
    def importance(self) -> dict[int, float]:
        """By layer, from 0, of those that are not left out already."""
        return {layer: total / self.sequences for layer, total in sorted(self._sums.items())}

    def ready(self, program: Program, bucket: Bucket) -> Runner:
        """Give what runs a program; see `Engine.ready`."""
        runner = EAGER.ready(program, bucket)
        if not isinstance(program, Span):
            return runner

        def run(given: Tensors, room: Tensors) -> dict[str, torch.Tensor]:
            self._measure(program, given)
            return runner(given, room)

        return run

    def _measure(self, span: Span, given: Tensors) -> None:
        decoder, x = span.decoder, given['x']
        rope = decoder.rope(given['positions'][None], x)
        self.sequences += span.first == 0
        for index in range(span.first, span.last):
            layer, before = decoder.layers[index], x
            x = layer(x, rope, causal=span.causal)
            if layer.self_attn is not None or layer.mlp is not None:
                alike = torch.cosine_similarity(before.double(), x.double(), dim=-1).mean()
                self._sums[index] = self._sums.get(index, 0.0) + 1 - float(alike)


def least(importance: dict[int, float], count: int) -> tuple[int, ...]:
    """Give the layers that matter least, ascending.

    Args:
        importance: By layer.
        count: How many.

    Raises:
        ValueError: When not at least one layer would be left, or the count is not positive.
    """
    if not 0 < count < len(importance):
        raise ValueError(
            f'{count} layers are to be left out, expected 1 to {len(importance) - 1} of the '
            f'{len(importance)} that there are'
        )
    return tuple(sorted(sorted(importance, key=lambda layer: importance[layer])[:count]))


def beside(source: Path) -> list[str]:
    """List the files of a checkpoint that are neither weights nor configuration."""
    taken = (*MADE, INDEX)
    return sorted(
        file.name
        for file in source.iterdir()
        if file.is_file() and file.suffix in BESIDE and file.name not in taken
    )


def derive(source: Path, out: Path, layers: Sequence[int]) -> VLAConfig:
    """Write a checkpoint without some decoder layers; the others keep their numbers.

    It takes the memory of the model's weights twice.

    Args:
        source: The checkpoint's folder.
        out: Another folder; made if need be.
        layers: Counted from 0.

    Returns:
        The new configuration.

    Raises:
        CheckpointError: When the source cannot be read.
        ValueError: When the layers cannot be left out.
    """
    whole = checkpoint.load(source)
    config = without(whole.config, layers)
    with torch.device('meta'):
        model = build(config)
    state = whole.state_dict()
    model.load_state_dict({name: state[name] for name in model.state_dict()}, assign=True)
    out.mkdir(parents=True, exist_ok=True)
    for name in beside(source):
        shutil.copyfile(source / name, out / name)
    checkpoint.save(model, out)
    return config


def read_layers(text: str) -> tuple[int, ...]:
    """Read numbers of layers, as `2,1`.

    Raises:
        ValueError: When it is no list of whole numbers.
    """
    return tuple(sorted(_whole(text.split(','))))


def _whole(parts: Iterable[str]) -> set[int]:
    found = set()
    for part in parts:
        if not part.strip().isdecimal():
            raise ValueError(f"--layers has '{part}', expected numbers of layers, as 1,2")
        found.add(int(part))
    return found
