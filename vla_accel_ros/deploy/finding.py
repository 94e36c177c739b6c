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

"""What a check finds: a name that stays, a level, and a line for whoever sets the robot up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Level(str, Enum):
    """How bad a finding is. An error is a reason not to move the arm."""

    OK = 'ok'
    WARNING = 'warning'
    ERROR = 'error'


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        name: Which check: one of `compare.NAMES`.
        level: How bad it is.
        text: What the checkpoint wants and what the robot gives, in a line.
        remedy: What to do about it; empty where all is well.
    """

    name: str
    level: Level
    text: str
    remedy: str = ''

    @property
    def line(self) -> str:
        """The text with what to do."""
        return f'{self.text}: {self.remedy}' if self.remedy else self.text


def ok(name: str, text: str) -> Finding:
    """Return that all is well."""
    return Finding(name, Level.OK, text)


def warning(name: str, text: str, remedy: str) -> Finding:
    """Return what should be looked at."""
    return Finding(name, Level.WARNING, text, remedy)


def error(name: str, text: str, remedy: str) -> Finding:
    """Return what speaks against moving the arm."""
    return Finding(name, Level.ERROR, text, remedy)


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Return those that speak against moving the arm."""
    return [each for each in findings if each.level is Level.ERROR]
