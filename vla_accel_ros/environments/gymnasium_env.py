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

"""Any environment of gymnasium with images and an arm's seven columns: `module:EnvId`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.environments import contents
from vla_accel_ros.environments.gymnasium_make import bounds, make
from vla_accel_ros.environments.interface import Outcome, View
from vla_accel_ros.environments.mapping import ActionMapping
from vla_accel_ros.environments.settings import Settings

DEFAULT_STEPS = 1000


class GymnasiumEnvironment:
    """See `interface.Environment`; wraps what `gymnasium.make` gave.

    Args:
        name: `module:EnvId`, or the id of one that is registered already.
        settings: How it is used; `step_s` is not None.
        cameras: Keys of its views, see `Settings.images`.
        usual_task: What it asks for, as far as was seen.
        image_size: Least pixels of a side of its views.
        max_steps: Steps after which an episode is cut off; as in `Settings` where None.

    Raises:
        ValueError: When there is no such environment, or it does not fit.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        cameras: tuple[str, ...],
        usual_task: str,
        image_size: int,
        max_steps: int | None = None,
    ) -> None:
        self.name, self.cameras, self._settings = name, cameras, settings
        self._usual_task = usual_task
        self._size = image_size
        self.env = make(name, settings)
        self._mapping = settings.actions or ActionMapping()
        self._low, self._high = bounds(self.env, self._mapping, name)
        self.step_s = settings.step_s
        registered = self.env.spec.max_episode_steps if self.env.spec else None
        self._max_steps = max_steps or settings.max_steps or registered or DEFAULT_STEPS
        self._observation, self._steps = None, 0

    def reset(self, seed: int, instruction: str) -> None:
        """Begin an episode, and let it settle.

        Raises:
            ValueError: When the environment asks for something else than the policy is told.
        """
        option = self._settings.task_option
        options = {option: instruction} if option else None
        self._observation, info = self.env.reset(seed=seed, options=options)
        # Other words for the task that it always has are the user's affair, another task is not.
        own = '' if self._settings.instruction else contents.instruction_of(self.env, info)
        if own not in ('', self._usual_task, instruction):
            raise ValueError(
                f"{self.name} asks '{own}' with seed {seed}, the policy is told "
                f"'{instruction}': name the option of reset that sets it (task_option in "
                '--env-config)'
            )
        for _ in range(self._settings.settle_steps):
            self._advance(np.zeros(END_EFFECTOR.width))
        self._steps = 0

    def observe(self) -> View:
        """Return the views of this instant.

        Raises:
            ValueError: When there is no such image, or it is too small.
        """
        images = tuple(self._view(key) for key in self.cameras)
        parts = [contents.part_of(self._observation, key) for key in self._settings.proprio]
        return View(
            images,
            np.concatenate([np.ravel(contents.plain(part)) for part in parts]) if parts else None,
        )

    def _view(self, key: str) -> np.ndarray:
        if key == contents.RENDER:
            value = self.env.render()
        else:
            value = contents.part_of(self._observation, key)
        image = contents.image_of(value, key or 'the observation', self._size)
        return np.ascontiguousarray(image[::-1, ::-1]) if self._settings.rotate else image

    def step(self, action: np.ndarray) -> Outcome:
        """Let one step go by under an action, float64 [7], cut to the space's bounds."""
        success, over = self._advance(action)
        self._steps += 1
        return Outcome(success or over or self._steps >= self._max_steps, success)

    def _advance(self, action: np.ndarray) -> tuple[bool, bool]:
        told = np.clip(self._mapping.to_environment(action), self._low, self._high)
        told = told.astype(self.env.action_space.dtype)
        self._observation, reward, terminated, truncated, info = self.env.step(told)
        return contents.succeeded(reward, terminated, info), bool(
            contents.plain(terminated) or contents.plain(truncated)
        )

    def tool_position(self) -> None:
        """Return nothing: where the tool is, environments say in ways of their own."""

    def limits(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the smallest and the largest action, float64 [7] each."""
        return self._mapping.limits(self._low, self._high)

    def picture(self) -> np.ndarray:
        """Return what `render` shows, uint8 [h, w, 3], else the first view."""
        shown = self.env.render() if self.env.render_mode == 'rgb_array' else None
        return self._view(self.cameras[0]) if shown is None else contents.plain(shown)

    def close(self) -> None:
        """Close the environment."""
        self.env.close()


@dataclass(frozen=True)
class GymnasiumKind:
    """See `interface.EnvironmentKind`.

    Attributes:
        name: `module:EnvId`, or the id of one that is registered already.
        cameras: Keys of the views.
        default_task: What the environment asks for; empty where it does not say.
        settings: How it is used.
    """

    name: str
    cameras: tuple[str, ...]
    default_task: str
    settings: Settings

    @classmethod
    def find(cls, name: str, settings: Settings) -> GymnasiumKind:
        """Build the environment once, to find out what is not said.

        Raises:
            ValueError: When there is no such environment, its actions are others, it has no
                image, or does not say how long a step is.
        """
        env = make(name, settings)
        try:
            bounds(env, settings.actions or ActionMapping(), name)
            cameras = settings.images or tuple(contents.views_of(env.observation_space))
            if not cameras:
                raise ValueError(
                    f'{name} shows no uint8 [h, w, 3] image: name its keys (images in '
                    f"--env-config; '{contents.RENDER}' is the picture of render())"
                )
            step_s = settings.step_s or contents.step_of(env)
            if step_s is None:
                raise ValueError(f'{name} does not say how long a step is: step_s in --env-config')
            task = settings.instruction
            if not task:
                task = contents.instruction_of(env, env.reset(seed=0)[1])
        finally:
            env.close()
        return cls(name, cameras, task, replace(settings, step_s=step_s))

    def instructions(self, task: str) -> tuple[str, ...]:
        """Return the words as they are.

        Raises:
            ValueError: When there are none.
        """
        if not task.strip():
            raise ValueError(
                f'{self.name} has no instruction: give one by --task, or instruction in '
                '--env-config'
            )
        return (task.strip(),)

    def kind_of(self, instruction: str) -> str:
        """Return the instruction: nothing is known of kinds."""
        return instruction

    def make(self, image_size: int, max_steps: int | None) -> GymnasiumEnvironment:
        """Build it."""
        return GymnasiumEnvironment(
            self.name, self.settings, self.cameras, self.default_task, image_size, max_steps
        )
