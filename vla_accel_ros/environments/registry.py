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

"""Environments by the name that they have on the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vla_accel_ros import extras
from vla_accel_ros.environments.interface import EnvironmentKind
from vla_accel_ros.environments.libero_env import SAMPLED as LIBERO_SAMPLED
from vla_accel_ros.environments.libero_env import LiberoKind
from vla_accel_ros.environments.libero_import import PREFIX as LIBERO
from vla_accel_ros.environments.robosuite_env import PREFIX as ROBOSUITE
from vla_accel_ros.environments.robosuite_env import RobosuiteKind
from vla_accel_ros.environments.simpler_env import PREFIX as SIMPLER
from vla_accel_ros.environments.simpler_env import SimplerKind
from vla_accel_ros.environments.tabletop import TabletopKind

# By name: how a kind is made, and whether a task stands behind the name and a colon.
KINDS: dict[str, tuple[Callable[..., EnvironmentKind], bool]] = {
    'tabletop': (TabletopKind, False),
    ROBOSUITE: (RobosuiteKind, True),
    LIBERO: (LiberoKind.parse, True),
    LIBERO_SAMPLED: (LiberoKind.parse_sampled, True),
    SIMPLER: (SimplerKind.parse, True),
}
HELP = (
    'tabletop, the embedded arm; robosuite:TASK, as Lift; libero:SUITE or libero:SUITE/TASK; '
    'simpler:TASK, as carrot; or any other of gymnasium as MODULE:ENV_ID'
)


def find(name: str, config: Path | None = None) -> EnvironmentKind:
    """Return the environment of a name.

    Args:
        name: See `HELP`.
        config: YAML file of `settings.Settings`, for others of gymnasium.

    Raises:
        ValueError: When there is none of that name, or it does not fit; says what to do.
        OSError: When there is no such file.
        ModuleNotFoundError: When the embedded arm is asked for and its extra is not installed.
    """
    module, _, inner = name.strip().partition(':')
    if module not in KINDS and module.lower() in KINDS:
        raise ValueError(
            f"there is no environment '{name}', expected '{module.lower()}' in small letters"
        )
    if module not in KINDS:
        from vla_accel_ros.environments import settings
        from vla_accel_ros.environments.gymnasium_env import GymnasiumKind

        given = settings.read(config) if config else settings.Settings()
        return GymnasiumKind.find(name.strip(), given)
    if config is not None:
        raise ValueError(f'--env-config is for other environments, {module} is known')
    make, with_task = KINDS[module]
    if bool(inner) != with_task:
        raise ValueError(f"environment '{name}' is unknown, expected {HELP}")
    if module == 'tabletop':
        extras.require('sim')
    return make(inner) if inner else make()


def check_sizes(image_size: int | None, max_steps: int | None) -> None:
    """Refuse what no environment can be made with; None is what it has by itself.

    Raises:
        ValueError: When a number is below 1.
    """
    for name, value in (('--image-size', image_size), ('--max-steps', max_steps)):
        if value is not None and value < 1:
            raise ValueError(f'{name} is {value}, expected at least 1')


def with_views(kind: EnvironmentKind, count: int) -> EnvironmentKind:
    """Return an environment that shows its first views only, as many as a checkpoint wants.

    Raises:
        ValueError: When it has fewer.
    """
    if count > len(kind.cameras):
        raise ValueError(
            f'the checkpoint wants {count} cameras, {kind.name} has {len(kind.cameras)}: '
            f'{", ".join(kind.cameras)}'
        )
    return replace(kind, cameras=kind.cameras[:count])
