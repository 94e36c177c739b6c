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
from vla_accel_ros.models.action_tokens import ActionTokens, select_statistics, to_si
from vla_accel_ros.models.proprio import Proprioception
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.sim.env import SavedState, TabletopEnv
from vla_accel_ros.sim.tasks import parse

Prompts = Callable[[str], list[int]]


@torch.no_grad()
def decode(model: VLA, pixels: Tensor, prompts: list[list[int]]) -> np.ndarray:
    """Decode greedily.

    Args:
        model: The model.
        pixels: [B, channels, H, W], normalised.
        prompts: One a row, BOS first; rows of equal length are run together.

    Returns:
        int64 [B, action dimensions], token ids.
    """
    config = model.config
    ids = np.zeros((len(prompts), config.action_dims), dtype=np.int64)
    visual = model.encode_images(pixels.to(model.device, model.dtype))
    for length in sorted({len(p) for p in prompts}):
        rows = [i for i, p in enumerate(prompts) if len(p) == length]
        words = torch.tensor([prompts[i] for i in rows], device=model.device)
        x = model.embed_prompt(words, visual[rows])
        cache = model.new_cache(x.shape[1] + config.action_dims, len(rows))
        logits = model.prefill(x, cache)
        for column in range(config.action_dims):
            token = logits[:, : config.tokenizer_vocab].argmax(-1)
            ids[rows, column] = token.cpu().numpy()
            if column + 1 < config.action_dims:
                at = torch.full((1, 1), x.shape[1] + column, device=model.device)
                logits = model.decode_one_token(token, at, cache)
    return ids


@torch.no_grad()
def regress(model: VLA, pixels: Tensor, prompts: list[list[int]], proprio: Tensor) -> np.ndarray:
    """Let a model that answers numbers in one pass answer chunks.

    Args:
        model: The model.
        pixels: [B, channels, H, W], normalised.
        prompts: One a row, BOS first; rows of equal length are run together.
        proprio: [B, proprio], normalised.

    Returns:
        float64 [B, chunk, action dimensions], normalised.
    """
    config = model.config
    numbers = np.zeros((len(prompts), config.head.chunk, config.action_dims))
    pixels = pixels.to(model.device, model.dtype)
    proprio = proprio.to(model.device, model.dtype)
    for length in sorted({len(p) for p in prompts}):
        rows = [i for i, p in enumerate(prompts) if len(p) == length]
        words = torch.tensor([prompts[i] for i in rows], device=model.device)
        said = model(pixels[rows], words, proprio[rows]).numbers
        numbers[rows] = said.double().cpu().numpy()
    return numbers


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
        model: The model, in evaluation mode, with its one set of statistics.
        prompts: From an instruction to its token ids.
        to_pixels: Maps views uint8 [B, cameras, H, W, 3] to normalised pixels.
        cameras: Names, in the model's order.
    """

    def __init__(
        self,
        model: VLA,
        prompts: Prompts,
        to_pixels: Callable[[np.ndarray], Tensor],
        cameras: tuple[str, ...],
    ) -> None:
        self._model, self._prompts, self._to_pixels = model, prompts, to_pixels
        key, self._stats = select_statistics(model.config.norm_stats, None)
        self._proprio = Proprioception(model.config, key) if model.config.proprio else None
        self._tokens = ActionTokens(model.config.tokenizer_vocab, model.config.bins)
        self.env = TabletopEnv(image_size=model.config.image_size, cameras=cameras)

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
            episode.plan = list(chunk)
        for episode in active:
            action = episode.plan.pop(0)
            self.env.restore_state(episode.state)
            self.env.advance(action if noise is None else noise(action))
            episode.state = self.env.save_state()
            episode.steps += 1
            held = episode.state.counters[1]
            episode.success = held >= 3
            episode.over = episode.success or episode.steps >= self.env.task.max_steps

    def _answer(
        self, episodes: list[RolloutEpisode], views: list[np.ndarray], proprio: list[np.ndarray]
    ) -> np.ndarray:
        """Return the actions float64 [episodes, chunk, 7] that the model gives."""
        if not episodes:
            return np.zeros((0, 1, END_EFFECTOR.width))
        prompts = [self._prompts(e.instruction) for e in episodes]
        pixels = self._to_pixels(np.stack(views))
        if self._model.config.head.in_tokens:
            normalised = self._tokens.decode(decode(self._model, pixels, prompts))[:, None]
        else:
            told = torch.from_numpy(np.stack([self._proprio(values) for values in proprio]))
            normalised = regress(self._model, pixels, prompts, told)
        return to_si(normalised, self._stats, self._model.config)

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
