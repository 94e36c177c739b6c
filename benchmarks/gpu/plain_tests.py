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

They may use marks, parameters, `tmp_path`, fixtures of their own file without arguments, and
`raises`; of pytest there is no more here.
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


def _module() -> ModuleType:
    module = ModuleType('pytest')
    vars(module).update(mark=_Mark(), fixture=_fixture, raises=_raises)
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
    try:
        spec = importlib.util.spec_from_file_location(file.stem, file)
        module = importlib.util.module_from_spec(spec)
        # Where dataclasses look for the module that they are defined in.
        sys.modules[file.stem] = module
        spec.loader.exec_module(module)
    except Exception:  # the other files are run all the same
        return {str(file): _ended(time.monotonic(), traceback.format_exc())}
    functions = {name: value for name, value in vars(module).items() if inspect.isfunction(value)}
    fixtures = {name: value for name, value in functions.items() if hasattr(value, 'fixture')}
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
    begin = time.monotonic()
    wanted = set(inspect.signature(test).parameters) - set(values)
    try:
        with ExitStack() as stack:
            for name, fixture in fixtures.items():
                if name not in wanted and not fixture.fixture.get('autouse'):
                    continue
                made = fixture()
                if inspect.isgenerator(made):
                    stack.callback(next, made, None)
                    made = next(made)
                if name in wanted:
                    values = {**values, name: made}
            if 'tmp_path' in wanted:
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                values = {**values, 'tmp_path': Path(folder)}
            test(**values)
    except Exception:  # a test may fail in any way
        return _ended(begin, traceback.format_exc())
    return _ended(begin, '')


def _ended(begin: float, why: str) -> dict[str, Any]:
    seconds = round(time.monotonic() - begin, 2)
    return {'outcome': 'failed' if why else 'passed', 'why': why[-600:], 'seconds': seconds}
