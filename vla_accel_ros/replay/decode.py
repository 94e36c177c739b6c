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

"""From the bytes of a message to what it says."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from vla_accel_ros.inputs.instructions import check_instruction
from vla_accel_ros.inputs.pictures import compressed_to_array, image_to_array
from vla_accel_ros.inputs.trajectories import to_ns
from vla_accel_ros.replay.bag.raw import Raw
from vla_accel_ros.replay.roles import RAW, STRING

# Nothing that an arm does is larger, in m, rad, m/s or rad/s; squares and sums stay finite.
LARGEST = 1e9


class NotFiniteError(ValueError):
    """A message is well-formed and holds NaN, infinity, or a number that cannot be."""


class Decoder:
    """Reads the standard messages that a replay knows."""

    def __init__(self) -> None:
        self._store = _typestore()

    def message(self, raw: Raw):
        """Return the message, with the fields that its type has.

        Names in it that are no UTF-8 are read with question marks: nobody asks for a frame id.
        What a String says is asked for.

        Raises:
            ValueError: When the bytes are no such message.
        """
        data = raw.data
        while True:
            try:
                return self._store.deserialize_cdr(data, raw.kind)
            except Exception as error:
                # A parser at garbage: index, struct, memory errors; rosbags wraps some of them.
                cause = error.__cause__ or error.__context__ or error
                if isinstance(cause, UnicodeDecodeError) and raw.kind != STRING:
                    mended = _ascii(data, bytes(cause.object))
                    if mended != data:
                        data = mended
                        continue
                raise ValueError(
                    f'{len(raw.data)} bytes are no {raw.kind} ({type(cause).__name__}: {cause})'
                ) from None


@cache
def _typestore():
    """Return the types of messages; making them takes a tenth of a second."""
    from rosbags.typesys import Stores, get_typestore

    # The messages read here are the same from Humble to Jazzy.
    return get_typestore(Stores.ROS2_JAZZY)


def stamp_of(message) -> int | None:
    """Return a message's own stamp in nanoseconds, None where it has none."""
    header = getattr(message, 'header', None)
    return None if header is None else to_ns(header.stamp) or None


def picture(kind: str, message) -> np.ndarray:
    """Return an image message's pixels, uint8 [h, w, 3] RGB.

    Raises:
        ValueError: When header and data do not agree, or do not decode.
    """
    return image_to_array(message) if kind == RAW else compressed_to_array(message)


def number(message) -> float:
    """Return what a Float64 says.

    Raises:
        NotFiniteError: When it is no number.
    """
    return float(finite('value', np.array([message.data]))[0])


def text(message) -> str:
    """Return what a String says, without white space around it.

    Raises:
        ValueError: When it is no instruction; an empty one is.
    """
    said = message.data.strip()
    if said:
        check_instruction(said)
    return said


def gripper_joint(names: Sequence[str], column: str = 'gripper', alone: bool = True) -> str:
    """Return the joint that is a gripper's, '' where none is.

    Args:
        names: Of the joints.
        column: The gripper's column in an action.
        alone: Whether there is one gripper; of several only the column's own name tells which.
    """
    if column in names or not alone:
        return column if column in names else ''
    likely = [
        'gripper',
        *(n for n in names if 'gripper' in n.lower()),
        *(n for n in names if 'finger' in n.lower()),
    ]
    return next((name for name in likely if name in names), '')


def joint(message, name: str) -> float | None:
    """Return the position of a joint; None where the message is about other joints.

    Drivers publish joint states of a robot's parts one by one, and velocities without positions.

    Raises:
        ValueError: When it has fewer positions than names.
        NotFiniteError: When the position is no number.
    """
    names, positions = list(message.name), message.position
    if name not in names or len(positions) == 0:
        return None
    at = names.index(name)
    if at >= len(positions):
        raise ValueError(f'has {len(positions)} positions of {len(names)} joints')
    return float(finite(f'position of {name}', np.array([positions[at]]))[0])


def finite(what: str, values: np.ndarray) -> np.ndarray:
    """Return numbers that are some.

    Raises:
        NotFiniteError: When one is NaN, infinite, or none that can be.
    """
    # NaN compares as false.
    if not (np.abs(values) <= LARGEST).all():
        raise NotFiniteError(
            f'{what} is {values.tolist()}, expected finite numbers of at most {LARGEST:g}'
        )
    return values


def _ascii(data: bytes, text: bytes) -> bytes:
    """Return a message with question marks for what is not ASCII in a text of it."""
    plain = bytes(byte if byte < 128 else ord('?') for byte in text)
    return bytes(data).replace(text, plain, 1) if text else data
