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

"""What a row of the fault matrix says: one fault, and the test that does it."""

from __future__ import annotations

from dataclasses import dataclass

# What a cell says where no time is measured.
MOVES = 'moves on'
AT_REST = 'never moves'
HELD = 'at once'
BY_DRIVER = "the arm's own timeout"
STEADY = '`clock_patience`, on the steady clock'

ITSELF = 'by itself'
ENABLED = 'enabled again'
NO_NEED = 'did not stop'
PARAMETER = 'by itself, parameter set back'
GOOD = 'by itself, with a good checkpoint'
STARTED = 'by itself, once started again'


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        part: What of the system it is in.
        done: What was done.
        reasons: What `/diagnostics` names: `node: reason`, several with commas.
        back: How the motion came back.
        test: The id of the test in pytest.
        held: What the arm did; empty where the time until it held is measured.
    """

    part: str
    done: str
    reasons: str
    back: str
    test: str
    held: str = ''


def of(file: str, part: str, *rows: tuple[str, ...]) -> tuple[Fault, ...]:
    """Make the faults of one part that stand in one file of tests."""
    return tuple(
        Fault(part, done, reasons, back, f'test/{file}.py::test_{test}', *held)
        for done, reasons, back, test, *held in rows
    )
