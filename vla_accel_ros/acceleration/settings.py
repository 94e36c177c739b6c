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
from dataclasses import fields, replace
from typing import Any

from vla_accel_ros.acceleration.components import PLAIN_PRUNING
from vla_accel_ros.acceleration.method import Method
from vla_accel_ros.scheduling.config import PARAMETERS, SchedulerConfig

# A policy step is what the checkpoint was trained at: nothing to be compared.
SCHEDULER = {name: field for name, field in PARAMETERS.items() if name != 'policy_step'}
UNACCELERATED = SchedulerConfig(rule='never')
# The parameters of inference, those of its pruning method apart.
OTHERS = ('pruning', 'decoder', 'relaxed_bins', 'draft')
DEFAULTS = {field.name: field.default for field in fields(Method) if field.name in OTHERS}


def default_of(key: str, pruning: str) -> object:
    """Return a parameter's default, which tells its type.

    Args:
        key: Its name.
        pruning: The pruning method, whose parameters have names of their own.

    Raises:
        ValueError: When there is no such parameter; lists the ones there are.
    """
    if key in SCHEDULER:
        return getattr(UNACCELERATED, SCHEDULER[key])
    if key in DEFAULTS:
        return DEFAULTS[key]
    own = pruning_defaults(pruning)
    if key in own:
        return own[key]
    raise ValueError(
        f"parameter '{key}' is unknown, expected of the scheduler: {', '.join(SCHEDULER)}; of "
        f'inference: {", ".join(OTHERS)}; of the pruning method {pruning}: {", ".join(own)}'
    )


def pruning_defaults(pruning: str) -> dict[str, object]:
    """Return the defaults of a pruning method's parameters.

    Raises:
        ValueError: When there is no such method.
    """
    # Brings torch, which the help of the command line does without.
    from vla_accel_ros.pruning.registry import parameter_table

    return {info.name: info.default for info in parameter_table(pruning)}


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

    values = dict(settings)
    pruning = pruning_in(values)
    scheduler = {SCHEDULER[key]: values.pop(key) for key in list(values) if key in SCHEDULER}
    others = {key: values.pop(key) for key in list(values) if key in DEFAULTS}
    for key in values:
        default_of(key, pruning)
    if 'keep' in values and 'budget' in pruning_defaults(pruning):
        values.setdefault('budget', FIXED)
    method = Method(
        name,
        summary,
        replace(UNACCELERATED, **scheduler),
        **{**others, 'pruning': pruning},
        pruning_parameters=tuple(sorted(values.items())),
    )
    check(method)
    return method


def check(method: Method) -> None:
    """Refuse what no model can be run by.

    Raises:
        ValueError: When pruning method, decoder or draft is unknown, or a value is out of range.
    """
    from vla_accel_ros.decoding.registry import create
    from vla_accel_ros.models.heads.drafts import SOURCES
    from vla_accel_ros.pruning.registry import make_parameters

    make_parameters(method.pruning, **dict(method.pruning_parameters))
    create(method.decoder, method.relaxed_bins)
    if method.draft not in SOURCES:
        raise ValueError(f"draft is '{method.draft}', expected one of {', '.join(SOURCES)}")


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
