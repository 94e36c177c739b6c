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


"""What doctor says of a parameter file: whether the nodes take it, and the arm the checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vla_accel_ros.files.parameter_text import ParameterFileError
from vla_accel_ros.graph.deployment import Deployment
from vla_accel_ros.graph.machine import Finding
from vla_accel_ros.graph.parameter_file import settings_of
from vla_accel_ros.graph.processes import parameters_of_file, processes
from vla_accel_ros.models.checkpoints.largest_step import largest_step
from vla_accel_ros.paths import DEFAULT_CHECKPOINT, checkpoint_folder

# Displacement of one action, limit of it, limit of its speed: of translation and rotation.
KINDS = (
    ('m', 'limits.translation_step', 'limits.linear_speed'),
    ('rad', 'limits.rotation_step', 'limits.angular_speed'),
)
AGREEING = (
    ('policy_step', ('scheduler', 'inference')),
    ('frame_id', ('scheduler', 'inference', 'arm_command')),
)


def parameter_file(
    path: str, namespace: str, checkpoint: str | None = None, unnorm_key: str | None = None
) -> Iterator[Finding]:
    """Yield whether the nodes take a file, whether they agree, and the checkpoint's largest step.

    Args:
        path: The file.
        namespace: Of the nodes.
        checkpoint: Name or folder; what the file says of `inference` when None.
        unnorm_key: Data set of its statistics; likewise.
    """
    title = f'parameters {path}'
    try:
        deployment = Deployment(
            params_file=path, namespace=namespace, checkpoint=checkpoint or DEFAULT_CHECKPOINT
        )
        given = parameters_of_file(deployment)
        processes(deployment)
    except (ParameterFileError, FileNotFoundError, ValueError) as error:
        yield Finding(title, False, str(error), True, 'mend the file; config/arm.yaml has all')
        return
    values = {
        node: {each.name: each.default for each in settings_of(node)} | own
        for node, own in given.items()
    }
    count = sum(map(len, given.values()))
    yield Finding(title, True, f'{count} values for the nodes, each within its range', True)
    for name, nodes in AGREEING:
        yield from _agree(name, {node: values[node][name] for node in nodes})
    name = checkpoint or values['inference']['checkpoint']
    yield step_and_limits(name, unnorm_key or values['inference']['unnorm_key'] or None, values)


def _agree(name: str, of: Mapping[str, object]) -> Iterator[Finding]:
    if len(set(of.values())) > 1:
        said = ', '.join(f'{value!r} of {node}' for node, value in of.items())
        yield Finding(f'parameters {name}', False, said, True, 'the same for each of them')


def step_and_limits(
    checkpoint: str, unnorm_key: str | None, values: Mapping[str, Mapping[str, object]]
) -> Finding:
    """Say whether the arm would refuse the largest action that a checkpoint can ask for.

    Args:
        checkpoint: Name or folder.
        unnorm_key: Data set of its statistics; None where there is only one.
        values: Node -> parameter -> value.
    """
    title = 'limits'
    try:
        folder = checkpoint_folder(checkpoint)
        largest = largest_step(folder, unnorm_key)
    except (OSError, ValueError) as error:
        return Finding(
            title,
            False,
            f"not compared with checkpoint '{checkpoint}': {error}",
            remedy='name it with --checkpoint and --unnorm-key',
        )
    step_s, arm = values['scheduler']['policy_step'], values['arm_command']
    texts, refused = [], []
    for reach, (unit, step_limit, speed_limit) in zip(largest, KINDS, strict=True):
        speed = reach / step_s
        texts.append(f'{reach:.3g} {unit} in {step_s:g} s = {speed:.3g} {unit}/s')
        if reach > arm[step_limit]:
            refused.append(f'{step_limit} {arm[step_limit]:g} {unit}')
        if speed > arm[speed_limit]:
            refused.append(f'{speed_limit} {arm[speed_limit]:g} {unit}/s')
    text = f"the largest step of '{checkpoint}' is {' and '.join(texts)}"
    details = {'step_s': step_s, 'translation_m': largest[0], 'rotation_rad': largest[1]}
    if not refused:
        return Finding(title, True, f'{text}: within the limits', details=details)
    return Finding(
        title,
        False,
        f'{text}: above {", ".join(refused)}; arm_command refuses such actions whole',
        remedy='expected where the limits are meant to be tight; else look at policy_step, '
        'unnorm_key and the limits',
        details=details,
    )
