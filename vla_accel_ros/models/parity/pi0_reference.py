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

"""Everything that a fixture of pi0 or pi0.5 stores, computed from its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import call
from vla_accel_ros.engines.programs.flow import Velocity
from vla_accel_ros.models.families.pi0.model import Pi0
from vla_accel_ros.models.heads.flow import FlowPrefix, denoise, run_prefix
from vla_accel_ros.models.heads.flow_head import FlowHead
from vla_accel_ros.models.heads.flow_numbers import action_line
from vla_accel_ros.models.heads.interface import Ask
from vla_accel_ros.models.inference import Inference
from vla_accel_ros.models.layout import layout_of
from vla_accel_ros.models.normalisation import padded
from vla_accel_ros.models.parity.flow_trace import numbers, trace_prefix
from vla_accel_ros.models.parity.pi0_inputs import Before, Case
from vla_accel_ros.models.preprocess import Preprocessor
from vla_accel_ros.pruning.base import Pruner
from vla_accel_ros.pruning.interface import Scene
from vla_accel_ros.pruning.registry import create
from vla_accel_ros.pruning.scores import attention_rows

# The time of the joint pass.
JOINT = 0.6
FEWER = 5


@dataclass(frozen=True, eq=False)
class Pi0Case:
    """A case, ready to run.

    Attributes:
        case: As the fixture has it.
        model: For as many views as the case has.
        head: Of the model.
        ask: What is asked.
        noise: [1, chunk, numbers].
        places: int [V], the rows of the padded prefix that there are.
        length: Rows of the padded prefix.
    """

    case: Case
    model: Pi0
    head: FlowHead
    ask: Ask
    noise: Tensor
    places: np.ndarray
    length: int

    @classmethod
    def make(cls, case: Case, model: Pi0, before: Before, noise: np.ndarray) -> Pi0Case:
        """Make a case ready; the model is one for the number of its cameras."""
        config, images, ids = model.config, before.images(case), before.ids(case)
        pixels = torch.from_numpy(Preprocessor(config)(images, resized=True)).to(model.dtype)
        state = None
        if config.head.state:
            state = padded(before.state(case)[None], config.head.state)
            state = torch.from_numpy(state).to(model.dtype)
        ask = Ask(pixels, torch.tensor([ids]), state, Scene(images))
        mask = before.arrays(case)[f'prefix_pad_mask_{case.name}']
        # The statistics scale what comes out; nothing here reads them.
        head = FlowHead(model, None, model.flow)
        return cls(
            case,
            model,
            head,
            ask,
            torch.from_numpy(noise).to(model.dtype),
            np.flatnonzero(mask),
            len(mask),
        )

    def prefix(self, pruner: Pruner | None = None) -> tuple[Inference, FlowPrefix]:
        """Run the prefix as a robot does."""
        pruner = create('none', layout_of(self.model.config)) if pruner is None else pruner
        inference = Inference(self.model, pruner, self.ask.scene)
        return inference, self._prefix(inference)

    def _prefix(self, inference: Inference) -> FlowPrefix:
        behind = self.model.config.behind
        return run_prefix(
            inference, self.head.network, self.ask, lambda n: self.model.new_cache(n + behind)
        )

    def spread(self, values: Tensor, more: int = 0) -> np.ndarray:
        """Put the last axis, of the rows that there are and `more`, into the padded prefix's."""
        found = np.zeros((*values.shape[:-1], self.length + more), numbers(values).dtype)
        found[..., self.places] = numbers(values)[..., : len(self.places)]
        if more:
            found[..., self.length :] = numbers(values)[..., len(self.places) :]
        return found

    # -- the whole answer ------------------------------------------------------------------------

    def velocities(self, prefix: FlowPrefix, x: Tensor, times: list[float]) -> Tensor:
        """Give the velocities [times, chunk, numbers] of noisy actions x."""
        program = Velocity(self.head.network, held=prefix.cache.held)
        store = prefix.cache.store
        return torch.cat(
            [
                call(
                    EAGER,
                    program,
                    {
                        'x': x,
                        'condition': condition,
                        'position': prefix.position,
                        'store': store,
                        'lengths': prefix.cache.lengths,
                    },
                    {'store': store},
                )['velocity']
                for condition in self.head.conditions(times)
            ]
        )

    def answer(self, steps: int, pruner: Pruner | None = None) -> Tensor:
        """Give the actions [chunk, numbers], as a robot computes them."""
        inference, prefix = self.prefix(pruner)
        return denoise(inference, self.head.network, prefix, self.head.plan(self.noise, steps))[0][
            0
        ]

    def euler(self, steps: int) -> dict[str, Tensor | np.ndarray]:
        """Give times, states and velocities of the steps, one by one."""
        _, prefix = self.prefix()
        plan = self.head.plan(self.noise, steps)
        states, found = [self.noise], []
        for time in plan.times:
            found.append(self.velocities(prefix, states[-1], [time]))
            states.append(states[-1] + found[-1] * plan.step)
        return {
            'euler_t': np.array(plan.times),
            'euler_x': torch.cat(states),
            'euler_v': torch.cat(found),
        }


