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

"""What has to be the same on every machine, for an episode to come out the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
import platform

from vla_accel_ros import __version__
from vla_accel_ros.devices import processor

# What decides the last bit of a picture or of an action.
LIBRARIES = ('mujoco', 'numpy', 'opencv-python-headless', 'pillow', 'tokenizers', 'torch')
_CODE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Facts:
    """One machine's.

    Attributes:
        host: Its name.
        processor: Its processor.
        python: Version, major and minor.
        package: Version of this package.
        code: SHA-256 of this package's Python files.
        libraries: Version of each of `LIBRARIES` that is installed.
    """

    host: str
    processor: str
    python: str
    package: str
    code: str
    libraries: dict[str, str]


def facts() -> Facts:
    """Return those of this machine."""
    return Facts(
        platform.node(),
        processor(),
        '.'.join(platform.python_version_tuple()[:2]),
        __version__,
        code_of(_CODE),
        {name: found for name in LIBRARIES if (found := _version(name))},
    )


def code_of(folder: Path) -> str:
    """Return the SHA-256 of the names and contents of all Python files of a folder."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob('*.py')):
        content = file.read_bytes()
        digest.update(f'{file.relative_to(folder).as_posix()} {len(content)}\n'.encode())
        digest.update(content)
    return digest.hexdigest()


def differences(here: Facts, there: Facts) -> list[str]:
    """Say what of another machine must be the same as here and is not; processors may differ."""
    found = []
    if here.python != there.python:
        found.append(f'Python is {there.python} there and {here.python} here')
    if here.package != there.package:
        found.append(f'vla_accel_ros is {there.package} there and {here.package} here')
    elif here.code != there.code:
        found.append(f'vla_accel_ros {here.package} has other code there than here')
    for name in LIBRARIES:
        mine, other = here.libraries.get(name), there.libraries.get(name)
        if mine != other:
            found.append(f'{name} is {other or "not installed"} there and {mine or "not"} here')
    return found


def asking() -> Callable[[], Facts | str]:
    """Return a function that gives a machine's facts, or says why it has none.

    It is sent as it stands, so that it also runs on a machine that does not have this package.
    """

    def ask():
        import platform

        try:
            from vla_accel_ros.cluster.facts import facts
        except ImportError as error:
            return f'{platform.node()}: {error}'
        return facts()

    return ask


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
