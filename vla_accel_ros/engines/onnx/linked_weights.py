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

"""Graphs that refer to a checkpoint's own files, where each tensor lies already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import errno
from functools import cached_property
import hashlib
import os
from pathlib import Path

import torch
from torch import Tensor

from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.manifest import digest
from vla_accel_ros.engines.onnx.weights import Place
from vla_accel_ros.engines.store import VARIABLE

# Numbers at both ends of a tensor that are compared with the file.
COMPARED = 32


@dataclass(frozen=True)
class Linked:
    """A tensor in a file.

    Attributes:
        place: Where it lies; the location is the file's name.
        dtype: Its type.
        shape: Its shape.
    """

    place: Place
    dtype: torch.dtype
    shape: tuple[int, ...]


class LinkedWeights:
    """The files of a checkpoint, of which no copy is made.

    They are put into a graph's folder by hard links, because runtimes read no file outside of it.
    What is changed in them, or put in their place, makes other graphs of another digest.

    Args:
        tensors: By name.
        files: The files, each with a name of its own.
    """

    def __init__(self, tensors: Mapping[str, Linked], files: Sequence[Path]) -> None:
        self._tensors, self._files = tensors, tuple(files)

    @cached_property
    def digest(self) -> str:
        """Of the files; of one larger than 1 GiB 64 MiB are read."""
        whole = hashlib.sha256()
        try:
            for file in self._files:
                whole.update(f'{file.name} {digest(file)}\n'.encode())
        except OSError as error:
            raise EngineError(f'{file} cannot be read: {error.strerror or error}') from error
        for name, tensor in sorted(self._tensors.items()):
            whole.update(f'{name} {tensor}\n'.encode())
        return whole.hexdigest()

    def files(self) -> tuple[Path, ...]:
        """Give the files; see `Weights.files`."""
        return self._files

    def put(self, folder: Path) -> None:
        """Link the files into the folder of a graph; see `Weights.put`."""
        for file in self._files:
            try:
                # A hub's cache has symbolic links in the place of files, which runtimes refuse.
                os.link(file.resolve(), folder / file.name)
            except OSError as error:
                if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
                    raise
                raise EngineError(
                    f'{file} cannot be linked into {folder.parent} '
                    f'({error.strerror}): have {VARIABLE} name a folder on the file system of the '
                    'checkpoint'
                ) from error

    def place(self, name: str, tensor: Tensor) -> Place | None:
        """Say where a tensor lies; see `Weights.place`.

        Raises:
            EngineError: When its first or last numbers are others than in the file.
        """
        found = self._tensors.get(name)
        if found is None or (found.dtype, found.shape) != (tensor.dtype, tuple(tensor.shape)):
            return None
        if not tensor.is_meta:
            self._compare(name, tensor, found.place)
        return found.place

    def _compare(self, name: str, tensor: Tensor, place: Place) -> None:
        (file,) = (each for each in self._files if each.name == place.location)
        flat = tensor.detach().reshape(-1)
        count = min(len(flat), COMPARED)
        size = count * flat.element_size()
        try:
            with file.open('rb') as opened:
                for part, begin in (
                    (flat[:count], place.offset),
                    (flat[-count:], place.offset + place.length - size),
                ):
                    opened.seek(begin)
                    if opened.read(size) != bytes(part.cpu().view(torch.uint8).tolist()):
                        raise EngineError(
                            f'{name} of the model is not what {file} holds: it was changed'
                        )
        except OSError as error:
            raise EngineError(f'{file} cannot be read: {error.strerror or error}') from error
