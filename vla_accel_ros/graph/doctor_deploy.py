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

"""What doctor says of a robot before it moves: whether it is what the checkpoint wants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from vla_accel_ros.deploy.compare import compare
from vla_accel_ros.deploy.finding import Finding, error, ok, warning
from vla_accel_ros.deploy.robot import Facts, ModelFacts, SchedulerFacts
from vla_accel_ros.deploy.wants import Wants
from vla_accel_ros.graph.deployment import Deployment
from vla_accel_ros.graph.parameter_file import settings_of
from vla_accel_ros.graph.processes import camera_parameters, parameters_of_file
from vla_accel_ros.models.declaration import declaration
from vla_accel_ros.paths import DEFAULT_CHECKPOINT, checkpoint_folder
from vla_accel_ros.remote.wants import wants_of_server

# Parts of the facts, and the nodes that tell them.
TOLD_BY = {
    'camera': 'camera',
    'scheduler': 'scheduler',
    'model': 'inference',
    'arm': 'arm_command',
}
NODES, CHECKPOINT = 'nodes', 'checkpoint'
Values = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True)
class Question:
    """What is to be looked at.

    Attributes:
        checkpoint: Name or folder; None for that of the inference node, or of the file.
        unnorm_key: Data set of its statistics; likewise.
        params_file: Parameter file of the nodes, for those that do not run; may be empty.
        namespace: Of the nodes.
        seconds: For how long the robot is listened to, at most.
        domain: ROS domain; that of the environment when None.
    """

    checkpoint: str | None = None
    unnorm_key: str | None = None
    params_file: str = ''
    namespace: str = ''
    seconds: float = 5.0
    domain: int | None = None


def deployed(question: Question) -> Iterator[Finding]:
    """Listen to a robot, and yield whether its nodes are heard and what fits or does not.

    Raises:
        ValueError: When the parameter file or the namespace is no good.
        FileNotFoundError: When there is no such file.
    """
    # ROS is slow to import, and only this needs it.
    from vla_accel_ros.graph.deploy_listener import DeployListener

    values = parameters(question)
    namespace = question.namespace.strip('/')
    listener = DeployListener(
        f'/{namespace}' if namespace else '',
        values['camera']['image_topics'],
        list(filter(None, values['inference']['proprio_names'])),
        question.domain,
    )
    try:
        # The drivers are measured where the nodes that measure them do not run.
        heard = listener.listen(question.seconds, _is_whole)
        measured = listener.camera(values['camera']).camera
        state = listener.state(values['inference']['proprio_tolerance'])
    finally:
        listener.close()
    yield _nodes(heard, bool(question.params_file), question.seconds)
    wants = heard.wants
    if wants is None or question.checkpoint is not None or question.unnorm_key:
        try:
            wants = _declared(question, values)
        except (OSError, ValueError) as found:
            yield error(CHECKPOINT, str(found), 'name a checkpoint and its unnorm_key')
            wants = None
    if not (question.params_file or any(view.encoding for view in measured.views)):
        # Nobody said which topics the cameras have, and there is nothing on the usual ones.
        measured = None
    facts = replace(heard, wants=wants, camera=heard.camera or measured)
    if question.params_file:
        facts = _with_file(facts, values)
    if facts.state is None:
        facts = replace(facts, state=state)
    yield from compare(facts)


def parameters(question: Question) -> Values:
    """Return the parameters of the nodes, by node and name, as a parameter file sets them.

    Raises:
        ValueError: When the file is no good.
        FileNotFoundError: When there is no such file.
    """
    values = {
        node: {each.name: each.default for each in settings_of(node)} for node in TOLD_BY.values()
    }
    if question.params_file:
        deployment = Deployment(
            params_file=question.params_file,
            namespace=question.namespace,
            checkpoint=question.checkpoint or DEFAULT_CHECKPOINT,
        )
        for node, own in parameters_of_file(deployment).items():
            if node in values:
                values[node] |= own
    if _of_server(question, values):
        values['camera']['image_size'] = values['inference']['remote_image_size']
        return values
    # The launch file sets these by the checkpoint.
    name = question.checkpoint or str(values['inference']['checkpoint'])
    values['camera'] |= {
        each: value
        for each, value in camera_parameters(name).items()
        if each in ('image_size', 'resize')
    }
    return values


def _is_whole(facts: Facts) -> bool:
    """Say whether all nodes are heard, and have measured for long enough."""
    parts = (facts.wants, facts.camera, facts.scheduler, facts.model, facts.arm)
    if any(part is None for part in parts) or facts.camera is None or facts.wants is None:
        return False
    streams = [view.stream for view in facts.camera.views]
    if facts.wants.state.width:
        if facts.state is None:
            return False
        streams.append(facts.state.stream)
    return all(stream.rate_hz is not None for stream in streams)


def _nodes(heard: Facts, has_file: bool, seconds: float) -> Finding:
    silent = [node for part, node in TOLD_BY.items() if getattr(heard, part) is None]
    if not silent:
        return ok(NODES, f'{", ".join(TOLD_BY.values())} are heard')
    text = f'not heard within {seconds:g} s: {", ".join(silent)}'
    if has_file:
        return warning(NODES, text, 'the parameter file stands for them')
    return error(
        NODES,
        text,
        'start them (they have to be active), look at --namespace and ROS_DOMAIN_ID, or give '
        '--params-file',
    )


def _of_server(question: Question, values: Values) -> bool:
    """Say whether a policy server answers, and not the checkpoint that is asked about."""
    return bool(values['inference']['remote']) and not question.checkpoint


def _declared(question: Question, values: Values) -> Wants:
    if _of_server(question, values):
        return wants_of_server(values['inference'])
    name = question.checkpoint or str(values['inference']['checkpoint'])
    key = question.unnorm_key or str(values['inference']['unnorm_key']) or None
    return declaration(checkpoint_folder(name), key, name)


def _with_file(facts: Facts, values: Values) -> Facts:
    """Put what a parameter file says in the place of nodes that are not heard."""
    from vla_accel_ros.nodes.arm_command_findings import arm_facts
    from vla_accel_ros.nodes.arm_command_kind import space_of

    scheduler, inference = values['scheduler'], values['inference']
    return replace(
        facts,
        scheduler=facts.scheduler
        or SchedulerFacts(
            scheduler['policy_step'],
            scheduler['frame_id'],
            scheduler['answer_timeout'],
            scheduler['max_staleness'],
            scheduler['instruction'],
        ),
        model=facts.model or ModelFacts(inference['policy_step'], inference['frame_id']),
        arm=facts.arm or arm_facts(values['arm_command'], space_of(values['arm_command'])),
    )
