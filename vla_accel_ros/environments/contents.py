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

"""What an environment of gymnasium shows of itself: views, an instruction, its step, success."""

from __future__ import annotations

import numpy as np

RENDER = 'render'
# What environments call the task in words: attributes, or methods without an argument.
INSTRUCTIONS = (
    'instruction',
    'language_instruction',
    'task_description',
    'get_language_instruction',
)
SUCCESS = ('success', 'is_success')


def plain(value) -> np.ndarray:
    """Return a number or an array without what simulators of many scenes at once put around it.

    That is a torch tensor, on whatever device, and a leading axis of one.
    """
    if hasattr(value, 'detach'):
        value = value.detach().cpu().numpy()
    array = np.asarray(value)
    return array[0] if array.ndim and array.shape[0] == 1 else array


def views_of(space, prefix: str = '') -> list[str]:
    """Return the keys of a space's uint8 [h, w, 3] images, nested ones with dots.

    Args:
        space: gymnasium.spaces.Space of the observation.
        prefix: Key of the space itself.
    """
    inner = getattr(space, 'spaces', None)
    if isinstance(inner, dict) or hasattr(inner, 'items'):
        return [
            key
            for name, part in inner.items()
            for key in views_of(part, f'{prefix}.{name}' if prefix else name)
        ]
    shape, kind = getattr(space, 'shape', None), getattr(space, 'dtype', None)
    if shape is not None and len(shape) == 4 and shape[0] == 1:
        shape = shape[1:]
    is_image = kind == np.uint8 and shape is not None and len(shape) == 3 and shape[2] == 3
    return [prefix] if is_image else []


def part_of(observation, key: str):
    """Return what an observation holds under a key with dots; all of it for an empty key.

    Raises:
        ValueError: When there is no such key; lists the ones there are.
    """
    for name in filter(None, key.split('.')):
        if not hasattr(observation, 'keys') or name not in observation:
            has = sorted(observation) if hasattr(observation, 'keys') else 'no keys'
            raise ValueError(f"the observation has no '{key}', it has: {has}")
        observation = observation[name]
    return observation


def image_of(value, key: str, least: int) -> np.ndarray:
    """Return a view after checking it.

    Args:
        value: What the environment gave.
        key: What it is called.
        least: Pixels that a side must have: what the policy sees of it.

    Raises:
        ValueError: When it is no uint8 [h, w, 3], or smaller than the policy's own pictures.
    """
    image = plain(value)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"'{key}' is {image.dtype} {list(image.shape)}, expected uint8 [h, w, 3]")
    if min(image.shape[:2]) < least:
        raise ValueError(
            f"'{key}' is {image.shape[1]} x {image.shape[0]} pixels, the policy sees {least}: "
            'have the environment draw larger ones (make: in --env-config), or say a smaller '
            '--image-size'
        )
    return image


def instruction_of(env, info: dict) -> str:
    """Return what an environment asks for in words, empty where it has none.

    Args:
        env: The environment, in an episode.
        info: What `reset` gave.
    """
    if isinstance(info.get('instruction'), str):
        return info['instruction']
    for name in INSTRUCTIONS:
        value = getattr(env.unwrapped, name, None)
        value = value() if callable(value) else value
        # Of several scenes at once, one each.
        if isinstance(value, (list, tuple)) and len(value) == 1:
            value = value[0]
        if isinstance(value, str) and value.strip():
            return value
    return ''


def step_of(env) -> float | None:
    """Return the seconds of a step, None where the environment does not say."""
    if seconds := getattr(env.unwrapped, 'control_dt', None):
        return float(seconds)
    rate = (env.metadata or {}).get('render_fps')
    return 1.0 / float(rate) if rate else None


def succeeded(reward: float, terminated: bool, info: dict) -> bool:
    """Return whether a step was a success.

    `info['success']` or `info['is_success']` says so; of an environment that has neither, an
    episode that ends by itself with a reward above 0 is one.
    """
    for name in SUCCESS:
        if name in info:
            return bool(plain(info[name]))
    return bool(plain(terminated) and plain(reward) > 0)
