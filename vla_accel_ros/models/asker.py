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

"""From an observation to what a head is asked: pixels, token ids and proprioception as tensors."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.engines import host
from vla_accel_ros.models.heads.interface import Ask
from vla_accel_ros.models.preprocess import Preprocessor, fit
from vla_accel_ros.models.proprio import Proprioception
from vla_accel_ros.models.tokenizer import PromptEncoder, check_length
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.motion import Motion
from vla_accel_ros.observations import Observation
from vla_accel_ros.pruning.interface import Scene


class Asker:
    """Bring observations where the model is, and to its type.

    Args:
        model: The model.
        encode: From an instruction to token ids.
        proprio: Scales proprioception; None where the checkpoint wants none.
    """

    def __init__(self, model: VLA, encode: PromptEncoder, proprio: Proprioception | None) -> None:
        self._model, self._proprio, self.encode = model, proprio, encode
        self._preprocess = Preprocessor(model.config)
        self._ids = lru_cache(maxsize=64)(encode)
        self._words = lru_cache(maxsize=64)(encode.words)

    def tokens_of(self, instruction: str, state: np.ndarray | None = None) -> list[int]:
        """Give the prompt of an instruction.

        Args:
            instruction: What to do.
            state: Normalised proprioception, where the prompt holds it; the middle if None.

        Raises:
            TokenizerError: When it has words that are not known, or is longer than the model was
                made for.
        """
        if self.encode.reads_state:
            # Not kept: it is another one at each step.
            words = self.encode(instruction, self._middle if state is None else state)
        else:
            words = list(self._ids(instruction))
        check_length(len(words), self._model.config)
        return words

    def __call__(
        self,
        observation: Observation,
        resized: bool = False,
        motion: Motion | None = None,
        draft: np.ndarray | None = None,
    ) -> Ask:
        """Give what a head is asked; see `Policy.predict`."""
        state = None if self._proprio is None else self._proprio(observation.proprio)
        words = torch.tensor([self.tokens_of(observation.instruction, state)])
        pixels, images = self._pixels(observation, resized)
        proprio = self._scaled(state)
        parts = [words, pixels] if proprio is None else [words, pixels, proprio]
        ids, pixels, *rest = host.bring(parts, self._model.device)
        scene = Scene(images, motion, observation.stamp_ns)
        said = self._words(observation.instruction)
        return Ask(pixels, ids, rest[0] if rest else None, scene, draft, said)

    @property
    def _middle(self) -> np.ndarray | None:
        return None if self._proprio is None else self._proprio(self._proprio.middle)

    def _pixels(
        self, observation: Observation, resized: bool
    ) -> tuple[Tensor, tuple[np.ndarray, ...]]:
        """Give pixel values on the host, and the images as the model sees them."""
        images = observation.images
        if not resized:
            images = tuple(fit(image, self._model.config) for image in images)
        pixels = torch.from_numpy(self._preprocess(images, resized=True))
        return pixels.to(self._model.dtype), images

    def _scaled(self, state: np.ndarray | None) -> Tensor | None:
        if state is None:
            return None
        # Never less than float32: a head that wants less rounds by itself.
        kind = torch.promote_types(self._model.dtype, torch.float32)
        return torch.from_numpy(state)[None].to(kind)
