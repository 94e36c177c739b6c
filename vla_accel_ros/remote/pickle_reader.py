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

"""Pickles of a server that may be hostile, read without Python's unpickler.

Nothing that a pickle names is ever looked up: the names of the protocol stand in a table of ours,
and any other ends the reading. What a pickle may say besides is numbers, texts, bytes, lists,
tuples and maps. Time and memory grow with the bytes that came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
import pickletools
from struct import error as struct_error
from typing import Any

from vla_accel_ros.remote.wire import WireError

# Of one message; a chunk of 1000 rows takes less than half of it.
MOST_STEPS = 250_000
CONSTANTS: dict[str, Any] = {'NONE': None, 'NEWTRUE': True, 'NEWFALSE': False, 'EMPTY_TUPLE': ()}
NUMBERS = ('BININT', 'BININT1', 'BININT2', 'LONG1', 'BINFLOAT')
TEXTS = ('BINUNICODE', 'SHORT_BINUNICODE', 'BINBYTES', 'SHORT_BINBYTES')
TUPLES = {'TUPLE1': 1, 'TUPLE2': 2, 'TUPLE3': 3}
OPCODES = {each.code: each for each in pickletools.opcodes}
DAMAGED = (ValueError, TypeError, IndexError, KeyError, OverflowError, struct_error)


@dataclass
class Record:
    """An object of another program's class.

    Attributes:
        name: Module and class.
        values: Its attributes.
    """

    name: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Named:
    name: str


@dataclass
class Budget:
    """Steps that are left for a message and what is in it."""

    left: int = MOST_STEPS


class PickleReader:
    """Reads pickles of one protocol.

    Args:
        calls: What stands for a function that a pickle may call, by module and name.
        classes: Classes whose objects become records.
        constants: Names that may stand alone; each is given as its name.
        persistent: Takes what a pickle says that lies outside of it; None where nothing may.
        budget: Shared with the readers of the same message.
    """

    def __init__(
        self,
        calls: Mapping[str, Callable[..., Any]] | None = None,
        classes: frozenset[str] = frozenset(),
        constants: frozenset[str] = frozenset(),
        persistent: Callable[[Any], Any] | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._calls, self._classes, self._constants = calls or {}, classes, constants
        self._persistent, self._budget = persistent, budget or Budget()
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def read(self, stream: BytesIO) -> Any:
        """Read one pickle; the stream stands behind it then.

        Raises:
            WireError: When it is damaged, too long, or names what is not of the protocol.
        """
        self._stack, self._marks, self._memo = [], [], {}
        try:
            while self._step(stream):
                pass
            return self._stack.pop()
        except WireError:
            raise
        except DAMAGED as error:
            why = str(error)[:80] or type(error).__name__
            raise WireError(f'the pickle is damaged: {why}') from None

    def _step(self, stream: BytesIO) -> bool:
        self._budget.left -= 1
        if self._budget.left < 0:
            raise WireError(f'the pickle has more than {MOST_STEPS} steps')
        code = stream.read(1)
        known = OPCODES.get(code.decode('latin-1'))
        name = known.name if known else ''
        # Before its argument is read: that of some takes longer than it is long.
        action = _ACTIONS.get(name)
        if known is None or action is None:
            raise WireError(f'the pickle has the step {name or code!r}, which is not read here')
        reader = _two_lines if name == 'GLOBAL' else known.arg.reader if known.arg else None
        action(self, name, reader(stream) if reader else None)
        return name != 'STOP'

    def _nothing(self, name: str, _value: Any) -> None:
        pass

    def _constant(self, name: str, _value: Any) -> None:
        self._stack.append(CONSTANTS[name])

    def _push(self, _name: str, value: Any) -> None:
        self._stack.append(value)

    def _list(self, _name: str, _value: Any) -> None:
        self._stack.append([])

    def _dict(self, _name: str, _value: Any) -> None:
        self._stack.append({})

    def _mark(self, _name: str, _value: Any) -> None:
        self._marks.append(len(self._stack))

    def _since(self, place: int) -> list[Any]:
        if not 0 <= place <= len(self._stack):
            raise WireError('the pickle is damaged: it takes more than it has')
        found = self._stack[place:]
        del self._stack[place:]
        return found

    def _tuple(self, name: str, _value: Any) -> None:
        count = TUPLES.get(name)
        place = self._marks.pop() if count is None else len(self._stack) - count
        self._stack.append(tuple(self._since(place)))

    def _append(self, name: str, _value: Any) -> None:
        found = self._since(self._marks.pop() if name == 'APPENDS' else len(self._stack) - 1)
        self._top(list).extend(found)

    def _set(self, name: str, _value: Any) -> None:
        found = self._since(self._marks.pop() if name == 'SETITEMS' else len(self._stack) - 2)
        if len(found) % 2 or not all(isinstance(key, str | int) for key in found[::2]):
            raise WireError('the pickle has a map whose keys are no texts or whole numbers')
        self._top(dict).update(zip(found[::2], found[1::2], strict=True))

    def _remember(self, _name: str, value: Any) -> None:
        self._memo[len(self._memo) if value is None else value] = self._stack[-1]

    def _recall(self, _name: str, value: Any) -> None:
        self._stack.append(self._memo[value])

    def _global(self, name: str, value: Any) -> None:
        parts = value if name == 'GLOBAL' else self._since(len(self._stack) - 2)
        if not all(isinstance(part, str) for part in parts):
            raise WireError('the pickle names something without a name')
        full = '.'.join(parts)
        if full in self._constants:
            self._stack.append(full)
        elif full in self._calls or full in self._classes:
            self._stack.append(_Named(full))
        else:
            raise WireError(f'the pickle names {full[:80]!r}, which is none of this protocol')

    def _reduce(self, _name: str, _value: Any) -> None:
        what, arguments = self._since(len(self._stack) - 2)
        call = self._calls.get(what.name) if isinstance(what, _Named) else None
        if call is None or not isinstance(arguments, tuple):
            raise WireError('the pickle calls what is no function of this protocol')
        self._stack.append(call(*arguments))

    def _new(self, _name: str, _value: Any) -> None:
        what, arguments = self._since(len(self._stack) - 2)
        if not isinstance(what, _Named) or what.name not in self._classes or arguments != ():
            raise WireError('the pickle makes an object that is none of this protocol')
        self._stack.append(Record(what.name))

    def _build(self, _name: str, _value: Any) -> None:
        state = self._stack.pop()
        if not isinstance(state, dict):
            raise WireError(f'the pickle has an object of {type(state).__name__}, expected a map')
        self._top(Record).values.update(state)

    def _outside(self, _name: str, _value: Any) -> None:
        if self._persistent is None:
            raise WireError('the pickle names something outside of it')
        self._stack.append(self._persistent(self._stack.pop()))

    def _top(self, kind: type) -> Any:
        if not isinstance(self._stack[-1], kind):
            raise WireError('the pickle is damaged: it fills what cannot be filled')
        return self._stack[-1]


def _two_lines(stream: BytesIO) -> list[str]:
    """Read module and name, as they stand."""
    return [stream.readline().rstrip(b'\n').decode() for _ in range(2)]


_ACTIONS: dict[str, Callable[[PickleReader, str, Any], None]] = {
    **dict.fromkeys(('PROTO', 'FRAME', 'STOP'), PickleReader._nothing),
    **dict.fromkeys(CONSTANTS, PickleReader._constant),
    **dict.fromkeys((*NUMBERS, *TEXTS), PickleReader._push),
    **dict.fromkeys(('TUPLE', *TUPLES), PickleReader._tuple),
    **dict.fromkeys(('APPEND', 'APPENDS'), PickleReader._append),
    **dict.fromkeys(('SETITEM', 'SETITEMS'), PickleReader._set),
    **dict.fromkeys(('MEMOIZE', 'BINPUT', 'LONG_BINPUT'), PickleReader._remember),
    **dict.fromkeys(('BINGET', 'LONG_BINGET'), PickleReader._recall),
    **dict.fromkeys(('GLOBAL', 'STACK_GLOBAL'), PickleReader._global),
    'MARK': PickleReader._mark,
    'EMPTY_LIST': PickleReader._list,
    'EMPTY_DICT': PickleReader._dict,
    'REDUCE': PickleReader._reduce,
    'NEWOBJ': PickleReader._new,
    'BUILD': PickleReader._build,
    'BINPERSID': PickleReader._outside,
}
