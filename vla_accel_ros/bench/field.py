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

"""The engines of a run, and those that fell out of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
import sys
from typing import TypeVar

from vla_accel_ros.bench.turns import Facts, Turns

Answer = TypeVar('Answer')


class Field:
    """Those that are measured: one that fails is left out, and the others go on.

    Args:
        turns: One an engine; the first must not fail.
        names: Their engines' names, as many.

    Attributes:
        left_out: Why an engine fell out, by name.
    """

    def __init__(self, turns: Sequence[Turns], names: Sequence[str]) -> None:
        self._names = dict(zip(turns, names, strict=True))
        self.left_out: dict[str, str] = {}

    def left(self) -> list[tuple[Turns, str]]:
        """Return those that are left, in their order, with their names."""
        return [pair for pair in self._names.items() if pair[1] not in self.left_out]

    def facts(self) -> list[Facts]:
        """Ask what is to be known of each, once its model is ready.

        Raises:
            Exception: What the first one raises.
        """
        return list(self.each(lambda turns: turns.facts).values())

    def each(self, ask: Callable[[Turns], Answer]) -> dict[str, Answer]:
        """Ask each one that is left; give the answers by name.

        Raises:
            Exception: What the first one raises.
        """
        found: dict[str, Answer] = {}
        for place, (turns, name) in enumerate(self.left()):
            try:
                found[name] = ask(turns)
            except Exception as error:  # an engine's library may fail in any way
                if place == 0:
                    raise
                self.leave_out(turns, error)
        return found

    def leave_out(self, turns: Turns, error: Exception) -> None:
        """Leave one out, and say why."""
        name, why = self._names[turns], ' '.join(str(error).split()) or type(error).__name__
        self.left_out[name] = why
        print(f'bench: {name} is left out: {why}', file=sys.stderr)
        # Its model would take memory from the others until all are done.
        with suppress(Exception):
            turns.end()
