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

"""The file of weights that all graphs of a checkpoint share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
import hashlib
from pathlib import Path
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.links import share
from vla_accel_ros.engines.store import Store

NAME = 'weights.bin'
_ALIGNED = 64


class Place(NamedTuple):
    """Where a tensor lies in a file.

    Attributes:
        location: The file, relative to the graph's folder.
        offset: First byte.
        length: Bytes.
    """

    location: str
    offset: int
    length: int


class Weights(Protocol):
    """Where the tensors of a model lie, once for all its graphs.

    Attributes:
        digest: The same for equal weights, laid out equally.
    """

    @property
    def digest(self) -> str:
        """See above."""

    def files(self) -> tuple[Path, ...]:
        """Give the files that graphs refer to."""

    def put(self, folder: Path) -> None:
        """Put the files into the folder of a graph, without another copy of what is in them.

        Raises:
            EngineError: When they cannot be there without one.
            OSError: When they cannot be there at all.
        """

    def place(self, name: str, tensor: Tensor) -> Place | None:
        """Say where a tensor lies.

        Args:
            name: Of the parameter or buffer, as the model calls it.
            tensor: The tensor, or what is left of it where the model is on `meta`.

        Returns:
            None where it lies in none of the files; it is written into the graph then.
        """


class StoredWeights:
    """A file in the store that holds the memory of a model's tensors as it is.

    Tensors that are views of one memory, as packed matrices are, lie there once.

    Args:
        model: The model.
        store: Where the file is kept.

    Raises:
        EngineError: When the model is on `meta`, where it has no numbers.
    """

    def __init__(self, model: nn.Module, store: Store) -> None:
        self._store = store
        self._tensors = dict(_named(model))
        if any(tensor.is_meta for tensor in self._tensors.values()):
            raise EngineError('the model is on meta, so that it has no weights to be stored')
        self._offsets: dict[int, int] = {}
        self._memories: list[Tensor] = []
        end = 0
        for tensor in self._tensors.values():
            memory = _memory(tensor)
            if memory.data_ptr() not in self._offsets:
                self._offsets[memory.data_ptr()] = end
                self._memories.append(memory)
                end += -(-memory.numel() // _ALIGNED) * _ALIGNED

    @cached_property
    def digest(self) -> str:
        """Of names, types, layout and numbers."""
        whole = hashlib.sha256()
        for name, tensor in self._tensors.items():
            at = self._offset(tensor)
            about = name, str(tensor.dtype), tuple(tensor.shape), tensor.stride(), at
            whole.update(repr(about).encode())
        for memory in self._memories:
            whole.update(memory.cpu().numpy().data)
        return whole.hexdigest()

    def files(self) -> tuple[Path, ...]:
        """Give the file, written first where it is not there; see `Weights.files`."""
        key = {'kind': 'weights', 'weights': self.digest}
        return (self._store.get(key, self._write) / NAME,)

    def put(self, folder: Path) -> None:
        """Put the file into the folder of a graph; see `Weights.put`."""
        for file in self.files():
            share(file, folder)

    def place(self, name: str, tensor: Tensor) -> Place | None:
        """Say where a tensor lies; see `Weights.place`."""
        if not tensor.is_contiguous() or _memory(tensor).data_ptr() not in self._offsets:
            return None
        length = tensor.numel() * tensor.element_size()
        return Place(NAME, self._offset(tensor), length) if length else None

    def _offset(self, tensor: Tensor) -> int:
        begin = int(tensor.storage_offset()) * tensor.element_size()
        return self._offsets[_memory(tensor).data_ptr()] + begin

    def _write(self, folder: Path) -> None:
        with (folder / NAME).open('wb') as opened:
            for memory in self._memories:
                opened.seek(self._offsets[memory.data_ptr()])
                opened.write(memory.cpu().numpy().data)


def _named(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from model.named_parameters(remove_duplicate=False)
    yield from model.named_buffers(remove_duplicate=False)


def _memory(tensor: Tensor) -> Tensor:
    """Give the whole memory that a tensor is a view of, uint8 [bytes]."""
    with torch.inference_mode(False):
        whole = torch.empty(0, dtype=torch.uint8, device=tensor.device)
        return whole.set_(tensor.untyped_storage())
