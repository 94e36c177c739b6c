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

"""The inference node of the embedded arm's joints: a policy of tools answers steps of joints.

The checkpoint's displacements become those of the joints by the arm's inverse kinematics, from
the joints measured when the cameras looked. Scheduler, arm_command and sim_arm are of joints, as
with a checkpoint that answers joints itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
import sys

from sensor_msgs.msg import JointState

from vla_accel_ros.deploy.wants import Wants
from vla_accel_ros.inputs.joint_states import ProprioBuffer
from vla_accel_ros.nodes.inference import Inference
from vla_accel_ros.observations import Observation
from vla_accel_ros.ros import base, qos
from vla_accel_ros.ros.messages import to_ns
from vla_accel_ros.sim.description import JOINT_NAMES
from vla_accel_ros.sim.joints import JOINT_STEPS

# Furthest that measured joints may be from the cameras' look, nanoseconds.
TOLERANCE_NS = 50_000_000


class JointPolicy:
    """Answers steps of the embedded arm's joints, by a policy of its tool.

    What it is asked of a policy beside that, the policy of the tool answers.

    Args:
        policy: Of the tool.
        joints: Keeps where the joints were.
    """

    space = JOINT_STEPS

    def __init__(self, policy, joints: ProprioBuffer) -> None:
        from vla_accel_ros.sim.env import TabletopEnv

        self._policy, self._joints = policy, joints
        self._env = TabletopEnv(cameras=())

    def __getattr__(self, name: str):
        return getattr(self._policy, name)

    def sibling(self) -> JointPolicy:
        """Return another, with a memory of its own."""
        return JointPolicy(self._policy.sibling(), self._joints)

    def predict(self, observation: Observation, resized: bool = False, **_of_joints):
        """Answer; drafts and tails are of joints, and the policy of the tool takes none.

        Args:
            observation: With the stamp of the cameras' look.
            resized: See `Policy.predict`.

        Raises:
            ValueError: When the joints of that moment are not known.
        """
        from vla_accel_ros.sim.joints import as_steps

        joints = self._joints.nearest(observation.stamp_ns, TOLERANCE_NS)
        found = self._policy.predict(observation, resized=resized)
        return replace(found, chunk_values=as_steps(self._env, found.chunk_values, joints))


class JointInference(Inference):
    """The inference node, with the arm's inverse kinematics behind the policy."""

    def configure(self) -> None:
        """Listen to the joints, too."""
        self._joints = ProprioBuffer(JOINT_NAMES, topic='joint_states')
        self.subscribe(JointState, 'joint_states', self._on_joints, qos.SENSOR)
        super().configure()

    def load(self, settings: Mapping[str, object]) -> JointPolicy:
        """Load a policy of a tool.

        Raises:
            ValueError: When its actions are no displacements of one tool.
        """
        from vla_accel_ros.models.serving import check_tool

        policy = super().load(settings)
        check_tool(policy)
        return JointPolicy(policy, self._joints)

    def wants(self, settings: Mapping[str, object], policy: JointPolicy) -> Wants:
        """Say what the policy wants, with the actions that leave this node."""
        wants = super().wants(settings, policy)
        kinds = tuple(group.kind.value for group in JOINT_STEPS.groups for _ in group.names)
        # How far a joint goes is not in the checkpoint's statistics: no further than they turn.
        actions = replace(wants.actions, kinds=kinds, names=JOINT_STEPS.names, step_m=0.0)
        return replace(wants, actions=actions)

    def _on_joints(self, message: JointState) -> None:
        self._joints.add(to_ns(message.header.stamp), message.name, message.position)


def main(argv: list[str] | None = None) -> int:
    """Run the node as a process."""
    return base.run(JointInference, argv)


if __name__ == '__main__':
    sys.exit(main())
