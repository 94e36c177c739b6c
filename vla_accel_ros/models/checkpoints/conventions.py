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

"""What a checkpoint's folder says of its data: rate, frame, columns, views and state by name.

Neither weights nor statistics say these, and a robot that differs in one fails without a word.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.files.kinds import Kind, Maybe, Number, Part, Several, Word, check_fields, of
from vla_accel_ros.models.checkpoints.json_file import named, read_json

CONVENTIONS = 'conventions.json'
# By how the data set's name begins: actions a second that it was recorded at. LIBERO: the
# control_freq of its environments; Bridge, Fractal: the rates of SimplerEnv; DROID: its paper.
RATES_HZ = {'libero': 20.0, 'bridge': 5.0, 'fractal': 3.0, 'droid': 15.0}
NAMES = Several(Word(), 1, 256)


class Space(Kind):
    """An action space: the name of a known one, or its groups of columns."""

    expected = 'the name of an action space, or its groups'

    def read(self, value: object, where: str) -> ActionSpace:
        """Give the space; see `Kind.read`."""
        if isinstance(value, ActionSpace):
            return value
        try:
            return ActionSpace.from_values(value)
        except ValueError as error:
            raise self.refuse(value, f'{where} ({error})') from error


@dataclass(frozen=True)
class Conventions:
    """What holds for a checkpoint's data; None where nothing says it.

    Attributes:
        step_s: Duration of one action, s.
        frame: Frame of the actions.
        actions: Their columns.
        views: Names of the camera views, in order.
        state: Names of the numbers of proprioception, in order.
    """

    step_s: float | None = field(default=None, metadata=of(Maybe(Number(0.001, 10))))
    frame: str | None = field(default=None, metadata=of(Maybe(Word())))
    actions: ActionSpace | None = field(default=None, metadata=of(Maybe(Space())))
    views: tuple[str, ...] | None = field(default=None, metadata=of(Maybe(NAMES)))
    state: tuple[str, ...] | None = field(default=None, metadata=of(Maybe(NAMES)))

    def __post_init__(self) -> None:
        check_fields(self)


def read_conventions(folder: str | Path) -> Conventions:
    """Read a folder's `conventions.json`; where there is none, nothing is known.

    Raises:
        CheckpointError: When the file cannot be read, or says what it may not.
    """
    file = Path(folder) / CONVENTIONS
    if not (file.exists() or file.is_symlink()):
        return Conventions()
    values = read_json(file)
    with named(file):
        conventions: Conventions = Part(Conventions).read(values, '')
    return conventions


def known_step(key: str) -> float | None:
    """Give the duration of one action of a data set that is known by name, s."""
    return next((1 / hz for name, hz in RATES_HZ.items() if key.startswith(name)), None)
