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


"""arm_command and the stepped arm in simulated time: what is commanded is what is moved."""

from geometry_msgs.msg import PoseStamped
import numpy as np
import pytest
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.actions import Action
from vla_accel_ros.nodes.arm_command import ArmCommand
from vla_accel_ros.nodes.sim_arm import SimArm
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import chunk_to_message

STEP = 0.05
FORWARD = np.array([0.005, 0.0, 0.003, 0.0, 0.0, 0.0, 0.0])


class Stepped:
    """The two nodes, an operator who steps, and a scheduler that commands."""

    def __init__(self, graph):
        self.graph = graph
        self.sim = graph.add(
            SimArm, real_time=False, image_size=32, seed=2, task='pick up the red cube'
        )
        self.actions = graph.publisher(JointTrajectory, 'vla/action', qos.CONTROL, partners=0)
        self.poses = graph.listen(PoseStamped, 'ee_pose', qos.SENSOR)
        self.arm = graph.add(
            ArmCommand,
            use_sim_time=True,
            max_rate=20.0,
            clock_patience=600.0,
            real_time_priority=False,
            **{'workspace.enabled': False},
        )
        graph.until(
            lambda: (
                self.actions.get_subscription_count()
                and self.sim.count_publishers('servo_node/delta_twist_cmds')
                and self.arm.count_subscribers('servo_node/delta_twist_cmds')
            ),
            'all are connected',
        )

    def call(self, kind, name, request):
        answer = self.graph.call(kind, name, request)
        assert answer.success, answer.message

    def step(self):
        shown = len(self.poses)
        self.call(Trigger, 'sim_arm/step', Trigger.Request())
        self.graph.until(lambda: len(self.poses) > shown, 'the step is shown')
        self.graph.until(
            lambda: self.arm.now_ns() == self.sim._clock_ns, 'the clock has come round'
        )

    def act(self):
        accepted = self.arm.health.total('actions_accepted')
        self.actions.publish(
            chunk_to_message(Action(FORWARD, self.sim._clock_ns), STEP, 'base_link')
        )
        self.graph.until(
            lambda: self.arm.health.total('actions_accepted') > accepted, 'it is accepted'
        )
        self.graph.until(
            lambda: self.in_force() == self.arm._guard.drive._stream._held, 'its twist came'
        )

    def hear(self):
        """Wait for the twist of this instant: time stands still until someone steps."""
        self.graph.until(
            lambda: (
                self.sim._input._segments
                and self.sim._input._segments[-1][0] == self.sim._clock_ns
            ),
            'a twist of this instant',
        )

    def in_force(self):
        """Return the newest twist that the arm took; of two at once it may miss the older."""
        segments = self.sim._input._segments
        return tuple(segments[-1][2].tolist()) if segments else None

    def position(self):
        point = self.poses[-1].pose.position
        return np.array([point.x, point.y, point.z])


def test_in_simulated_time_the_arm_moves_by_what_was_commanded_however_slow_the_steps(graph):
    robot = Stepped(graph)
    robot.step()
    robot.call(SetBool, 'arm_command/enable', SetBool.Request(data=True))
    robot.step()
    start = robot.position()
    for _ in range(20):
        robot.act()
        robot.step()
    for _ in range(6):
        robot.hear()
        robot.step()
    moved = robot.position() - start
    assert moved == pytest.approx(20 * FORWARD[:3], abs=1e-3)
    assert 'watchdog' in robot.arm.health.standing()
