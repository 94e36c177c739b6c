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

"""One client of `vla-accel serve`: from its observations to answers, with its own episode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.prediction import Prediction
from vla_accel_ros.motion import Motion
from vla_accel_ros.observations import Observation
from vla_accel_ros.remote.metadata import DELAY, DRAFT, MOTION, OWN, RESET, TAIL

CHANNELS = 3


class BadObservationError(ValueError):
    """An observation that the policy cannot answer; the client is told in one line."""


@dataclass(frozen=True)
class Keys:
    """What the parts of an observation are called.

    Attributes:
        views: Of the images, in the checkpoint's order.
        state: Of the proprioception; read where the checkpoint wants it.
        prompt: Of the instruction.
    """

    views: tuple[str, ...]
    state: str = 'observation/state'
    prompt: str = 'prompt'

    def __post_init__(self) -> None:
        names = [*self.views, self.state, self.prompt]
        if '' in names or len(set(names)) < len(names):
            raise ValueError(f'the keys of an observation are {names}, expected each name once')


class Session:
    """Answers one client.

    An episode begins with the connection, with another instruction, and where the observation
    says so. Pruning and drafts that look back see the client's own past only.

    Args:
        policy: A policy of the client's own, with its method.
        keys: What the parts of an observation are called.
        step_s: Seconds of a policy step, for how fast the arm moves.
    """

    def __init__(self, policy: Policy, keys: Keys, step_s: float) -> None:
        self._policy, self._keys, self._step_s = policy, keys, step_s
        self._instruction: str | None = None
        self._motion: Motion | None = None

    def answer(self, message: object) -> dict[str, Any]:
        """Answer an observation.

        Args:
            message: What came, unpacked.

        Returns:
            `actions` float64 [n, 7], `policy_timing` in ms, and how much was left out.

        Raises:
            BadObservationError: When the observation cannot be answered; the episode stays as it
                is, unless it was to begin anew.
            NotFiniteError: When the model gives NaN or infinity.
        """
        found = self._observation(message)
        assert isinstance(message, Mapping)
        width = self._policy.config.action_dims
        draft, tail = self._numbers(message, DRAFT, width), self._rows(message, TAIL, width)
        delay, told = self._whole(message, DELAY), self._told_motion(message)
        if self._flag(message, RESET) or found.instruction != self._instruction:
            self._policy.reset()
            self._motion = None
        self._instruction = None
        motion = told or self._motion
        try:
            prediction = self._policy.predict(
                found, motion=motion, draft=draft, tail=tail, delay=delay
            )
        except ValueError as error:
            # Of the instruction, the state or the images: the next one may be better.
            self._instruction = found.instruction
            raise BadObservationError(str(error)) from None
        self._instruction = found.instruction
        # Whoever asks again has carried out what was answered, unless it says otherwise.
        space = self._policy.space
        if space is not None:
            self._motion = Motion.from_action(prediction.chunk_values[-1], self._step_s, space)
        return _answer(prediction, self._policy)

    def _observation(self, message: object) -> Observation:
        if not isinstance(message, Mapping):
            raise BadObservationError(
                f'the observation is {type(message).__name__}, expected a map with '
                f'{", ".join([*self._keys.views, self._keys.prompt])}'
            )
        images = tuple(self._image(message, key) for key in self._keys.views)
        instruction = self._get(message, self._keys.prompt)
        instruction = instruction.item() if isinstance(instruction, np.generic) else instruction
        if not isinstance(instruction, str) or not instruction.strip():
            raise BadObservationError(
                f'{self._keys.prompt} is {instruction!r}, expected an instruction in words'
            )
        numbers = self._policy.config.proprio
        state = self._numbers(message, self._keys.state, numbers) if numbers else None
        if numbers and state is None:
            self._get(message, self._keys.state)
        return Observation(images, instruction, proprio=state)

    def _image(self, message: Mapping, key: str) -> np.ndarray:
        image = self._get(message, key)
        shape = list(np.shape(image))
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3:
            kind = image.dtype if isinstance(image, np.ndarray) else type(image).__name__
            raise BadObservationError(f'{key} is {kind} {shape}, expected uint8 [h, w, 3]')
        if image.shape[2] != CHANNELS and image.shape[0] == CHANNELS:
            image = image.transpose(1, 2, 0)
        if image.shape[2] != CHANNELS or 0 in image.shape:
            raise BadObservationError(f'{key} is uint8 {shape}, expected uint8 [h, w, 3]')
        return np.ascontiguousarray(image)

    def _told_motion(self, message: Mapping) -> Motion | None:
        told = self._numbers(message, MOTION, 7)
        if told is None:
            return None
        values = told.tolist()
        try:
            return Motion(tuple(values[:3]), tuple(values[3:6]), values[6])
        except ValueError as error:
            raise BadObservationError(f'{MOTION}: {error}') from None

    def _numbers(self, message: Mapping, key: str, count: int) -> np.ndarray | None:
        return None if message.get(key) is None else self._array(message, key, (count,))

    def _rows(self, message: Mapping, key: str, width: int) -> np.ndarray | None:
        return None if message.get(key) is None else self._array(message, key, (None, width))

    def _flag(self, message: Mapping, key: str) -> bool:
        value = message.get(key, False)
        if value is not None and not isinstance(value, bool | np.bool_ | int | np.integer):
            raise BadObservationError(f'{key} is {type(value).__name__}, expected true or false')
        return bool(value)

    def _whole(self, message: Mapping, key: str) -> int:
        value = message.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
            raise BadObservationError(f'{key} is {value!r}, expected a whole number of 0 or more')
        return int(value)

    def _array(self, message: Mapping, key: str, shape: tuple[int | None, ...]) -> np.ndarray:
        try:
            values = np.array(message[key], dtype=np.float64)
        except (TypeError, ValueError):
            raise BadObservationError(f'{key} is no array of numbers') from None
        fits = len(values.shape) == len(shape) and all(
            has and size in (None, has) for has, size in zip(values.shape, shape, strict=True)
        )
        if not fits:
            words = ', '.join('n' if size is None else str(size) for size in shape)
            raise BadObservationError(
                f'{key} has the shape {list(values.shape)}, expected [{words}]'
            )
        if not np.isfinite(values).all():
            raise BadObservationError(f'{key} is {values.tolist()}, expected finite numbers')
        return values

    def _get(self, message: Mapping, key: str) -> Any:
        if key not in message:
            names = ', '.join(sorted(map(str, message))) or 'nothing'
            raise BadObservationError(f"the observation has no '{key}' but {names}")
        return message[key]


def _answer(prediction: Prediction, policy: Policy) -> dict[str, Any]:
    stages = {f'{stage}_ms': took for stage, took in prediction.timings_ms.items()}
    return {
        # Some clients write into what they get.
        'actions': np.array(prediction.chunk_values),
        'policy_timing': {'infer_ms': prediction.timings_ms['total'], **stages},
        OWN: {
            'visual_tokens': policy.config.visual_tokens,
            'kept_tokens': prediction.kept,
            'pruning': prediction.pruning,
            'passes': prediction.passes,
            'accepted': prediction.accepted,
        },
    }
