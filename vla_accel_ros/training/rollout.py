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

"""Many episodes at once with one model, for checks while training and for DAgger.

One simulation is enough: each episode is a saved state that takes its turn, and the model
answers all of them as one batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.models.action_tokens import select_statistics, to_si
from vla_accel_ros.models.action_units import in_si
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.proprio import Proprioception
from vla_accel_ros.sim.env import HOLD_STEPS, SavedState, TabletopEnv
from vla_accel_ros.sim.tasks import parse
from vla_accel_ros.training.answers import Answers

Prompts = Callable[[str], list[int]]


@dataclass
class RolloutEpisode:
    """One episode under way.

    Attributes:
        seed: Of its start.
        instruction: What is asked.
        state: Where it is.
        steps: Taken so far.
        success: Whether it has succeeded.
        over: Whether it has ended.
        plan: Actions float64 [7] that were answered and not yet carried out.
    """

    seed: int
    instruction: str
    state: SavedState
    steps: int = 0
    success: bool = False
    over: bool = False
    plan: list[np.ndarray] = field(default_factory=list)


class Rollout:
    """The model in the closed loop.

    Args:
        config: The model's, with its one set of statistics.
        answers: The model.
        prompts: From an instruction to its token ids.
        to_pixels: Maps views uint8 [B, cameras, H, W, 3] to normalised pixels.
        cameras: Names, in the model's order.
        rows: Actions of a chunk that are carried out before the model is asked again; all if
            None.
    """

    def __init__(
        self,
        config: VLAConfig,
        answers: Answers,
        prompts: Prompts,
        to_pixels: Callable[[np.ndarray], Tensor],
        cameras: tuple[str, ...],
        rows: int | None = None,
    ) -> None:
        self._config, self._answers, self._rows = config, answers, rows
        self._prompts, self._to_pixels = prompts, to_pixels
        key, statistics = select_statistics(config.norm_stats, None)
        self._stats = in_si(key, statistics)
        self._proprio = Proprioception(config, key) if config.proprio else None
        self.env = TabletopEnv(image_size=config.image_size, cameras=cameras)

    def close(self) -> None:
        """Free the renderers."""
        self.env.close()

    def start(self, seed: int, instruction: str) -> RolloutEpisode:
        """Begin an episode."""
        self.env.reset(seed=seed, options={'task': instruction})
        return RolloutEpisode(seed, instruction, self.env.save_state())

    def advance(
        self,
        episodes: list[RolloutEpisode],
        visit: Callable[[TabletopEnv, RolloutEpisode], None] | None = None,
        noise: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        """Let the model act once in every episode that is not over; chunks to their ends.

        Args:
            episodes: Changed in place.
            visit: Called at every instant before the model acts.
            noise: Disturbs the actions [7].
        """
        active = [e for e in episodes if not e.over]
        views, proprio = [], []
        for episode in active:
            self.env.restore_state(episode.state)
            if visit is not None:
                visit(self.env, episode)
            if not episode.plan:
                views.append(np.stack([self.env.render_camera(n) for n in self.env.cameras]))
                proprio.append(self.env.proprio())
        waiting = [e for e in active if not e.plan]
        for episode, chunk in zip(waiting, self._answer(waiting, views, proprio), strict=True):
            episode.plan = list(chunk[: self._rows])
        for episode in active:
            action = episode.plan.pop(0)
            self.env.restore_state(episode.state)
            self.env.advance(action if noise is None else noise(action))
            episode.state = self.env.save_state()
            episode.steps += 1
            _, held = episode.state.counters
            episode.success = held >= HOLD_STEPS
            episode.over = episode.success or episode.steps >= self.env.task.max_steps

    def _answer(
        self, episodes: list[RolloutEpisode], views: list[np.ndarray], proprio: list[np.ndarray]
    ) -> np.ndarray:
        """Return the actions float64 [episodes, chunk, 7] that the model gives."""
        if not episodes:
            return np.zeros((0, 1, END_EFFECTOR.width))
        prompts = [self._prompts(e.instruction) for e in episodes]
        told = None
        if self._proprio is not None:
            told = torch.from_numpy(np.stack([self._proprio(values) for values in proprio]))
        pixels = self._to_pixels(np.stack(views))
        normalised = self._answers(pixels, prompts, told)
        return to_si(normalised, self._stats, self._config)

    def check(self, seeds: range, instructions: tuple[str, ...]) -> list[RolloutEpisode]:
        """Run one episode a seed to its end, instructions in turn."""
        episodes = [
            self.start(seed, instructions[i % len(instructions)]) for i, seed in enumerate(seeds)
        ]
        while not all(e.over for e in episodes):
            self.advance(episodes)
        return episodes


def success_by_kind(episodes: list[RolloutEpisode]) -> dict[str, float]:
    """Return the share that succeeded, of each kind of task too, and the mean steps of those."""
    kinds: dict[str, list[bool]] = {}
    for episode in episodes:
        kinds.setdefault(parse(episode.instruction).kind, []).append(episode.success)
    won = [e.steps for e in episodes if e.success]
    each = {kind: float(np.mean(parts)) for kind, parts in kinds.items()}
    steps = {'steps': float(np.mean(won))} if won else {}
    return {'success': len(won) / len(episodes), **(each if len(each) > 1 else {}), **steps}
