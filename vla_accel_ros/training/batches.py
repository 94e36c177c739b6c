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

"""Draw batches of frames: which frames, their pixels disturbed, their labels as tensors."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.models.action_tokens import select_statistics
from vla_accel_ros.models.action_units import in_si
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.proprio import Proprioception
from vla_accel_ros.training import pictures
from vla_accel_ros.training.frames import Frames
from vla_accel_ros.training.tokens import places
from vla_accel_ros.training.world import World
from vla_accel_ros.training.worlds import world_of

DRAWING = 4


@dataclass
class Batch:
    """B frames, K instructions asked of each, C objects.

    Attributes:
        pixels: [B, channels, H, W], normalised.
        asked: int [B, K], the instructions.
        actions: [B, K, 7], labels on the axis of bin indices; of a model that answers chunks
            [B, K, chunk, 7], normalised.
        places: [B, cameras, C, 2]; see `heads.cells`.
        seen: [B, cameras, C].
        vectors: [B, C, 3], tool to each object, m.
        positions: [B, C, 3], of each object, m, base frame.
        turns: [B, C], each one's yaw against the tool's, rad.
        width: [B], between the finger pads, m.
        proprio: [B, proprio], normalised; None where the model wants none.
        meant: int [B, K], each instruction's cube.
        goal: int [B, K], the object that it is to be brought to; -1 for none.
    """

    pixels: Tensor
    asked: Tensor
    actions: Tensor
    places: Tensor
    seen: Tensor
    vectors: Tensor
    positions: Tensor
    turns: Tensor
    width: Tensor
    meant: Tensor
    goal: Tensor
    proprio: Tensor | None = None


def named(world: World, instruction: str, objects: tuple[str, ...]) -> tuple[int, int]:
    """Return the indices of the object that an instruction means and of its goal, -1 for none."""
    thing, goal = world.named(instruction)
    return objects.index(thing), -1 if goal is None else objects.index(goal)


def weights(frames: Frames, indices: np.ndarray, grasp_weight: float) -> np.ndarray:
    """Return how likely each frame is drawn: more where a gripper closes or has to choose.

    It closes where some instruction says so to fingers that are not shut on a cube yet. It has
    to choose where two instructions about the same cube differ: one has reached its goal.
    """
    actions, spec = frames.arrays['actions'][indices], frames.spec
    world = world_of(spec.world)
    closed = actions[..., 0, END_EFFECTOR.tool().gripper] > 0.5
    wanted = closed.any(1) & (frames.arrays['width'][indices] > world.facts().grasped_m)
    if spec.asks_all:
        meant = np.array([named(world, text, spec.objects)[0] for text in spec.instructions])
        mine = [closed[:, meant == cube] for cube in np.unique(meant)]
        wanted |= np.any([part.any(1) & ~part.all(1) for part in mine], axis=0)
    result = np.where(wanted, grasp_weight, 1.0)
    return result / result.sum()


def disturb(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Change brightness, colour balance and noise of images [B, C, H, W] in 0..1, mildly.

    Colours carry the meaning here, so a channel's gain stays within a tenth.
    """
    batch, channels = pixels.shape[:2]
    gain = 1.0 + 0.12 * (2 * torch.rand(batch, 1, 1, 1, generator=generator) - 1)
    gain = gain * (1.0 + 0.06 * (2 * torch.rand(batch, channels, 1, 1, generator=generator) - 1))
    shift = 0.04 * (2 * torch.rand(batch, channels, 1, 1, generator=generator) - 1)
    noise = torch.randn(pixels.shape, generator=generator) * 0.008
    return (pixels * gain + shift + noise).clamp(0.0, 1.0)


class Pixels:
    """From views to what the model takes.

    Args:
        config: Names the towers' normalisation.
    """

    def __init__(self, config: VLAConfig) -> None:
        towers = [config.towers[t] for image in config.image_towers for t in image]
        # Each tower of an image gets the image's three channels, normalised its way.
        self._channels = torch.tensor(
            [
                3 * image + channel
                for image, seen_by in enumerate(config.image_towers)
                for _ in seen_by
                for channel in range(3)
            ]
        )
        self._mean = torch.tensor([m for t in towers for m in t.mean])[None, :, None, None]
        self._std = torch.tensor([s for t in towers for s in t.std])[None, :, None, None]

    def __call__(self, views: np.ndarray, generator: torch.Generator | None = None) -> Tensor:
        """Map views uint8 [B, cameras, H, W, 3], disturbed if there is a generator for it."""
        x = torch.from_numpy(views).permute(0, 1, 4, 2, 3).flatten(1, 2).float() / 255.0
        if generator is not None:
            x = disturb(x, generator)
        return (x[:, self._channels] - self._mean) / self._std


