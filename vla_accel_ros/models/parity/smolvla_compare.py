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

"""A SmolVLA's numbers against those of the original, array by array."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
import re

import numpy as np
import torch

from vla_accel_ros.files.kinds import Object, Several, Whole, Word, take
from vla_accel_ros.inputs.padding import padded_linear
from vla_accel_ros.models.checkpoints.file_names import CONFIG
from vla_accel_ros.models.checkpoints.folder import load
from vla_accel_ros.models.checkpoints.json_file import named, read_json
from vla_accel_ros.models.families.smolvla.checkpoint import absent_cameras
from vla_accel_ros.models.families.smolvla.config import SmolVLAConfig
from vla_accel_ros.models.families.smolvla.family import SmolVLAFamily
from vla_accel_ros.models.families.smolvla.model import SmolVLA
from vla_accel_ros.models.heads.flow_numbers import action_line
from vla_accel_ros.models.parity.compare import ARRAY_FILES
from vla_accel_ros.models.parity.comparison import (
    Comparison,
    FixtureError,
    answers_of,
    compare_all,
    needed,
    read_arrays,
    rows_of,
)
from vla_accel_ros.models.parity.rounding import decide
from vla_accel_ros.models.parity.smolvla_prefix import Arrays
from vla_accel_ros.models.parity.smolvla_reference import TRAINED, Case, Given

CASES = 'inputs.json'
PROBE = 'unnorm_probe'
TOLERANCES = (
    (r'(pixels|vision|connector)_.*', 1e-5),
    (r'state_norm_.*|time_embedding_.*', 1e-6),
    (r'prefix_(pad_mask|att_mask|positions)_.*', 0.0),
    (r'(prefix|attn|suffix|velocity|euler_[xv]|actions|joint|pruned)_.*', 1e-4),
    (PROBE, 1e-5),
)


def tolerance(name: str, theirs: np.ndarray | None = None) -> float:
    """Give the tolerance of an array, 0 where nothing else is said."""
    return next((t for pattern, t in TOLERANCES if re.fullmatch(pattern, name)), 0.0)


def verify(folder: Path) -> list[Comparison]:
    """Run a fixture folder through this package, in float32 on the CPU.

    What one version of the original makes of shifted positions (`*_shifted_ids`) is compared with
    what comes out with the positions shifted in the same way.

    Args:
        folder: A public checkpoint with `inputs.json`, `inputs.npz` and `outputs.npz`.

    Returns:
        One comparison an array.

    Raises:
        CheckpointError: When the checkpoint does not load.
        FixtureError: When a file is missing or does not hold what is needed.
    """
    inputs, stored = (read_arrays(folder / name) for name in ARRAY_FILES)
    family = SmolVLAFamily()
    model = load(folder, 'cpu', torch.float32, family=family)
    answers_of(folder / ARRAY_FILES[1], stored, (f'actions_{name}' for name in _cases(folder)))
    ours = outputs(folder, model, inputs, stored)

    def exact(_: Iterable[str]) -> Mapping[str, np.ndarray]:
        return outputs(folder, load(folder, 'cpu', torch.float64, family=family), inputs, stored)

    return decide(compare_all(ours, stored, tolerance), ours, exact)


@torch.inference_mode()
def outputs(
    folder: Path, model: SmolVLA, inputs: Mapping[str, np.ndarray], like: Mapping[str, np.ndarray]
) -> Arrays:
    """Compute what `outputs.npz` holds.

    Args:
        folder: The fixture.
        model: On the CPU, in float32 or float64.
        inputs: `inputs.npz`.
        like: The stored arrays; only names and shapes are taken.

    Raises:
        FixtureError: When an input is not there.
    """
    family, config = SmolVLAFamily(), model.config
    prompts, key = family.prompts(folder, config), next(iter(config.norm_stats))
    scale, line = family.proprio(config, key), action_line(config, key)

    def restored(values: np.ndarray) -> np.ndarray:
        return line.unnormalise(values[..., : config.action_dims])

    result: Arrays = {}
    file, cases = folder / ARRAY_FILES[0], _cases(folder)
    _check(file, inputs, config.head)
    actions, tokens = (1, config.head.chunk, config.head.numbers), config.tokens_per_image
    for name, (task, cameras) in cases.items():
        noise = torch.from_numpy(needed(file, inputs, f'noise_{name}', actions)).to(model.dtype)
        images = [needed(file, inputs, each, (None, None, 3)) for each in cameras]
        state = needed(file, inputs, f'state_{name}', (config.proprio,))
        ids, keep = prompts(task), f'keep_image_{name}'
        given = Given(
            name=name,
            cameras=cameras,
            pixels=[_pixels(image, model) for image in images],
            ids=ids,
            padded=len(like.get(f'token_ids_{name}', ids)),
            padding=padding_token(read_json(folder / CONFIG)),
            absent=absent_cameras(read_json(folder / CONFIG), len(cameras)),
            state=scale(state).astype(np.float32),
            noise=noise,
            kept=rows_of(file, inputs, keep, tokens * len(cameras)) if keep in inputs else None,
        )
        result |= Case(model, given, inputs, like, restored).arrays()
    if PROBE in like:
        first = inputs[f'noise_{min(cases)}']
        result[PROBE] = restored(first[0, : len(like[PROBE])])
    return result


def _check(file: Path, inputs: Mapping[str, np.ndarray], head: SmolVLAConfig) -> None:
    """Check the arrays that are of no one case."""
    needed(file, inputs, 'timesteps', (None,))
    if TRAINED in inputs:
        needed(file, inputs, TRAINED, (1, head.chunk, head.numbers))


def padding_token(values: Mapping) -> int:
    """Give the token that the original pads prompts with; SmolLM2's where nothing is said."""
    tiny = take(values, '_tiny', Object(), {})
    text = take(tiny, 'text_config', Object(), {}, '_tiny')
    return take(text, 'pad_token_id', Whole(0, 2**21), 2, '_tiny.text_config')


def _cases(folder: Path) -> dict[str, tuple[str, Sequence[str]]]:
    file = folder / CASES
    values = read_json(file)
    if not values:
        raise FixtureError(f'{file} has no case')
    with named(file):
        return {
            name: (
                Word().read(each.get('task'), f'{name}.task'),
                Several(Word(), 1).read(each.get('cameras'), f'{name}.cameras'),
            )
            for name, each in ((name, Object().read(values[name], name)) for name in values)
        }


def _pixels(image: np.ndarray, model: SmolVLA) -> torch.Tensor:
    """Give [1, 3, H, W] without rounding to whole grey levels, which no array of theirs has."""
    size = model.config.image_size
    fitted = padded_linear(image.astype(np.float32) / 255, size, centred=False)
    return torch.from_numpy(fitted * 2 - 1).permute(2, 0, 1)[None].to(model.dtype)
