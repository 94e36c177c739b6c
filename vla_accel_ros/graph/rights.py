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

"""What each process of the graph may publish, hear, serve and call: nothing else.

Said once, from the same list of processes that launch starts. A test compares it with the graph as
it runs, so that a topic or service that a node gets is missed here, and none is left over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from vla_accel_ros.graph.deployment import Deployment
from vla_accel_ros.graph.parameter_file import settings_of
from vla_accel_ros.graph.processes import Process, processes
from vla_accel_ros.nodes.arm_command_kind import TOPICS, TWIST, gripper_topics, space_of
from vla_accel_ros.nodes.sim_arm_settings import GRIPPERS, IMAGES, ONE_ARM, POSES
from vla_accel_ros.ros.enclave import OPERATOR, VIEWER
from vla_accel_ros.ros.parameter_check import full_name

# What every node has by ROS itself, and what a lifecycle node has.
OF_NODES = (
    *('~/describe_parameters', '~/get_parameter_types', '~/get_parameters', '~/list_parameters'),
    *('~/set_parameters', '~/set_parameters_atomically', '~/get_type_description'),
)
SERVICES = (
    *OF_NODES,
    *('~/change_state', '~/get_state', '~/get_available_states', '~/get_available_transitions'),
    '~/get_transition_graph',
)
OWN = ('/rosout', '/parameter_events')
SAID = (*OWN, '~/transition_event', '/diagnostics')


@dataclass(frozen=True)
class Rights:
    """What one process may do, by the names that its node uses; sorted, each once.

    Attributes:
        publish: Topics.
        subscribe: Topics.
        reply: Services that it serves.
        request: Services that it calls.
    """

    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    reply: tuple[str, ...] = ()
    request: tuple[str, ...] = ()


@dataclass(frozen=True)
class Enclave:
    """Who has the rights.

    Attributes:
        name: Of the node.
        namespace: Of the node, with its leading slash.
        rights: By full names.
    """

    name: str
    namespace: str
    rights: Rights = field(default_factory=Rights)

    @property
    def path(self) -> str:
        """The enclave's path: the full name of its node."""
        return full_name(self.name, self.namespace)


NODES = {
    'camera': Rights(publish=('vla/frame', 'vla/facts')),
    'scheduler': Rights(
        publish=(
            *('vla/action', 'vla/observation', 'vla/request', 'vla/decision', 'vla/facts'),
            *('vla/goal', 'vla/observation/compressed'),
        ),
        subscribe=(
            *('vla/frame', 'vla/action_chunk', 'vla/instruction', '/diagnostics'),
            *('vla/success', 'vla/goal_alive'),
        ),
        reply=('~/reset', '~/goal/start', '~/goal/cancel', '~/goal/finish'),
        # For a goal, which only the operator may start.
        request=('arm_command/enable', 'vla/clock'),
    ),
    'inference': Rights(
        publish=('vla/action_chunk', 'vla/tokens', 'vla/facts'),
        subscribe=('vla/observation', 'vla/observation/compressed', 'vla/request', 'proprio'),
        reply=('vla/clock',),
    ),
    'arm_command': Rights(
        publish=('vla/facts',),
        subscribe=('vla/action', 'vla/facts', '/diagnostics'),
        reply=('~/enable', '~/stop'),
    ),
    'sim_arm': Rights(
        publish=(*('~/state', 'proprio', 'joint_states', 'robot_description'),),
        reply=('~/reset', '~/success', '~/step'),
    ),
    # It looks on: not even the twists, whose listeners arm_command counts.
    'markers': Rights(
        publish=('vla/markers',),
        subscribe=(
            *('vla/decision', 'vla/action', 'vla/facts', '/diagnostics'),
            *('ee_pose', 'joint_states'),
        ),
    ),
}


def enclaves(deployment: Deployment) -> tuple[Enclave, ...]:
    """Return the rights of every process of a deployment, of the operator and of a viewer.

    Raises:
        ValueError: As `processes`.
    """
    listed = processes(deployment)
    return (
        *(_enclave(process, deployment) for process in listed),
        _operator(listed, deployment),
        _viewer(listed, deployment),
    )


