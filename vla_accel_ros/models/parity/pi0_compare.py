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

"""pi0 and pi0.5 against the original's numbers, array by array."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
import re

import numpy as np

from vla_accel_ros.models.parity.comparison import (
    Comparison,
    answers_of,
    compare_all,
    needed,
    read_arrays,
    rows_of,
)
from vla_accel_ros.models.parity.rounding import decide

INPUTS, OUTPUTS = 'inputs.npz', 'outputs.npz'
# How a fixture thins out the visual tokens of a case.
THINNED = 16
# Largest absolute difference by array; the others are to be identical.
TOLERANCES = (
    (r'siglip_hidden_.*|siglip_last_.*|image_embs_.*|resize_torch_.*', 1e-5),
    (r'siglip_attn_received_.*|attn_.*', 1e-5),
    (r'prefix_hidden_.*|prefix_kv_.*|text_embs_.*|.*_last_hidden_.*', 1e-4),
    (r'time_embedding_.*|adarms_cond_.*|suffix_embs_.*|suffix_hidden_.*', 1e-4),
    (r'velocity_.*|.*_velocity_.*|euler_[xv]_.*|joint_loss_.*', 1e-4),
    (r'actions_.*|pruned_.*_actions_.*', 1e-4),
    (r'state_norm_.*|state_model_.*|norm_.*|unnorm_.*', 1e-6),
    (r'lerobot\..*', 1e-5),
    (r'euler_t_.*', 1e-9),
)


def tolerance_of(name: str, theirs: np.ndarray | None = None) -> float:
    """Give the tolerance of an array, 0 where nothing else is said."""
    return next((t for pattern, t in TOLERANCES if re.fullmatch(pattern, name)), 0.0)


def thinned(tokens: int, stored: np.ndarray | None) -> int:
    """Say of how many visual tokens a fixture stores one: all of them, or every `THINNED`th."""
    whole = stored is None or stored.ndim < 2 or stored.shape[1] == tokens
    return 1 if whole else THINNED


def verify(folder: str | Path) -> list[Comparison]:
    """Run a fixture folder through this package, in float32 on the CPU.

    Args:
        folder: A checkpoint of pi0 or pi0.5 with `inputs.json`, `inputs.npz` and `outputs.npz`,
            and `lerobot_processor.npz` if there.

    Returns:
        One comparison an array.

    Raises:
        CheckpointError: When the checkpoint does not load.
        FixtureError: When a file is missing or not of the form expected.
    """
    import torch

    folder = Path(folder)
    inputs, stored = read_arrays(folder / INPUTS), read_arrays(folder / OUTPUTS)
    ours, theirs = _outputs(folder, inputs, stored, torch.float32)
    stored = {**stored, **theirs}

    def exact(doubtful: Iterable[str]) -> Mapping[str, np.ndarray]:
        return _outputs(folder, inputs, stored, torch.float64)[0]

    # A fixture may hold a part of what is computed; nothing that it holds is left out.
    ours = {name: value for name, value in ours.items() if name in stored}
    return decide(compare_all(ours, stored, tolerance_of), ours, exact)


def _outputs(
    folder: Path, inputs: dict[str, np.ndarray], stored: Mapping[str, np.ndarray], dtype
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Give our arrays, and theirs that stand in another file."""
    import torch

    from vla_accel_ros.models.checkpoints.folder import load
    from vla_accel_ros.models.parity import pi0_reference as reference
    from vla_accel_ros.models.parity.pi0_inputs import Before, cases_of, original, processors
    from vla_accel_ros.models.parity.pi0_pruned import pruned
    from vla_accel_ros.models.parity.pi0_suffix import suffix
    from vla_accel_ros.models.preprocess import with_cameras

    config, file = original(folder), folder / INPUTS
    before, cases = Before(folder, config, inputs), cases_of(folder, inputs)
    answers_of(folder / OUTPUTS, stored, (f'actions_{case.name}' for case in cases))
    actions = (1, config.head.chunk, config.head.numbers)
    times = needed(file, inputs, 'timesteps', (None,))
    found: dict[str, np.ndarray] = before.shared(stored)
    models = {}

    def model_of(count: int):
        if count not in models:
            models[count] = load(folder, 'cpu', dtype, config=with_cameras(config, count))
        return models[count]

    answers = {}
    with torch.inference_mode():
        for case in cases:
            name = case.name
            found |= before.arrays(case)
            pixels = found[f'pixels_u8_{name}']
            noise = needed(file, inputs, f'noise_{name}', actions)
            ready = reference.Pi0Case.make(case, model_of(int(case.mask.sum())), before, noise)
            every = thinned(config.tokens_per_image, stored.get(f'image_embs_{name}'))
            found[f'image_embs_{name}'] = reference.embedded_images(
                model_of(len(pixels)), pixels, every
            )
            found |= reference.whole(ready, times)
            answers[name] = found[f'actions_{name}']
            if f'siglip_last_{name}' in stored:
                found |= reference.towers(ready)
            if f'prefix_hidden_{name}' in stored or f'prefix_kv_{name}' in stored:
                found |= reference.traced(ready)
            if f'suffix_embs_{name}' in stored:
                found |= suffix(ready, times)
            if 'train_actions' in inputs and f'joint_velocity_{name}' in stored:
                found |= reference.joint(ready, needed(file, inputs, 'train_actions', actions))
            if f'keep_image_{name}' in inputs:
                count = len(pixels) * config.tokens_per_image
                found |= pruned(ready, rows_of(file, inputs, f'keep_image_{name}', count))
    found['actions_batch_' + ''.join(answers)] = np.stack(list(answers.values()))
    theirs_by_file = processors(folder, before, cases, answers)
    return found | theirs_by_file[0], theirs_by_file[1]
