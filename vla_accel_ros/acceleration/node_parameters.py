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

"""Between a method and the parameters of the nodes scheduler and inference.

What a robot's nodes are told and what `vla-accel eval` is told become the same `Method`, and a
method that was found becomes parameters again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vla_accel_ros.acceleration.method import FLOW, Method
from vla_accel_ros.acceleration.settings import OTHERS, UNACCELERATED, check, settings_of
from vla_accel_ros.scheduling.config import PARAMETERS, SchedulerConfig

NODES = ('scheduler', 'inference')


def method_of(settings: Mapping[str, Any]) -> Method:
    """Make a method of a node's parameters; the half that the node does not have is as in none.

    For the scheduler's parameters nothing that needs torch is imported.

    Args:
        settings: All parameters of scheduler or of inference, by name.

    Raises:
        ValueError: When they do not make a method.
    """
    values = {**UNACCELERATED, **settings}
    scheduler = SchedulerConfig(
        **{field: values[name] for name, field in PARAMETERS.items() if name in values}
    )
    if 'pruning' not in settings:
        return Method('', '', scheduler, decoder=values['decoder'])
    method = Method(
        '',
        '',
        scheduler,
        settings['pruning'],
        tuple(sorted(_pruning_of(settings).items())),
        settings['decoder'],
        settings['relaxed_bins'],
        settings['draft'],
        *(settings.get(name, OTHERS[name].default) for name in FLOW),
    )
    check(method)
    return method


def read_pruning_parameters(text: object) -> dict[str, Any]:
    """Read the parameter `pruning_parameters`: a YAML mapping, empty for none.

    Raises:
        ValueError: When it is no mapping of names.
    """
    import yaml

    try:
        found = yaml.safe_load(text or '{}') if isinstance(text, str) else text
    except yaml.YAMLError as error:
        raise ValueError(f'pruning_parameters = {text!r} is no YAML: {error}') from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ValueError(
            f'pruning_parameters = {text!r}, expected a mapping in quotes: {{layer: 3}}'
        )
    return {str(key): value for key, value in found.items()}


def _pruning_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of the pruning method; those of others wait for their method."""
    from vla_accel_ros.pruning.registry import own_values

    given = read_pruning_parameters(settings['pruning_parameters'])
    common = {'keep': settings['keep'], 'budget': settings['budget']}
    if 'keep' in given:
        # Who writes a ratio beside the other parameters wants it kept.
        del common['budget']
    values = own_values(settings['pruning'], {**common, **given})
    return {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}


def parameters_of(method: Method) -> dict[str, dict[str, object]]:
    """Return a method as parameters: node -> parameter -> value.

    The policy step is not among them: it is the checkpoint's.
    """
    import yaml

    settings = settings_of(method)
    nested = settings.pop('pruning_parameters')
    text = yaml.safe_dump(nested, default_flow_style=True, width=10_000).strip() if nested else ''
    inference = {name: settings.pop(name) for name in OTHERS}
    return {'scheduler': settings, 'inference': {**inference, 'pruning_parameters': text}}