def _enclave(process: Process, deployment: Deployment) -> Enclave:
    own, parameters = NODES[process.name], {**process.given, **process.parameters}
    publish, subscribe, request = [*own.publish], [*own.subscribe], [*own.request]
    reply = [*own.reply]
    if process.name == 'arm_command':
        publish += to_the_arm(parameters)
        if _command(parameters) == TWIST:
            subscribe.append('ee_pose')
            request.append('servo_node/switch_command_type')
        else:
            subscribe += ['joint_states', 'robot_description']
    if process.name == 'sim_arm':
        robot = str(parameters.get('robot', ONE_ARM))
        publish += [*IMAGES[robot], *POSES[robot]]
        subscribe += [TOPICS[_command(parameters)], *GRIPPERS[robot]]
    if process.name == 'inference':
        # One may serve several arms, each in a namespace below its own.
        arms = parameters.get('arms', _default(process.name, 'arms'))
        publish, subscribe, reply = (
            ['/'.join(filter(None, (arm, name))) for arm in arms for name in names]
            for names in (publish, subscribe, reply)
        )
    publish += SAID
    if process.name == 'camera':
        subscribe += parameters.get('image_topics', _default(process.name, 'image_topics'))
    if process.parameters.get('use_sim_time'):
        subscribe.append('/clock')
    if process.name == 'sim_arm' and not process.parameters.get('real_time', True):
        publish.append('/clock')
    space, remaps = deployment.namespace, process.remaps
    return Enclave(
        process.name,
        _space(space),
        Rights(
            *(
                _full(names, process.name, space, remaps)
                for names in (publish, subscribe, (*reply, *SERVICES), request)
            )
        ),
    )


def to_the_arm(parameters: Mapping[str, object]) -> list[str]:
    """Return the topics that move the arm; one process publishes them.

    Args:
        parameters: Those of arm_command that are set.

    Raises:
        ValueError: When kind of command and space of the actions do not go together.
    """
    settings = {
        name: parameters.get(name, _default('arm_command', name))
        for name in ('command', 'action_space')
    }
    return [TOPICS[_command(parameters)], *gripper_topics(space_of(settings))]


def _command(parameters: Mapping[str, object]) -> str:
    return parameters.get('command', _default('arm_command', 'command'))


def _operator(listed: Iterable[Process], deployment: Deployment) -> Enclave:
    """Return the rights of whoever enables: he hears all, instructs, and calls every service."""
    everything, called = [], []
    for process in listed:
        each = _enclave(process, deployment).rights
        everything += each.publish
        called += each.reply
    space = deployment.namespace
    said = (*OWN, 'vla/instruction', 'vla/success', 'vla/goal_alive')
    return Enclave(
        OPERATOR,
        _space(space),
        Rights(
            _full(said, OPERATOR, space),
            _full(everything, OPERATOR, space),
            _full(OF_NODES, OPERATOR, space),
            _full(called, OPERATOR, space),
        ),
    )


def _viewer(listed: Iterable[Process], deployment: Deployment) -> Enclave:
    """Return the rights of whoever looks on: he hears all, and says nothing but his log."""
    operator = _operator(listed, deployment).rights
    space = deployment.namespace
    return Enclave(
        VIEWER,
        _space(space),
        Rights(
            _full(OWN, VIEWER, space),
            operator.subscribe,
            _full(OF_NODES, VIEWER, space),
            tuple(name for name in operator.request if name.endswith('/get_state')),
        ),
    )


def _default(node: str, parameter: str) -> Iterable[str]:
    return next(each.default for each in settings_of(node) if each.name == parameter)


def _space(namespace: str) -> str:
    return f'/{namespace.strip("/")}'


def _full(names: Iterable[str], node: str, namespace: str, remaps=None) -> tuple[str, ...]:
    """Return absolute names, sorted, each once."""
    space, found = _space(namespace).rstrip('/'), set()
    for name in names:
        name = (remaps or {}).get(name, name)
        if name.startswith('~/'):
            name = f'{space}/{node}/{name[2:]}'
        found.add(name if name.startswith('/') else f'{space}/{name}')
    return tuple(sorted(found))
