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

"""Extras: libraries that a robot does without, and the commands that want them.

Which library belongs to which extra is said in setup.py alone; it is read from the metadata of
the installed package.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
import re

PACKAGE = 'vla_accel_ros'
PURPOSES = {
    'sim': 'the embedded arm: demo, and eval, env and bench on it',
    'eval': 'bags, reports, plots and search: replay, tune, eval --report, bench --plot',
    'train': 'training: the embedded arm, and curves of the loss',
    'remote': 'policies over the network: vla-accel serve, and the parameter `remote`',
    'cluster': 'episodes on the machines of a Ray cluster: eval and tune --cluster',
    'engines': 'faster inference: ONNX Runtime, OpenVINO, and what makes graphs for them',
}
# Libraries that Python knows by another name than pip.
MODULES = {'grpcio': 'grpc'}
REQUIREMENT = re.compile(r"""^([\w.-]+)(.*?); *extra *== *["'](\w+)["']$""")


def libraries(extra: str) -> dict[str, str]:
    """List the libraries of an extra.

    Args:
        extra: One of `PURPOSES`.

    Returns:
        What pip is to install, by the library's name in Python: `{'mujoco': 'mujoco>=3.3'}`.
        Empty where the package is not installed but only on the path.
    """
    try:
        lines = requires(PACKAGE) or []
    except PackageNotFoundError:
        return {}
    found = {}
    for match in filter(None, map(REQUIREMENT.match, lines)):
        name, bounds, of = match.groups()
        if of == extra:
            found[MODULES.get(name, name.replace('-', '_'))] = (name + bounds).replace(' ', '')
    return found


def installed(library: str) -> str:
    """Return the version of a library, by its name in Python.

    Raises:
        PackageNotFoundError: When it is not installed.
    """
    names = {module: name for name, module in MODULES.items()}
    return version(names.get(library, library))


def missing(extra: str) -> list[str]:
    """List the libraries of an extra that are not installed, by their names in Python."""
    return [name for name in libraries(extra) if find_spec(name) is None]


def require(extra: str) -> None:
    """Refuse to go on without an extra, before anything is spent on what would fail at its end.

    Raises:
        ModuleNotFoundError: When one of its libraries is not installed.
    """
    for name in missing(extra):
        raise ModuleNotFoundError(f'{name} is not installed', name=name)


def extra_of(module: str, first: str = '') -> str | None:
    """Return the extra that brings a module.

    Args:
        module: Its name, such as `mujoco` or `plotly.io`.
        first: The extra to name where several bring it.

    Returns:
        None where no extra does.
    """
    top = module.partition('.')[0]
    order = sorted(PURPOSES, key=lambda extra: extra != first)
    return next((extra for extra in order if top in libraries(extra)), None)


def remedy(extra: str) -> str:
    """Return the command that installs the libraries of an extra, however this package came."""
    return 'pip install ' + ' '.join(f"'{each}'" for each in libraries(extra).values())