def whole(ready: Pi0Case, times: np.ndarray) -> dict[str, np.ndarray]:
    """Compute what is stored of every case.

    Args:
        ready: The case.
        times: At which velocities are stored.
    """
    config, steps = ready.model.config, ready.model.config.head.steps
    _, prefix = ready.prefix()
    positions = np.full(ready.length, -1, np.int64)
    positions[ready.places] = numbers(prefix.prompt.positions[0])
    found: dict[str, Tensor | np.ndarray] = {
        # A row that is not there has the position of the one before it.
        'prefix_positions': np.maximum.accumulate(positions),
        'velocity': ready.velocities(prefix, ready.noise, times.tolist()),
        'actions': ready.answer(steps),
        f'actions_{FEWER}steps': ready.answer(FEWER),
        **ready.euler(steps),
    }
    line = action_line(config, next(iter(config.norm_stats)))
    actions = numbers(found['actions'])[:, : config.action_dims].astype(np.float64)
    found['actions_unnormalised'] = line.unnormalise(actions)
    return arrays(found, ready.case.name)


def arrays(found: Mapping[str, Tensor | np.ndarray], name: str) -> dict[str, np.ndarray]:
    """Give arrays by their names in the fixture."""
    return {
        f'{key}_{name}': numbers(value) if isinstance(value, Tensor) else value
        for key, value in found.items()
    }


def embedded_images(model: Pi0, images: np.ndarray, every: int = 1) -> np.ndarray:
    """Give the visual tokens [places, N / every, width] of all places, empty ones included.

    Args:
        model: For as many views as there are places.
        images: uint8 [places, size, size, 3].
        every: Of so many patches one is given.
    """
    pixels = Preprocessor(model.config)(tuple(images), resized=True)
    visual = model.encode_images(torch.from_numpy(pixels).to(model.dtype))[0]
    return numbers(visual.unflatten(0, (len(images), -1))[:, ::every])


def towers(ready: Pi0Case) -> dict[str, np.ndarray]:
    """Compute what is stored of the tower's inside."""
    model = ready.model
    tower = model.vision_backbone.tower(0)
    lasts, received = [], []
    hidden: list[Tensor] = []
    for view, image in enumerate(ready.ask.pixels[0].split(3)):
        x = tower.embed(image[None])
        rows, inside = [], [x[0]]
        for block in tower.blocks:
            x, queries, keys = block.look(x, None)
            inside.append(x[0])
            rows.append(attention_rows(queries[0], keys[0]).mean((0, 1)))
        lasts.append(tower(image[None])[0])
        received.append(torch.stack(rows))
        if view == 0:
            hidden = inside
    name = ready.case.name
    return {
        f'siglip_hidden_{name}_cam0': numbers(torch.stack(hidden)),
        f'siglip_last_{name}': numbers(torch.stack(lasts)),
        f'siglip_attn_received_{name}': numbers(torch.stack(received)),
    }


def embedded(ready: Pi0Case) -> Tensor:
    """Give the prefix [1, V, width] before the first layer."""
    model, ask = ready.model, ready.ask
    return model.embed_prompt(ask.ids, model.encode_images(ask.pixels))


def traced(ready: Pi0Case) -> dict[str, np.ndarray]:
    """Compute what is stored of the prefix's inside."""
    x, text = embedded(ready), ready.ask.ids.shape[1]
    trace = trace_prefix(ready.model, x, torch.arange(x.shape[1]))
    return arrays(
        {
            'text_embs': x[0, -text:],
            'prefix_hidden': torch.stack(trace.hidden),
            'prefix_kv': torch.stack(trace.new),
            'attn_text_rows_mean_heads': torch.stack(
                [w[:, -text:].mean(0) for w in trace.weights]
            ),
            'attn_last_text': torch.stack([w[:, -1] for w in trace.weights]),
            'attn_received': torch.stack([w.mean((0, 1)) for w in trace.weights]),
        },
        ready.case.name,
    )


def joint(ready: Pi0Case, actions: np.ndarray) -> dict[str, np.ndarray]:
    """Compute the velocity of training's noisy actions, and its loss."""
    time = float(np.float32(JOINT))
    target = torch.from_numpy(actions).to(ready.noise.dtype)
    _, prefix = ready.prefix()
    x = time * ready.noise + (1 - time) * target
    velocity = ready.velocities(prefix, x, [time])[0]
    loss = (ready.noise[0] - target[0] - velocity).square()
    return arrays({'joint_velocity': velocity, 'joint_loss': loss}, ready.case.name)
