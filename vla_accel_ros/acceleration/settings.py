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

"""From parameters by name to a method, and back; the names are those of the ROS nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vla_accel_ros.acceleration.components import PLAIN_PRUNING
from vla_accel_ros.acceleration.method import Method
from vla_accel_ros.options import Option, as_yaml, options_of
from vla_accel_ros.scheduling.config import PARAMETERS, SchedulerConfig

# A policy step is what the checkpoint was trained at: nothing to be compared.
SCHEDULER = {name: field for name, field in PARAMETERS.items() if name != 'policy_step'}
# The parameters of inference, those of its pruning method apart.
OTHERS = options_of(Method)
OPTIONS: dict[str, Option] = {
    **{name: options_of(SchedulerConfig)[field] for name, field in SCHEDULER.items()},
    **OTHERS,
}
# The policy at every step, nothing spared. Methods are said as changes of it, for a comparison
# has to know what is compared; the nodes come up with the defaults, which are what serves best.
UNACCELERATED: Mapping[str, Any] = {
    'rule': 'never',
    'predictor': 'ridge',
    'gripper_guard': True,
    'prefetch_rows': 0,
    'replan_on_fine': False,
    'pruning': 'none',
    'decoder': 'greedy',
}


def option_of(key: str, pruning: str) -> Option:
    """Return the declaration of a parameter.

    Args:
        key: Its name.
        pruning: The pruning method, whose parameters have names of their own.

    Raises:
        ValueError: When there is no such parameter; lists the ones there are.
    """
    if key in OPTIONS:
        return OPTIONS[key]
    # Brings torch, which the help of the command line does without.
    from vla_accel_ros.pruning.registry import parameters_of

    own = parameters_of(pruning)
    if key in own:
        return own[key]
    raise ValueError(
        f"parameter '{key}' is unknown, expected of the scheduler: {', '.join(SCHEDULER)}; of "
        f'inference: {", ".join(OTHERS)}; of the pruning method {pruning}: {", ".join(own)}'
    )


def keys_text() -> str:
    """Return the keys that every method has: what each is unaccelerated, its range, what for."""
    lines = []
    for name, each in OPTIONS.items():
        value = as_yaml(UNACCELERATED.get(name, each.default)).strip("'")
        bounds = f' ({each.bounds})' if each.bounds else ''
        lines.append(f'  {name + "=" + value:<32}{each.why}{bounds}')
    return '\n'.join(lines)


def pruning_defaults(pruning: str) -> dict[str, object]:
    """Return the defaults of a pruning method's parameters.

    Raises:
        ValueError: When there is no such method.
    """
    from vla_accel_ros.pruning.registry import parameters_of

    return {name: each.default for name, each in parameters_of(pruning).items()}


def pruning_in(settings: Mapping[str, Any]) -> str:
    """Return the pruning method that settings mean: a keep ratio wants one."""
    named: str = settings.get('pruning', 'none')
    return PLAIN_PRUNING if named == 'none' and 'keep' in settings else named


def make(name: str, summary: str, settings: Mapping[str, Any]) -> Method:
    """Build a method from parameters by name; what is left out is unaccelerated.

    A keep ratio asks a method that has a budget of its own for the fixed one.

    Args:
        name: What it is to be called.
        summary: One line on what it does.
        settings: Values of the right types.

    Raises:
        ValueError: When a parameter is unknown or a value is out of range.
    """
    from vla_accel_ros.pruning.parameters import FIXED

    pruning = pruning_in(settings)
    values = {**UNACCELERATED, **settings, 'pruning': pruning}
    scheduler = {SCHEDULER[key]: values.pop(key) for key in list(values) if key in SCHEDULER}
    others = {key: values.pop(key) for key in list(values) if key in OTHERS}
    for key in values:
        option_of(key, pruning)
    if 'keep' in values and 'budget' in pruning_defaults(pruning):
        values.setdefault('budget', FIXED)
    method = Method(
        name,
        summary,
        SchedulerConfig(**scheduler),
        **others,
        pruning_parameters=tuple(sorted(values.items())),
    )
    check(method)
    return method


def check(method: Method) -> None:
    """Refuse parameters that the pruning method does not take; the rest is checked already.

    Raises:
        ValueError: When it has none of a name, or a value is out of range.
    """
    from vla_accel_ros.pruning.registry import make_parameters

    make_parameters(method.pruning, **dict(method.pruning_parameters))


def settings_of(method: Method) -> dict[str, object]:
    """Return all of a method's settings as plain values, by the nodes' parameter names."""
    return {
        **{name: getattr(method.scheduler, field) for name, field in SCHEDULER.items()},
        **{name: getattr(method, name) for name in OTHERS},
        'pruning_parameters': {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in method.pruning_parameters
        },
    }
