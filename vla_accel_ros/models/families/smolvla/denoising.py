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

"""From noise to a chunk of actions, over the keys and values that the prefix left."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import Engine, call
from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.models.families.smolvla.model import SmolVLA


def step_times(steps: int) -> Tensor:
    """Give the times of Euler steps from 1 towards 0, as the original forms them, float32."""
    return (1 - torch.arange(steps, dtype=torch.float64) / steps).float()


@dataclass
class Denoised:
    """What denoising gives.

    Attributes:
        chunk: [1, chunk, action width], normalised.
        states: The noisy chunks before each step, and the last one.
        velocities: Of each step.
        looks: Of each step `queries.l` and `own.l` of the tapped layers, by name.
    """

    chunk: Tensor
    states: list[Tensor] = field(default_factory=list)
    velocities: list[Tensor] = field(default_factory=list)
    looks: list[dict[str, Tensor]] = field(default_factory=list)


class Denoiser:
    """The steps of one chunk; what does not change from step to step is made once.

    Args:
        model: The model.
        cache: Keys and values of the prefix; those of cross layers are projected in place.
        begin: Position of the first action.
        engine: What runs the programs.
        taps: Self layers, counted from 1, whose queries are wanted.
    """

    def __init__(
        self,
        model: SmolVLA,
        cache: KVCache,
        begin: int,
        engine: Engine = EAGER,
        taps: tuple[int, ...] = (),
    ) -> None:
        self._model, self._cache, self._engine = model, cache, engine
        chunk = model.config.head.chunk
        self._positions = torch.arange(begin, begin + chunk, device=model.device)
        self._step = model.step(taps, cache.held)
        room = {'store': cache.store}
        call(engine, model.cross_prefix(cache.held), room, room)

    def velocity(self, noisy: Tensor, time: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Give the velocity at a time.

        Args:
            noisy: [1, chunk, action width], in float32 or better.
            time: [1, expert width], embedded, of the model's type.

        Returns:
            [1, chunk, action width] of the type of `noisy`, and what the step gives of
            tapped layers, by name.
        """
        given = {
            'noisy': noisy.to(self._model.dtype),
            'time': time,
            'positions': self._positions,
            'store': self._cache.store,
            'lengths': self._cache.lengths,
        }
        done = call(self._engine, self._step, given)
        velocity = done.pop('velocity')
        return velocity.to(noisy.dtype), done

    def run(self, noise: Tensor, steps: int) -> Denoised:
        """Denoise.

        Args:
            noise: [1, chunk, action width], in float32 or better; the chunk stays of that type.
            steps: Euler steps.
        """
        done = Denoised(noise)
        for time in self._model.embed_times(step_times(steps)).split(1):
            done.states.append(done.chunk)
            velocity, looks = self.velocity(done.chunk, time)
            done.velocities.append(velocity)
            done.looks.append(looks)
            done.chunk = done.chunk - velocity / steps
        done.states.append(done.chunk)
        return done
