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

"""Frames on disk: what the cameras saw, and everything a label can be made of.

A frame of the table top carries the expert's action for *each* instruction. In demonstrations the
arm's own heading gives the target away; only when the same frame comes with several instructions
and their different actions does the policy have to read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
import errno
import json
import os
from pathlib import Path

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.files.whole_files import naming, write_whole
from vla_accel_ros.sim.env import PROPRIO_LOW
from vla_accel_ros.training import pictures
from vla_accel_ros.training.recipe_checks import short
from vla_accel_ros.training.recipe_parts import TABLETOP

META, DONE = 'frames.json', 'done'


def layout(spec: FrameSpec) -> dict:
    """Return name -> (type, shape of one frame) of what is stored.

    views: the images, or their slots; see `pictures`. actions: the expert's next ones, by
    instruction or of the one that was followed (m, rad, gripper 0 open 1 closed). proprio: as the
    environment has it. vectors: from the tool to each object, base frame, m. turns: each one's
    yaw against the tool's, rad. width: between the finger pads, m. places: column and row of each
    object in each image as shares of its side; seen: 1 in view, 0 not, -1 not to be told. kind:
    index into `recipe_parts.KINDS`. asked: the instruction that was being followed.
    """
    cameras, objects = len(spec.cameras), len(spec.objects)
    view = (pictures.slot(spec.size),) if spec.jpeg else (spec.size, spec.size, 3)
    return {
        'views': ('uint8', (cameras, *view)),
        'actions': ('float32', (spec.labelled, spec.horizon, END_EFFECTOR.width)),
        'proprio': ('float32', PROPRIO_LOW.shape),
        'vectors': ('float32', (objects, 3)),
        'turns': ('float32', (objects,)),
        'width': ('float32', ()),
        'places': ('float32', (cameras, objects, 2)),
        'seen': ('int8', (cameras, objects)),
        'kind': ('uint8', ()),
        'asked': ('uint8', ()),
    }


@dataclass(frozen=True)
class FrameSpec:
    """What a set of frames holds.

    Attributes:
        count: How many frames.
        size: Pixels of a side.
        cameras: Camera names, in the model's order.
        objects: What is located; on the table top cube colours, the bin and the tool.
        instructions: Instructions, in the order of `actions`.
        chunk: Frames made in one go, from seeds of their own.
        horizon: Actions that a label looks ahead.
        jpeg: Whether images are stored as JPEG.
        world: What they are of; see `worlds.world_of`.
        asks_all: Whether each is labelled for all instructions, or for the one that was followed.
        made: How, in words: kind, first seed and disturbance; empty where nobody said.
    """

    count: int
    size: int
    cameras: tuple[str, ...]
    objects: tuple[str, ...]
    instructions: tuple[str, ...]
    chunk: int = 500
    horizon: int = 1
    jpeg: bool = False
    world: str = TABLETOP
    asks_all: bool = True
    made: str = ''

    def __post_init__(self) -> None:
        for name in ('cameras', 'objects', 'instructions'):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.count < 1 or self.chunk < 1:
            raise ValueError(f'{self.count} frames in chunks of {self.chunk}: expected >= 1')

    @property
    def labelled(self) -> int:
        """How many instructions a frame has actions for."""
        return len(self.instructions) if self.asks_all else 1

    @property
    def chunks(self) -> int:
        """How many chunks there are; the last may be shorter."""
        return -(-self.count // self.chunk)

    def span(self, chunk: int) -> slice:
        """Return the frames of a chunk."""
        return slice(chunk * self.chunk, min(self.count, (chunk + 1) * self.chunk))


def files(spec: FrameSpec) -> dict:
    """Return name -> (type, shape) of what is on the disk, and of which chunks are done."""
    stored = {name: (kind, (spec.count, *shape)) for name, (kind, shape) in layout(spec).items()}
    return {**stored, DONE: ('bool', (spec.chunks,))}


def size(spec: FrameSpec) -> int:
    """Return how many bytes a set of frames takes on the disk."""
    return sum(
        np.dtype(kind).itemsize * int(np.prod(shape)) for kind, shape in files(spec).values()
    )


def _allocate(file: Path) -> None:
    """Take the whole of a file's room on the disk.

    A disk that is found full while memory is written to ends the process without a word.
    """
    with naming(file), file.open('r+b') as opened:
        try:
            os.posix_fallocate(opened.fileno(), 0, file.stat().st_size)
        except OSError as error:
            if error.errno in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                return
            file.unlink()
            raise


class Frames:
    """A folder of memory-mapped arrays, one file each; see `layout`.

    Args:
        folder: Made by `create`.

    Raises:
        ValueError: When the folder holds no frames, or files that are not what it says.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        try:
            meta = json.loads((self.folder / META).read_text(encoding='utf-8'))
            self.spec = FrameSpec(**meta)
        except (OSError, ValueError, TypeError) as error:
            raise ValueError(f'{self.folder} holds no frames: {error}') from error
        arrays = {name: self._opened(name, *what) for name, what in files(self.spec).items()}
        self.done = arrays.pop(DONE)
        self.arrays = arrays

    def _opened(self, name: str, kind: str, shape: tuple[int, ...]) -> np.ndarray:
        file = self.folder / f'{name}.npy'
        try:
            array = np.load(file, mmap_mode='r+')
        except (OSError, ValueError, EOFError) as error:
            raise ValueError(f'{file} cannot be read: {error}; remove {self.folder}') from error
        if array.shape != shape or array.dtype != kind:
            raise ValueError(
                f'{file} has {array.dtype} {list(array.shape)}, expected {kind} {list(shape)}; '
                f'remove {self.folder}'
            )
        return array

    @classmethod
    def create(cls, folder: str | Path, spec: FrameSpec) -> Frames:
        """Open a folder with this specification, making it where there is none.

        Raises:
            ValueError: When there are frames of another specification.
        """
        folder = Path(folder)
        if (folder / META).exists():
            frames = cls(folder)
            there = frames.spec if frames.spec.made else replace(frames.spec, made=spec.made)
            other = [
                f'{name} is {short(value)}, expected {short(getattr(spec, name))}'
                for name, value in vars(there).items()
                if value != getattr(spec, name)
            ]
            if other:
                raise ValueError(
                    f'{folder} holds frames made by another recipe: {"; ".join(other)}; '
                    'remove the folder or choose another one'
                )
            return frames
        folder.mkdir(parents=True, exist_ok=True)
        for name, (kind, shape) in files(spec).items():
            file = folder / f'{name}.npy'
            np.lib.format.open_memmap(file, 'w+', np.dtype(kind), shape).flush()
            _allocate(file)
        write_whole(folder / META, json.dumps(spec.__dict__, indent=1) + '\n')
        return cls(folder)

    def __len__(self) -> int:
        return self.spec.count

    def write(self, at: int, values: dict[str, np.ndarray]) -> None:
        """Write one frame.

        Args:
            at: Which.
            values: By the names of `layout`; the views as images.
        """
        for name, value in values.items():
            if name == 'views' and self.spec.jpeg:
                value = [pictures.encode(view) for view in value]
            self.arrays[name][at] = value

    def finish(self, chunk: int) -> None:
        """Say that a chunk is whole, once it is on the disk."""
        for array in self.arrays.values():
            array.flush()
        self.done[chunk] = True
        self.done.flush()

    def ready(self) -> np.ndarray:
        """Return the indices of all frames made so far."""
        return np.flatnonzero(np.repeat(self.done, self.spec.chunk)[: self.spec.count])
