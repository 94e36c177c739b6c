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

"""Messages of OpenVLA's `/act`: JSON, with NumPy arrays as the package `json_numpy` has them.

An array is an object of `__numpy__` (base64), `dtype` and `shape`; the shape of a number is
empty. A server may also answer with a text that holds such JSON.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
import json
from math import prod
from typing import Any

import numpy as np

from vla_accel_ros.remote.wire import KINDS, WireError


def dumps(value: object) -> str:
    """Write a message.

    Raises:
        TypeError: When something in it has no form on the wire.
    """
    return json.dumps(value, default=_encode)


def loads(text: str | bytes) -> Any:
    """Read a message; a text that holds JSON is read, too.

    Raises:
        WireError: When the text is no JSON, or an array in it is none.
    """
    try:
        value = json.loads(text, object_hook=_decode)
        if isinstance(value, str) and value[:1] in ('{', '['):
            value = json.loads(value, object_hook=_decode)
    except WireError:
        raise
    except (ValueError, RecursionError) as error:
        raise WireError(f'the answer is no JSON: {error}') from None
    return value


def _encode(value: object) -> dict[str, object]:
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in KINDS:
        return {
            '__numpy__': b64encode(value.tobytes()).decode(),
            'dtype': value.dtype.str,
            'shape': list(value.shape),
        }
    raise TypeError(f'{type(value).__name__} has no form on the wire')


def _decode(entries: dict) -> Any:
    if '__numpy__' not in entries:
        return entries
    name, shape = entries.get('dtype'), entries.get('shape')
    try:
        dtype = np.dtype(name) if isinstance(name, str) else None
        data = b64decode(entries['__numpy__'])
    except (TypeError, ValueError, SyntaxError) as error:
        raise WireError(f'an array cannot be read: {error}') from None
    if dtype is None or dtype.kind not in KINDS or not isinstance(shape, list):
        raise WireError(f'an array is {name!r} {shape!r}, expected a dtype of numbers and sizes')
    if not all(isinstance(size, int) and size >= 0 for size in shape):
        raise WireError(f'an array has the shape {shape!r}, expected a list of sizes')
    if len(data) != prod(shape) * dtype.itemsize:
        raise WireError(f'an array {dtype} {shape} has {len(data)} bytes')
    array = np.frombuffer(data, dtype).reshape(shape)
    return array if shape else array[()]
