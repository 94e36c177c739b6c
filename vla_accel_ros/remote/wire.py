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

"""Messages of openpi's websocket protocol: msgpack, with NumPy arrays as maps of bytes.

An array is a map of `__ndarray__`, `data`, `dtype` and `shape`, and a NumPy number one of
`__npgeneric__`, `data` and `dtype`, all keys being bytes, as the package `openpi-client` has
them. Only numbers and truth values are taken: no pickles, no objects.
"""

from __future__ import annotations

from math import prod
from typing import Any

import msgpack
import numpy as np

# Kinds of dtype that travel: truth values, integers and floating-point numbers.
KINDS = 'biuf'
# A message of sixteen large camera pictures is smaller.
MOST_BYTES = 64 * 2**20


class WireError(ValueError):
    """Bytes that are no message."""


def pack(value: object) -> bytes:
    """Write a message.

    Args:
        value: Maps, lists, texts, numbers and arrays of them.

    Raises:
        TypeError: When something in it has no form on the wire.
    """
    packed: bytes = msgpack.packb(value, default=_encode)
    return packed


def unpack(data: bytes) -> Any:
    """Read a message; its arrays cannot be written to.

    Raises:
        WireError: When the bytes are no msgpack, or an array in it is none.
    """
    try:
        return msgpack.unpackb(data, object_hook=_decode)
    except WireError:
        raise
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
        why = str(error) or type(error).__name__
        raise WireError(f'{len(data)} bytes are no msgpack message: {why}') from None


def _encode(value: object) -> dict[bytes, object]:
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in KINDS:
        if isinstance(value, np.generic):
            return {b'__npgeneric__': True, b'data': value.item(), b'dtype': value.dtype.str}
        return {
            b'__ndarray__': True,
            b'data': value.tobytes(),
            b'dtype': value.dtype.str,
            b'shape': value.shape,
        }
    raise TypeError(f'{type(value).__name__} has no form on the wire')


def _decode(entries: dict) -> Any:
    if b'__npgeneric__' in entries:
        return _dtype(entries).type(entries.get(b'data'))
    if b'__ndarray__' not in entries:
        return entries
    dtype, data, shape = _dtype(entries), entries.get(b'data'), entries.get(b'shape')
    sizes = shape if isinstance(shape, list | tuple) else [None]
    if not all(isinstance(size, int) and size >= 0 for size in sizes):
        raise WireError(f'an array has the shape {shape!r}, expected a list of sizes')
    wanted = prod(sizes) * dtype.itemsize
    if not isinstance(data, bytes) or len(data) != wanted:
        got = f'{len(data)} bytes' if isinstance(data, bytes) else type(data).__name__
        raise WireError(f'an array {dtype} {list(sizes)} has {got}, expected {wanted} bytes')
    return np.frombuffer(data, dtype).reshape(sizes)


def _dtype(entries: dict) -> np.dtype:
    name = entries.get(b'dtype')
    try:
        dtype = np.dtype(name) if isinstance(name, str) else None
    except (TypeError, ValueError, SyntaxError):
        # NumPy reads a name with commas as Python.
        dtype = None
    if dtype is None or dtype.kind not in KINDS:
        raise WireError(f'an array has the dtype {name!r}, expected one of numbers')
    return dtype
