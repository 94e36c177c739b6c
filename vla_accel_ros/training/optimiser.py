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

"""AdamW on float32 masters of a model that computes in another type, with averaged weights."""

from __future__ import annotations

import math

import torch
from torch import nn


def schedule(step: int, total: int, warmup: int, floor: float) -> float:
    """Return the learning rate's factor: linear warm-up, then a cosine down to `floor`."""
    if step < warmup:
        return (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, total - warmup))
    return floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * progress))


class MasterOptimiser:
    """AdamW whose float32 masters are copied into modules that compute in bfloat16.

    Eight bits of mantissa swallow most updates of a weight; the masters keep them. An
    exponential average of the masters is what gets evaluated and shipped: it is steadier in
    the closed loop than any single step's weights.

    Args:
        modules: What is trained, each with its own weights.
        rate: Peak learning rate.
        decay: Weight decay, on matrices only.
        average: Decay of the exponential average, reached after a warm-up.
    """

    def __init__(
        self, modules: dict[str, nn.Module], rate: float, decay: float, average: float
    ) -> None:
        self._live = {
            f'{name}.{key}': parameter
            for name, module in modules.items()
            for key, parameter in module.named_parameters()
        }
        self.masters = {k: p.detach().float().clone() for k, p in self._live.items()}
        self.averages = {k: p.clone() for k, p in self.masters.items()}
        self.rate, self.average, self.steps = rate, average, 0
        matrices = [k for k, p in self.masters.items() if p.dim() > 1]
        vectors = [k for k, p in self.masters.items() if p.dim() <= 1]
        self._adam = torch.optim.AdamW(
            [
                {'params': [self.masters[k] for k in matrices], 'weight_decay': decay},
                {'params': [self.masters[k] for k in vectors], 'weight_decay': 0.0},
            ],
            lr=rate,
            betas=(0.9, 0.98),
            eps=1e-8,
            foreach=True,
        )

    def step(self, factor: float, clip: float = 1.0) -> float:
        """Apply the gradients that lie in the modules, and clear them.

        Args:
            factor: Of the peak learning rate.
            clip: Largest norm of the gradient.

        Returns:
            The gradient's norm before clipping; a step whose norm is not finite is left out.
        """
        for key, parameter in self._live.items():
            grad = parameter.grad
            self.masters[key].grad = None if grad is None else grad.float()
            parameter.grad = None
        norm = float(nn.utils.clip_grad_norm_(self.masters.values(), clip, foreach=True))
        if not math.isfinite(norm):
            return norm
        for group in self._adam.param_groups:
            group['lr'] = self.rate * factor
        self._adam.step()
        self.steps += 1
        weight = 1.0 - min(self.average, (1.0 + self.steps) / (10.0 + self.steps))
        torch._foreach_lerp_(list(self.averages.values()), list(self.masters.values()), weight)
        self.push()
        return norm

    @torch.no_grad()
    def push(self, averaged: bool = False) -> None:
        """Copy the masters, or their averages, into the modules."""
        source = self.averages if averaged else self.masters
        torch._foreach_copy_(list(self._live.values()), list(source.values()))

    def averaged(self, name: str) -> dict[str, torch.Tensor]:
        """Return the averaged weights of one module, by their names inside it."""
        start = name + '.'
        return {k[len(start) :]: v for k, v in self.averages.items() if k.startswith(start)}

    def state(self) -> dict:
        """Return everything that a resumed run needs."""
        return {
            'masters': self.masters,
            'averages': self.averages,
            'steps': self.steps,
            'adam': self._adam.state_dict(),
        }

    def load(self, state: dict) -> None:
        """Take back what `state` gave.

        Raises:
            ValueError: When the weights are not those of these modules.
        """
        if {k: v.shape for k, v in state['masters'].items()} != {
            k: v.shape for k, v in self.masters.items()
        }:
            raise ValueError("the saved run has other weights than this recipe's model")
        for key, value in state['masters'].items():
            self.masters[key].data.copy_(value)
            self.averages[key].copy_(state['averages'][key])
        self.steps = state['steps']
        self._adam.load_state_dict(state['adam'])
        self.push()
