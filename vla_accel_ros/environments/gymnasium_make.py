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

"""Environments of gymnasium, built and checked."""

from __future__ import annotations

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.environments.mapping import ActionMapping
from vla_accel_ros.environments.optional import import_optional
from vla_accel_ros.environments.settings import Settings
from vla_accel_ros.environments.simpler_import import check_driver, find_driver

# More than an arm does in a step: a space so wide is in the units of some controller.
_FARTHEST_M = 0.25


def make(name: str, settings: Settings):
    """Build an environment of gymnasium.

    Args:
        name: `module:EnvId` or an id.
        settings: Has the keyword arguments.

    Raises:
        ValueError: When the module is missing or has no such environment, its arguments are
            refused, or nothing draws for ManiSkill; says what there is.
    """
    import gymnasium

    module = name.partition(':')[0] if ':' in name else ''
    maniskill = module.partition('.')[0] == 'mani_skill'
    if maniskill:
        # It looks for a driver to draw with as soon as it is imported.
        find_driver()
    if module:
        import_optional(module)
    try:
        return gymnasium.make(name, **settings.make)
    except gymnasium.error.Error as error:
        top = module.partition('.')[0]
        there = [
            key
            for key, spec in gymnasium.registry.items()
            if top and str(spec.entry_point).startswith(top)
        ]
        has = f'; {module} has {", ".join(sorted(there)) or "none"}' if module else ''
        raise ValueError(f"no environment '{name}': {error}{has}") from error
    except TypeError as error:
        raise ValueError(f'{name} with {settings.make}: {error}') from error
    except RuntimeError:
        if maniskill:
            check_driver()
        raise


def bounds(env, mapping: ActionMapping, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of the action space after checking that the columns fit.

    Raises:
        ValueError: When they do not; names both shapes.
    """
    space = env.action_space
    box = hasattr(space, 'low') and hasattr(space, 'high')
    mapping.check(space.shape if box else None, name)
    low, high = (np.asarray(end, dtype=np.float64) for end in (space.low, space.high))
    widest = float(np.max(np.abs([low, high])[:, END_EFFECTOR.tool().translation]))
    if mapping == ActionMapping() and not widest <= _FARTHEST_M:
        raise ValueError(
            f'actions of {name} reach {widest:g} in x, y, z: no m a step. Say what they are '
            '(actions: osc_pose, or translation and rotation for one unit, in --env-config)'
        )
    return low, high
