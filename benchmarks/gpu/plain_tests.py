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

"""Tests that are marked `gpu`, run where pytest is not installed.

They may use marks, parameters, `tmp_path`, fixtures of their own file and of the `conftest.py`
beside it, `raises` and `skip`; of pytest there is no more here. Fixtures are made for each test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
import importlib.util
import inspect
from itertools import product
from pathlib import Path
import re
import sys
import tempfile
import time
import traceback
from types import ModuleType, SimpleNamespace
from typing import Any

# What tests may need beside pytest; without it a file is skipped.
OPTIONAL = ('hypothesis',)


class _Mark:
    """What `pytest.mark` is: it notes marks in the function."""

    def __getattr__(self, name: str) -> Any:
        def note(*values: Any) -> Any:
            # Without parentheses the function itself is what is called with.
            if len(values) == 1 and inspect.isfunction(values[0]):
                return _noted(values[0], name, ())
            return lambda function: _noted(function, name, values)

        return note


def _noted(function: Any, name: str, values: tuple[Any, ...]) -> Any:
    function.marks = [*getattr(function, 'marks', ()), (name, values)]
    return function


def _fixture(function: Any = None, **how: Any) -> Any:
    if function is None:
        return lambda wrapped: _fixture(wrapped, **how)
    function.fixture = how
    return function


@contextmanager
def _raises(kind: Any, match: str = '') -> Iterator[SimpleNamespace]:
    caught = SimpleNamespace(value=None)
    try:
        yield caught
    except kind as error:
        assert re.search(match, str(error)), f'{error}, expected {match}'
        caught.value = error
        return
    raise AssertionError(f'{kind} was not raised')


class _SkippedError(Exception):
    """A test that cannot be run here."""


def _skip(reason: str) -> None:
    raise _SkippedError(reason)


def _module() -> ModuleType:
    module = ModuleType('pytest')
    vars(module).update(mark=_Mark(), fixture=_fixture, raises=_raises, skip=_skip)
    return module


def run(files: Sequence[Path], helpers: Path) -> dict[str, dict[str, Any]]:
    """Run the marked tests of some files.

    Args:
        files: Of tests.
        helpers: Folder of modules that they share.

    Returns:
        By test how it ended, why, and the seconds that it took.
    """
    before, path = sys.modules.get('pytest'), list(sys.path)
    sys.modules['pytest'] = _module()
    try:
        found: dict[str, dict[str, Any]] = {}
        for file in files:
            sys.path[:0] = [str(helpers), str(file.parent)]
            found |= _of_file(file)
        return found
    finally:
        sys.path[:] = path
        del sys.modules['pytest']
        if before is not None:
            sys.modules['pytest'] = before


def _of_file(file: Path) -> dict[str, dict[str, Any]]:
    beside = file.with_name('conftest.py')
    try:
        shared = _functions(beside) if beside.exists() else {}
        functions = _functions(file)
    except ModuleNotFoundError as error:
        if error.name not in OPTIONAL:
            return {str(file): _ended(time.monotonic(), 'failed', traceback.format_exc())}
        return {str(file): _ended(time.monotonic(), 'skipped', str(error))}
    except Exception:  # the other files are run all the same
        return {str(file): _ended(time.monotonic(), 'failed', traceback.format_exc())}
    fixtures = {
        name: value for name, value in (shared | functions).items() if hasattr(value, 'fixture')
    }
    tests = {
        name: value
        for name, value in functions.items()
        if name.startswith('test_') and ('gpu', ()) in getattr(value, 'marks', ())
    }
    return {
        f'{file.name}::{name}[{number}]': _one(test, values, fixtures)
        for name, test in tests.items()
        for number, values in enumerate(_parameters(test))
    }


def _functions(file: Path) -> dict[str, Any]:
    """Import a file, and give its functions by name."""
    name = f'{file.parent.name}_conftest' if file.name == 'conftest.py' else file.stem
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    # Where dataclasses look for the module that they are defined in.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return {name: value for name, value in vars(module).items() if inspect.isfunction(value)}


def _parameters(test: Callable[..., None]) -> Iterator[dict[str, Any]]:
    axes = []
    for name, values in test.marks:
        if name != 'parametrize':
            continue
        names, rows = values
        several = not isinstance(names, str)
        axes.append(
            [dict(zip(names, row, strict=True)) if several else {names: row} for row in rows]
        )
    for picked in product(*axes):
        yield {name: value for part in picked for name, value in part.items()}


def _one(
    test: Callable[..., None], values: dict[str, Any], fixtures: dict[str, Any]
) -> dict[str, Any]:
    begin, made = time.monotonic(), dict(values)
    try:
        with ExitStack() as stack:

            def get(name: str) -> Any:
                if name in made:
                    return made[name]
                if name == 'tmp_path':
                    folder = stack.enter_context(tempfile.TemporaryDirectory())
                    made[name] = Path(folder)
                elif name in fixtures:
                    made[name] = _enter(stack, _call(fixtures[name], get))
                else:
                    raise LookupError(f'there is no fixture {name} beside the test')
                return made[name]

            for name, fixture in fixtures.items():
                if fixture.fixture.get('autouse'):
                    get(name)
            _call(test, get)
    except _SkippedError as why:
        return _ended(begin, 'skipped', str(why))
    except Exception:  # a test may fail in any way
        return _ended(begin, 'failed', traceback.format_exc())
    return _ended(begin, 'passed')


def _call(function: Callable[..., Any], get: Callable[[str], Any]) -> Any:
    return function(**{name: get(name) for name in inspect.signature(function).parameters})


def _enter(stack: ExitStack, value: Any) -> Any:
    if not inspect.isgenerator(value):
        return value
    stack.callback(next, value, None)
    return next(value)


def _ended(begin: float, outcome: str, why: str = '') -> dict[str, Any]:
    seconds = round(time.monotonic() - begin, 2)
    return {'outcome': outcome, 'why': why[-600:], 'seconds': seconds}
