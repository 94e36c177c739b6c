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

"""How a policy answers the scheduler's questions, in the ROS graph and in evaluation alike."""

from __future__ import annotations

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.models.checkpoints.conventions import CONVENTIONS
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.prediction import Prediction
from vla_accel_ros.motion import Motion
from vla_accel_ros.observations import Observation
from vla_accel_ros.scheduling.decision import Request


def check_space(policy: Policy) -> None:
    """Refuse a policy whose actions nobody here can execute.

    Raises:
        ValueError: When nothing says what the columns of its actions are.
    """
    if policy.space is None:
        raise ValueError(
            f'the checkpoint answers actions of {policy.config.action_dims} columns, and nothing '
            f'says what they are: expected the {END_EFFECTOR.width} of an end effector '
            f'({", ".join(END_EFFECTOR.names)}), or "actions" in its {CONVENTIONS}'
        )


def check_tool(policy: Policy) -> None:
    """Refuse a policy whose actions are no displacements of one tool.

    Raises:
        ValueError: When they are others, such as positions of joints.
    """
    check_space(policy)
    if policy.space != END_EFFECTOR:
        raise ValueError(
            f'the checkpoint answers {" ".join(policy.space.names)}, expected displacements of '
            f'one tool: {" ".join(END_EFFECTOR.names)}'
        )


def serve(
    policy: Policy,
    request: Request,
    observation: Observation,
    step_s: float,
    resized: bool = False,
) -> Prediction:
    """Answer a request; the first step of an episode, which has no last action, begins anew.

    Args:
        policy: The policy.
        request: Its last action steers pruning, its draft is verified, and a new chunk may go on
            from its tail.
        observation: Of the request's stamp.
        step_s: Seconds of a policy step.
        resized: See `Policy.predict`.

    Raises:
        ValueError: When the observation does not fit; see `Policy.predict`.
    """
    motion = None
    last = request.last_action
    if last is None:
        policy.reset()
    else:
        motion = Motion.from_action(last.values, step_s, last.space)
    return policy.predict(
        observation,
        resized=resized,
        motion=motion,
        draft=request.draft,
        tail=request.tail,
        delay=request.delay,
    )