def choose(
    followed: np.ndarray, instructions: int, asks: int, random: np.random.Generator
) -> np.ndarray:
    """Return which instructions each frame is asked, int64 [B, asks], none of them twice.

    Args:
        followed: int [B], the one that was being followed, which is always asked.
        instructions: How many there are.
        asks: How many are asked.
        random: Chooses the others.
    """
    order = random.random((len(followed), instructions))
    order[np.arange(len(followed)), followed] = -1.0
    return np.argsort(order, axis=1)[:, :asks]


class Sampler:
    """Batches from several sets of frames; batch n of a stage is always the same one.

    Args:
        sets: Frames by name.
        config: The model's shape, its towers' normalisation and its one set of statistics.
        grasp_weight: See `weights`.
        seed: Of the draws.
        asks: Instructions asked of one image; all where there are no more.
        only: Use the first frames of every set only; None for all.
    """

    def __init__(
        self,
        sets: dict[str, Frames],
        config: VLAConfig,
        grasp_weight: float,
        seed: int,
        asks: int,
        only: int | None = None,
    ) -> None:
        key, stats = select_statistics(config.norm_stats, None)
        # Labels are in m and rad, a data set's statistics in its controller's units.
        self._stats = in_si(key, stats)
        self._proprio = Proprioception(config, key) if config.proprio else None
        self._seed, self._config = seed, config
        self._ready = {name: frames.ready()[:only] for name, frames in sets.items()}
        self._weights = {
            name: weights(frames, self._ready[name], grasp_weight) for name, frames in sets.items()
        }
        # In memory: frames drawn at random from a file are read at the disk's speed, not at ours.
        # JPEGs stay as they are until they are drawn.
        self._arrays = {
            name: {key: np.array(array) for key, array in frames.arrays.items()}
            for name, frames in sets.items()
        }
        self._pixels = Pixels(config)
        spec = next(iter(sets.values())).spec
        self._jpeg, self.instructions = spec.jpeg, spec.instructions
        self._asks_all = spec.asks_all
        self.asks = min(asks, spec.labelled)
        world = world_of(spec.world)
        self._named = torch.tensor(
            [named(world, text, spec.objects) for text in spec.instructions]
        )

    def draw(
        self, mix: dict[str, float], size: int, stage: int, step: int, augment: bool = True
    ) -> Batch:
        """Draw one batch.

        Args:
            mix: Share by set.
            size: Frames.
            stage: Index of the stage, for the seed.
            step: Step within the stage, for the seed.
            augment: Whether to disturb the pixels.
        """
        random = np.random.default_rng([self._seed, stage, step])
        names = list(mix)
        shares = np.array([mix[name] for name in names])
        counts = random.multinomial(size, shares / shares.sum())
        parts: dict[str, list[np.ndarray]] = {}
        for name, count in zip(names, counts, strict=True):
            chosen = random.choice(self._ready[name], count, p=self._weights[name])
            for key, array in self._arrays[name].items():
                parts.setdefault(key, []).append(array[np.sort(chosen)])
        values = {key: np.concatenate(part) for key, part in parts.items()}
        generator = torch.Generator().manual_seed(int(random.integers(2**62)))
        asked = choose(values['asked'], len(self.instructions), self.asks, random)
        return self._tensors(values, asked, generator if augment else None)

    def _tensors(
        self, values: dict, asked: np.ndarray, generator: torch.Generator | None
    ) -> Batch:
        actions = values['actions']
        if self._asks_all:
            actions = np.take_along_axis(actions, asked[..., None, None], axis=1)
        labels = self._stats.normalise(actions.astype(np.float64))
        if self._config.head.in_tokens:
            labels = places(labels[:, :, 0], self._config.bins)
        views = pictures.decode_all(values['views']) if self._jpeg else values['views']
        which = torch.from_numpy(asked)
        meant, goal = self._named[which].unbind(-1)
        return Batch(
            pixels=self._pixels(views, generator),
            asked=which,
            actions=torch.from_numpy(labels).float(),
            places=torch.from_numpy(values['places']),
            seen=torch.from_numpy(values['seen']),
            vectors=torch.from_numpy(values['vectors']),
            positions=torch.from_numpy(values['vectors'] + values['proprio'][:, None, :3]),
            turns=torch.from_numpy(values['turns']),
            width=torch.from_numpy(values['width']),
            meant=meant,
            goal=goal,
            proprio=None
            if self._proprio is None
            else torch.from_numpy(np.stack([self._proprio(row) for row in values['proprio']])),
        )


def stream(draw: Callable[[int], Batch], steps: Iterable[int], beside: bool) -> Iterator[Batch]:
    """Yield the batch of each step, in order; drawn in advance by some threads if `beside`.

    A GPU need not wait for its images. On a CPU the threads would take what they give.
    """
    if not beside:
        yield from map(draw, steps)
        return
    with ThreadPoolExecutor(DRAWING) as pool:
        waiting: deque[Future] = deque()
        for step in steps:
            waiting.append(pool.submit(draw, step))
            if len(waiting) > DRAWING:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
