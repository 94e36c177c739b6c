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

"""What a fixture of pi0 or pi0.5 is made from, and what comes before the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vla_accel_ros.files.kinds import FieldError, Maybe, Number, Object, Several, Word, take
from vla_accel_ros.inputs.padding import padded_linear, padded_view
from vla_accel_ros.layers.flow_names import ADDED
from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.checkpoints.file_names import CONFIG
from vla_accel_ros.models.checkpoints.json_file import named, read_json
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.pi0 import checkpoint
from vla_accel_ros.models.families.pi0.config import PLAIN, STATE
from vla_accel_ros.models.families.pi0.prompts import Pi0Prompts, bins_of
from vla_accel_ros.models.heads.flow_numbers import state_line
from vla_accel_ros.models.normalisation import (
    LEROBOT_ADDED,
    MEAN_STD,
    OPENPI_ADDED,
    QUANTILES,
    Line,
    line_of,
    padded,
)
from vla_accel_ros.models.parity.comparison import FixtureError, needed, read_arrays
from vla_accel_ros.models.tokenizer_file import load_text_encoder

INPUTS, ARRAYS = 'inputs.json', 'inputs.npz'


@dataclass(frozen=True)
class Case:
    """One case of a fixture.

    Attributes:
        name: Behind the names of its arrays.
        prompt: The instruction.
        images: Of each place the name of an image, None where there is no camera.
        state: The robot's, as it is.
    """

    name: str
    prompt: str
    images: tuple[str | None, ...]
    state: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """Which places have a camera, bool [places]."""
        return np.array([image is not None for image in self.images])


def original(folder: Path) -> VLAConfig:
    """Read a fixture's configuration as openpi runs it, not as LeRobot does."""
    config = read_config(folder)
    head = replace(
        config.head,
        times=ADDED,
        clean=True,
        prompt_numbers=0,
        state_added=OPENPI_ADDED,
        action_added=OPENPI_ADDED,
    )
    return replace(config, head=head, resize='pad')


def cases_of(folder: Path, inputs: Mapping[str, np.ndarray]) -> list[Case]:
    """Read the cases.

    Raises:
        CheckpointError: When the file is not of the form expected.
        FixtureError: When it has no case, or names an image that is not there.
    """
    file = folder / INPUTS
    values, found = read_json(file), []
    with named(file):
        for name, entry in values.items():
            entry = Object().read(entry, name)
            images = take(entry, 'cameras', Several(Maybe(Word()), 1, 16), None, name)
            state = take(entry, 'state', Several(Number(), 1, 256), None, name)
            prompt = take(entry, 'prompt', Word(), None, name)
            if None in (images, state, prompt):
                raise FieldError(f'{name} lacks prompt, cameras or state')
            found.append(Case(name, prompt, tuple(images), np.array(state, np.float64)))
    if not found:
        raise FixtureError(f'{file} has no case')
    for case in found:
        for image in filter(None, case.images):
            needed(folder / ARRAYS, inputs, image, (None, None, 3))
    return found


