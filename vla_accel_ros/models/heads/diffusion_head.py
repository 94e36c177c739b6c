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

"""CogACT's head: a chunk of actions, denoised from one feature of the language model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.engines import host
from vla_accel_ros.engines.interface import call
from vla_accel_ros.engines.programs.diffusion import Condition, Denoise
from vla_accel_ros.models.action_tokens import ActionStatistics
from vla_accel_ros.models.heads.diffusion import Walk
from vla_accel_ros.models.heads.interface import ActionHead, Ask, HeadAnswer, NewCache
from vla_accel_ros.models.heads.prefix import run_prefix
from vla_accel_ros.models.heads.reading import read_numbers
from vla_accel_ros.models.inference import Watch
from vla_accel_ros.models.layout import layout_of
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.pruning.base import Pruner
from vla_accel_ros.pruning.registry import create

# The normalised gripper from which on it is 1.
GRIPPER_AT = 0.5


@dataclass(frozen=True, eq=False)
class Step:
    """What one step of denoising gave; [B, chunk, dims] each.

    Attributes:
        x: The chunk with less noise.
        clean: The chunk without any, as far as this step can tell.
        noise: What was predicted.
    """

    x: Tensor
    clean: Tensor
    noise: Tensor


class DiffusionHead(ActionHead):
    """See `ActionHead`.

    Each answer begins from noise of its own. `reset` begins the same sequence of noise anew, so
    that an episode can be run again.

    Attributes:
        seed: Of the noise, from the next `reset` on.
        noise: What every answer begins from, [1, chunk, dims]; drawn where None.
    """

    def __init__(self, model: VLA, statistics: ActionStatistics) -> None:
        super().__init__(model, statistics)
        self._config = model.config.head
        self.seed, self.noise = 0, None
        self._random = torch.Generator('cpu')
        self._steps = self._config.steps
        self._invariants = lru_cache(maxsize=8)(self._make_invariants)
        self._layout = layout_of(model.config)
        self.reset()

    def reset(self) -> None:
        """Begin an episode: the noise comes as it came in the last one."""
        self._random.manual_seed(self.seed)

    def denoise_in(self, steps: int) -> None:
        """Choose how many steps an answer takes, from the next one on; 0 for the checkpoint's.

        Raises:
            StepsError: When the schedule cannot be walked in so many.
        """
        count = steps or self._config.steps
        Walk.of(self._config.schedule, count)
        self._steps = count

    def flow_by(self, steps: int, bend: float) -> None:
        """Choose the steps; a walk has no bend. See `ActionHead.flow_by`."""
        self.denoise_in(steps)

    @property
    def steps(self) -> int:
        """Steps that an answer takes."""
        return self._steps

    def answer(
        self, ask: Ask, pruner: Pruner, new_cache: NewCache, watch: Watch = nullcontext
    ) -> HeadAnswer:
        """Answer a chunk; see `ActionHead.answer`."""
        prefix = run_prefix(
            self.model, ask, pruner, new_cache, watch, self.engine, read=1, last_is_action=True
        )
        with watch('decode'):
            numbers = self.denoised(prefix.hidden[:, -1, :], self._begin())
        with watch('detokenise'):
            actions = self.read(read_numbers(numbers[0]))
        work = replace(prefix.stats.work, steps=self._steps)
        return HeadAnswer(actions, 0, replace(prefix.stats, work=work))

    def rehearse(self, ask: Ask, pruner: Pruner, new_cache: NewCache) -> None:
        """Answer without using up noise; see `ActionHead.rehearse`."""
        state = self._random.get_state()
        try:
            self.answer(ask, pruner, new_cache)
        finally:
            self._random.set_state(state)

    def first_numbers(self, ask: Ask, new_cache: NewCache) -> Tensor:
        """Give the normalised numbers of the first action, from the noise of the first answer."""
        keep_all = create('none', self._layout)
        prefix = run_prefix(self.model, ask, keep_all, new_cache, engine=self.engine, read=1)
        first = self._drawn(torch.Generator('cpu').manual_seed(self.seed))
        return self.denoised(prefix.hidden[:, -1, :], first)[0][0].float().cpu()

    # -- denoising -------------------------------------------------------------------------------

    def denoised(self, feature: Tensor, noise: Tensor) -> Tensor:
        """Denoise a chunk; see `walk` for the arguments. Gives [B, chunk, dims]."""
        x = noise
        for step in self.walk(feature, noise):
            x = step.x
        return x

    def walk(
        self, feature: Tensor, noise: Tensor, guidance: float | None = None
    ) -> Iterator[Step]:
        """Denoise a chunk step by step.

        Args:
            feature: [B, width] of the language model.
            noise: [B, chunk, dims].
            guidance: Its scale, none at 1 and below; the checkpoint's if None.
        """
        net = self.model.action_model
        guidance = self._config.guidance if guidance is None else guidance
        # A scale of 1 is what comes without guidance, at twice the cost.
        guidance = guidance if guidance > 1 else 0.0
        condition = call(
            self.engine, Condition(net, bool(guidance)), {'feature': feature.to(net.dtype)}
        )['condition']
        times, scales = self._invariants(self._steps, net.dtype, feature.device)
        program, x = Denoise(net, guidance), noise.to(feature.device, net.dtype)
        for time, own in zip(times, scales, strict=True):
            given = {'x': x, 'condition': condition, 'time': time, 'scales': own}
            done = call(self.engine, program, given)
            x = done['x']
            yield Step(x, done['clean'], done['noise'])

    def _make_invariants(
        self, count: int, dtype: torch.dtype, device: torch.device
    ) -> tuple[Tensor, Tensor]:
        """Give the embedded times [n, width] and the scales [n, 4] of a walk."""
        walk = Walk.of(self._config.schedule, count)
        times = torch.from_numpy(walk.times).to(device)
        embedded = self.model.action_model.t_embedder(times)
        return embedded, torch.from_numpy(walk.scales).to(device, dtype)

    def _begin(self) -> Tensor:
        return self._drawn(self._random) if self.noise is None else self.noise

    def _drawn(self, random: torch.Generator) -> Tensor:
        shape = 1, self._config.chunk, self.model.config.action_dims
        # On the host, so that every device begins from the same.
        return host.send(torch.randn(shape, generator=random), self.model.device)

    def read(self, numbers: np.ndarray) -> np.ndarray:
        """Clip actions [..., dims] to -1..1, and let grippers be 0 or 1."""
        actions, columns = np.clip(numbers, -1, 1), END_EFFECTOR.grippers
        actions[..., columns] = np.where(actions[..., columns] < GRIPPER_AT, 0, 1)
        return actions
