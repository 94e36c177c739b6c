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

"""Tensors in a pickle, read from their bytes: torch is not loaded, and none of its code runs.

A tensor says where its numbers lie in a storage; the storage is a file of its own within the
pickle, as `torch.save` wrote them before it wrote archives.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np

from vla_accel_ros.remote.pickle_reader import Budget, PickleReader
from vla_accel_ros.remote.wire import WireError

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
STORAGES = {
    'torch.DoubleStorage': '<f8',
    'torch.FloatStorage': '<f4',
    'torch.HalfStorage': '<f2',
    # The upper half of a float32; NumPy has no such type.
    'torch.BFloat16Storage': '<u2',
    'torch.LongStorage': '<i8',
    'torch.IntStorage': '<i4',
}
BFLOAT16 = 'torch.BFloat16Storage'
REBUILD, LOAD = 'torch._utils._rebuild_tensor_v2', 'torch.storage._load_from_bytes'
ORDERED = 'collections.OrderedDict'
COUNT_BYTES = 8


class Tensors:
    """Makes arrays of the tensors of one message.

    Args:
        budget: Shared with the reader of the message.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        # The rows of a chunk are views of one storage, and each brings the whole of it.
        self._storages: dict[bytes, np.ndarray] = {}
        self.calls: dict[str, Callable[..., Any]] = {
            REBUILD: self._tensor,
            LOAD: self._storage,
            ORDERED: _hooks,
        }

    def _storage(self, data: Any) -> np.ndarray:
        if not isinstance(data, bytes):
            raise WireError('a storage is no bytes')
        if data not in self._storages:
            self._storages[data] = read_storage(data, self._budget)
        return self._storages[data]

    def _tensor(
        self, storage: Any, offset: Any, size: Any, stride: Any, *_ignored: Any
    ) -> np.ndarray:
        whole = [offset, *size, *stride]
        if not isinstance(storage, np.ndarray) or not all(_whole(each) for each in whole):
            raise WireError('a tensor has no storage, or its place there is no whole number')
        if len(size) != 1 or len(stride) != 1:
            raise WireError(f'an action has {len(size)} dimensions, expected 1')
        count, step = size[0], max(stride[0], 1)
        if offset + (count - 1) * step >= len(storage):
            raise WireError(
                f'a tensor of {count} numbers from {offset} is not within its storage of '
                f'{len(storage)}'
            )
        found: np.ndarray = storage[offset::step][:count]
        return found


def _hooks() -> None:
    """Stand for a tensor's hooks, of which it has none."""


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def read_storage(data: bytes, budget: Budget) -> np.ndarray:
    """Read the numbers of a storage.

    Args:
        data: What `torch.save` wrote of it.
        budget: Steps that are left for the message.

    Returns:
        [n], float32 where they are bfloat16.

    Raises:
        WireError: When it is damaged, or its numbers are of a kind that no action has.
    """
    stream = BytesIO(data)

    def header() -> Any:
        return PickleReader(budget=budget).read(stream)

    magic, protocol, system = header(), header(), header()
    if (magic, protocol) != (MAGIC, PROTOCOL) or not isinstance(system, dict):
        raise WireError('a storage is none that torch has written')
    if system.get('little_endian') is not True:
        raise WireError('a storage is big-endian, expected little-endian')
    told = PickleReader(
        constants=frozenset(STORAGES), persistent=lambda found: found, budget=budget
    ).read(stream)
    keys = header()
    if not isinstance(told, tuple) or len(told) < 5 or told[0] != 'storage':
        raise WireError('a storage is described otherwise than torch does it')
    kind, key, count = told[1], told[2], told[4]
    if not isinstance(kind, str) or kind not in STORAGES or not _whole(count):
        raise WireError('a storage has no kind or no size')
    if not isinstance(key, str) or keys != [key]:
        raise WireError('a file of torch has more than one storage')
    dtype = np.dtype(STORAGES[kind])
    inside = int.from_bytes(stream.read(COUNT_BYTES), 'little')
    left = len(data) - stream.tell()
    if inside != count or left != count * dtype.itemsize:
        raise WireError(f'a storage of {count} numbers has {left} bytes, for {inside} of them')
    numbers = np.frombuffer(data, dtype, count, stream.tell())
    return (numbers.astype('<u4') << 16).view('<f4') if kind == BFLOAT16 else numbers