class Before:
    """Images, prompts and numbers of a fixture.

    Args:
        folder: The fixture's.
        config: From `original`.
        inputs: `inputs.npz`.

    Raises:
        FixtureError: When the folder has not the statistics of one data set.
    """

    def __init__(self, folder: Path, config: VLAConfig, inputs: Mapping[str, np.ndarray]) -> None:
        self._config, self._inputs = config, inputs
        # pi0.5 pads its state, too, and reads it nowhere.
        self._state_columns = checkpoint.state_columns(read_json(folder / CONFIG))
        encode = load_text_encoder(folder, config.decoder.vocab, '<bos>')
        self._prompts = {
            form: Pi0Prompts(encode, replace(config.head, prompt=form, proprio=1))
            for form in (PLAIN, STATE)
        }
        if len(config.norm_stats) != 1:
            raise FixtureError(
                f'{folder} has statistics of {len(config.norm_stats)} data sets, expected one'
            )
        (self.key,) = config.norm_stats
        self.entry = config.norm_stats[self.key]

    def images(self, case: Case) -> tuple[np.ndarray, ...]:
        """Give the images uint8 [size, size, 3] of the cameras that there are."""
        size = self._config.image_size
        return tuple(
            padded_view(self._inputs[image], size, 'pad') for image in case.images if image
        )

    def state(self, case: Case) -> np.ndarray:
        """Give the normalised state."""
        return state_line(self._config, self.key).normalise(case.state)

    def ids(self, case: Case) -> list[int]:
        """Give the prompt that the network sees."""
        form = self._config.head.prompt
        ids = self._prompts[form].ids(case.prompt, self.state(case) if form == STATE else None)
        return ids[: self._config.head.prompt_length]

    def arrays(self, case: Case) -> dict[str, np.ndarray]:
        """Give what a fixture stores of a case before the network."""
        head, size, name = self._config.head, self._config.image_size, case.name
        pixels = np.zeros((len(case.images), size, size, 3), np.uint8)
        pixels[case.mask] = np.stack(self.images(case))
        ids, longest = self.ids(case), head.prompt_length
        tokens, valid = np.zeros(longest, np.int64), np.arange(longest) < len(ids)
        tokens[: len(ids)] = ids
        mask = np.concatenate([case.mask.repeat(self._config.tokens_per_image), valid])
        state = self.state(case)
        found = {
            'pixels_u8': pixels,
            'image_mask': case.mask,
            'token_ids': tokens,
            'token_mask': valid,
            'state_norm': state,
            'state_model': padded(state, head.state or self._state_columns).astype(np.float32),
            'prefix_pad_mask': mask,
            'prefix_att_mask': np.zeros(len(mask), bool),
            'state_bins': bins_of(state),
            'prompt_plain_ids': np.array(self._prompts[PLAIN].ids(case.prompt)[:longest]),
            'prompt_state_ids': np.array(self._prompts[STATE].ids(case.prompt, state)[:longest]),
        }
        return {f'{key}_{name}': value for key, value in found.items()}

    def line(self, part: str, mode: str, added: float = OPENPI_ADDED, least: float = 0.0) -> Line:
        """Read the statistics of `action` or `proprio`."""
        return line_of(self.entry[part], mode, added, least, part)

    def shared(self, stored: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Give what a fixture stores of resizing and normalisation apart from its cases."""
        size, found = self._config.image_size, {}
        for name in stored:
            image = self._inputs.get(name.rpartition('_')[2])
            if name.startswith('resize_pil_') and image is not None:
                found[name] = padded_view(image, size, 'pad')
            elif name.startswith('resize_torch_') and image is not None:
                signed = image.astype(np.float32) / 255 * 2 - 1
                found[name] = padded_linear(signed, size, border=-1.0)
        probe = self._inputs.get('norm_probe_actions')
        if probe is not None:
            for word, mode in (('meanstd', MEAN_STD), ('quantile', QUANTILES)):
                line = self.line('action', mode)
                found[f'norm_{word}_probe'] = line.normalise(probe)
                found[f'unnorm_{word}_probe'] = line.unnormalise(probe)
        return found


def processors(
    folder: Path, before: Before, cases: list[Case], actions: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Give what LeRobot's processors make of states and actions, ours and theirs.

    Args:
        folder: The fixture's.
        before: Its numbers.
        cases: Its cases.
        actions: By case [n, numbers], normalised.
    """
    file = folder / 'lerobot_processor.npz'
    if not file.exists():
        return {}, {}
    ours = {}
    for case in cases:
        for word, mode in (('meanstd', MEAN_STD), ('quantile', QUANTILES)):
            added = LEROBOT_ADDED if mode == MEAN_STD else 0.0
            state = before.line('proprio', mode, added, LEROBOT_ADDED).normalise(case.state)
            line = before.line('action', mode, 0.0, LEROBOT_ADDED)
            values = line.unnormalise(actions[case.name][:, : len(line.low)].astype(np.float64))
            ours[f'state_norm_{word}_{case.name}'] = state.astype(np.float32)
            ours[f'actions_unnormalised_{word}_{case.name}'] = values.astype(np.float32)
    theirs = read_arrays(file)
    return (
        {f'lerobot.{name}': value for name, value in ours.items()},
        {f'lerobot.{name}': value for name, value in theirs.items()},
    )
