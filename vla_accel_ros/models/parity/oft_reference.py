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

"""Everything that a reference fixture stores of OpenVLA-OFT, computed by this package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
import re

import numpy as np
import torch

from vla_accel_ros.models.action_tokens import ActionStatistics, ActionTokens
from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.checkpoints.folder import load
from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.oft.config import DISCRETE, L1, OFTConfig
from vla_accel_ros.models.families.oft.family import OFTFamily
from vla_accel_ros.models.families.oft.model import OpenVLAOFT
from vla_accel_ros.models.families.oft.side_files import HEAD, KINDS, PROPRIO, VISION, find
from vla_accel_ros.models.parity.reference import image_numbers
from vla_accel_ros.models.preprocess import Preprocessor
from vla_accel_ros.models.proprio import Proprioception
from vla_accel_ros.models.tokenizer import end_prompt

ARRAY = re.compile(r'(film_)?(l1|discrete)_(actions|hidden)(\d+)')
PROPRIO_ARRAY = 'proprio_normalised'
_NAMES = {
    HEAD: 'oft_action_head',
    PROPRIO: 'oft_proprio_projector',
    VISION: 'oft_film_vision_backbone',
}


def fixture_sides(folder: Path) -> dict[str, Path]:
    """Find a fixture's side files, by its own names or by the public ones."""
    own = {kind: folder / f'{_NAMES[kind]}.safetensors' for kind in KINDS}
    return find(folder) | {kind: file for kind, file in own.items() if file.exists()}


def fitting_key(config: VLAConfig) -> str:
    """Give the data set whose statistics fit the model, a LIBERO one if there are several.

    Raises:
        ValueError: When none or several do.
    """

    def columns(key: str, what: str) -> int:
        return len(config.norm_stats[key].get(what, {}).get('q01', ()))

    keys = [
        key
        for key in config.norm_stats
        if columns(key, 'action') == config.action_dims
        and config.proprio in (0, columns(key, 'proprio'))
    ]
    if len(keys) > 1:
        keys = [key for key in keys if 'libero' in key] or keys
    if len(keys) != 1:
        raise ValueError(
            f'{keys or "none"} of the data sets {sorted(config.norm_stats)} fit '
            f'{config.action_dims} action and {config.proprio} proprioception columns, '
            'expected one'
        )
    return keys[0]


class OFTReference:
    """The fixture's models, each built from the files that it needs.

    Args:
        folder: The fixture.
        like: `oft_outputs.npz`; names and shapes say what to compute.
        dtype: To compute in.

    Raises:
        CheckpointError: When a file is missing or does not fit.
    """

    def __init__(
        self, folder: Path, like: Mapping[str, np.ndarray], dtype: torch.dtype = torch.float32
    ) -> None:
        self._folder, self._dtype = folder, dtype
        self._sides = fixture_sides(folder)
        if HEAD not in self._sides:
            raise CheckpointError(
                f'{folder} holds neither {_NAMES[HEAD]}.safetensors nor {HEAD}--N_checkpoint.pt'
            )
        plain = {kind: file for kind, file in self._sides.items() if kind != VISION}
        config = read_config(folder, OFTFamily(lambda _: plain))
        self.config = replace(
            config,
            centre_crop=None,
            head=replace(config.head, chunk=_chunk(like, config.action_dims, config.head)),
        )
        self.key = fitting_key(self.config)

    def model(self, film: bool, head: str) -> OpenVLAOFT:
        """Load the model with or without FiLM and with one of the heads.

        The original's discrete policy takes no proprioception.
        """
        oft = self.config.head
        kinds = (HEAD, PROPRIO) if head == L1 else ()
        if head == DISCRETE:
            oft = replace(oft, head=DISCRETE, proprio=0)
        if film and VISION not in self._sides:
            raise CheckpointError(
                f'{self._folder} holds neither {_NAMES[VISION]}.safetensors nor '
                f'{VISION}--N_checkpoint.pt'
            )
        sides = {
            kind: file
            for kind, file in self._sides.items()
            if kind in kinds or (film and kind == VISION)
        }
        return load(
            self._folder,
            'cpu',
            self._dtype,
            config=replace(self.config, head=oft, film=film),
            family=OFTFamily(lambda _: sides),
        )

    @torch.inference_mode()
    def outputs(
        self, inputs: Mapping[str, np.ndarray], like: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Compute what `oft_outputs.npz` holds.

        Args:
            inputs: `inputs.npz`; of its images the first ones are the views.
            like: The stored arrays; only names, shapes and the proprioception are taken.

        Raises:
            ValueError: When an image or a prompt is not there.
        """
        numbers = image_numbers(inputs)[: self.config.cameras]
        pixels = torch.from_numpy(
            Preprocessor(self.config)([inputs[f'image{k}'] for k in numbers])
        ).to(self._dtype)
        result: dict[str, np.ndarray] = {}
        proprio = None
        if PROPRIO_ARRAY in like and self.config.proprio:
            proprio = torch.from_numpy(like[PROPRIO_ARRAY]).to(self._dtype)[None]
            result[PROPRIO_ARRAY] = self._there_and_back(like[PROPRIO_ARRAY])
        wanted = sorted({m.group(1, 2, 4) for m in map(ARRAY.fullmatch, like) if m}, key=str)
        models: dict[tuple, OpenVLAOFT] = {}
        for film, head, k in wanted:
            if (film, head) not in models:
                models[film, head] = self.model(bool(film), head)
            if f'input_ids{k}' not in inputs:
                raise ValueError(f'inputs.npz has no input_ids{k}')
            ids = torch.tensor(
                [end_prompt(inputs[f'input_ids{k}'][0].tolist(), self.config.prompt_end)]
            )
            found = models[film, head](pixels, ids, proprio if head == L1 else None)
            arrays = {'actions': self._actions(found.numbers[0], head), 'hidden': found.hidden}
            for what, value in arrays.items():
                name = f'{film or ""}{head}_{what}{k}'
                if name in like:
                    result[name] = np.asarray(value)
        return result

    def _actions(self, numbers: torch.Tensor, head: str) -> np.ndarray:
        config = self.config
        statistics = ActionStatistics.from_dict(config.norm_stats[self.key]['action'])
        values = numbers.numpy()
        if head == DISCRETE:
            tokens = ActionTokens(config.tokenizer_vocab, config.bins)
            values = tokens.decode(values.argmax(-1)).reshape(-1, config.action_dims)
        return statistics.unnormalise(values, config.head.span_added)

    def _there_and_back(self, normalised: np.ndarray) -> np.ndarray:
        """Bring normalised proprioception to the robot's units and scale it again."""
        statistics = ActionStatistics.from_dict(self.config.norm_stats[self.key]['proprio'])
        scale = Proprioception(self.config, self.key)
        return scale(statistics.unnormalise(normalised, self.config.head.span_added))


def _chunk(like: Mapping[str, np.ndarray], dims: int, oft: OFTConfig) -> int:
    """Give the chunk's length that the stored shapes tell."""
    for name, array in like.items():
        match = ARRAY.fullmatch(name)
        if match and match[3] == 'actions' and array.ndim == 2:
            return len(array)
        if match and match[3] == 'hidden' and array.ndim == 3:
            return array.shape[1] // dims
    return oft.chunk
