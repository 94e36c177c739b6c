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

"""Messages of LeRobot's policy server: Protocol Buffers around pickles of its own classes.

Its classes are written by name, so that LeRobot need not be installed, and read as plain records.
Known for LeRobot 0.4.0 to 0.6.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
import pickle
from typing import Any

import numpy as np

from vla_accel_ros.remote.convention import MOST_ROWS
from vla_accel_ros.remote.pickle_reader import Budget, PickleReader, Record
from vla_accel_ros.remote.pickled_tensors import Tensors
from vla_accel_ros.remote.wire import WireError

MODULE = 'lerobot.async_inference.helpers'
ACTION = f'{MODULE}.TimedAction'
STATE, PICTURES, TASK = 'observation.state', 'observation.images.', 'task'
# A stream's message; the server takes 4 MiB at most.
PIECE = 2 * 2**20
BEGIN, MIDDLE, END = 1, 2, 3
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
MOST_SHIFT = 63


def write_bytes(number: int, value: bytes) -> bytes:
    """Write a field of bytes."""
    return _varint(number << 3 | LENGTH) + _varint(len(value)) + value


def read_bytes(message: bytes, number: int) -> bytes:
    """Read a field of bytes; empty where the message has none.

    Raises:
        WireError: When the message is damaged.
    """
    found, place = b'', 0
    while place < len(message):
        tag, place = _read_varint(message, place)
        kind = tag & 7
        size = {FIXED64: 8, FIXED32: 4}.get(kind, 0)
        if kind in (VARINT, LENGTH):
            value, place = _read_varint(message, place)
            size = value if kind == LENGTH else 0
        elif not size:
            raise WireError(f'the message is damaged: it has a field of kind {kind}')
        if place + size > len(message):
            raise WireError(f'the message is cut off: {size} bytes of a field are not there')
        if tag == number << 3 | LENGTH:
            found = message[place : place + size]
        place += size
    return found


def pieces(data: bytes) -> Iterator[bytes]:
    """Cut an observation into the messages of a stream."""
    for start in range(0, len(data), PIECE):
        last = start + PIECE >= len(data)
        state = END if last else MIDDLE if start else BEGIN
        head = _varint(1 << 3 | VARINT) + _varint(state)
        yield head + write_bytes(2, data[start : start + PIECE])


def features(cameras: Sequence[str], size: int, joints: Sequence[str]) -> dict[str, Any]:
    """Say what an observation has, as a LeRobot data set says it.

    Args:
        cameras: Names of the views.
        size: Their side, pixels.
        joints: Names of the state's numbers.
    """
    state = {'dtype': 'float32', 'shape': (len(joints),), 'names': list(joints)}
    names = ['height', 'width', 'channels']
    picture = {'dtype': 'image', 'shape': (size, size, 3), 'names': names}
    return {STATE: state, **{PICTURES + camera: picture for camera in cameras}}


def setup(policy: str, kind: str, rows: int, device: str, known: Mapping[str, Any]) -> bytes:
    """Write what the server shall load.

    Args:
        policy: Hub name, or folder of the server's machine.
        kind: LeRobot's name of the policy's type, such as `smolvla`.
        rows: Of a chunk, at most.
        device: Of the server, such as `cuda`.
        known: What `features` gives.
    """
    config = {
        'policy_type': kind,
        'pretrained_name_or_path': policy,
        'lerobot_features': dict(known),
        'actions_per_chunk': rows,
        'device': device,
        'rename_map': {},
    }
    return write_bytes(1, pickled('RemotePolicyConfig', config))


def observation(values: Mapping[str, object], timestep: int, timestamp: float) -> bytes:
    """Write an observation that the server must answer.

    Args:
        values: A float for each joint, a picture uint8 [h, w, 3] for each camera, and the task.
        timestep: Number of the question.
        timestamp: Unix time, seconds.
    """
    timed = {'timestamp': timestamp, 'timestep': timestep}
    # Without `must_go` it answers nothing while the arm has hardly moved.
    return pickled('TimedObservation', {**timed, 'observation': dict(values), 'must_go': True})


def read_actions(data: bytes, timestep: int, timestamp: float) -> np.ndarray | None:
    """Read an answer.

    Args:
        data: A pickled list of timed actions.
        timestep: The question's.
        timestamp: The question's.

    Returns:
        [n, columns]; None where it is the answer to another question.

    Raises:
        WireError: When it is no such list.
    """
    budget = Budget()
    reader = PickleReader(Tensors(budget).calls, frozenset({ACTION}), budget=budget)
    found = reader.read(BytesIO(data))
    if not isinstance(found, list) or not all(isinstance(each, Record) for each in found):
        raise WireError(f'the answer is {type(found).__name__}, expected a list of timed actions')
    if not 1 <= len(found) <= MOST_ROWS:
        raise WireError(f'the answer has {len(found)} actions, expected 1 to {MOST_ROWS}')
    rows = [each.values.get('action') for each in found]
    if not all(isinstance(row, np.ndarray) for row in rows):
        raise WireError('the answer has an action that is no tensor')
    if len({len(row) for row in rows}) > 1:
        raise WireError(f'the actions have {sorted({len(row) for row in rows})} columns')
    steps = [each.values.get('timestep') for each in found]
    if not all(isinstance(step, int) for step in steps):
        raise WireError('the answer has an action without its timestep')
    if steps[0] != timestep or found[0].values.get('timestamp') != timestamp:
        return None
    if steps != list(range(timestep, timestep + len(rows))):
        raise WireError('the timesteps of the actions do not follow one another')
    return np.stack(rows)


def pickled(name: str, state: Mapping[str, Any]) -> bytes:
    """Pickle an object of a class of LeRobot's, which need not be here.

    Args:
        name: Of the class.
        state: Its attributes.
    """
    protocol = 3
    inner = pickle.dumps(dict(state), protocol)[2:-1]
    head = bytes([0x80, protocol]) + f'c{MODULE}\n{name}\n'.encode()
    return head + b')\x81' + inner + b'b.'


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _read_varint(message: bytes, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, MOST_SHIFT + 1, 7):
        if place >= len(message):
            break
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise WireError('the message is damaged: a number in it does not end')
