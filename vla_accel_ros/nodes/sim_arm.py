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


"""sim_arm: an embedded robot as a robot would look from outside."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
import json

from geometry_msgs.msg import TwistStamped
import numpy as np
from std_msgs.msg import Float64, Float64MultiArray
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.nodes.arm_command_kind import TOPICS, TRAJECTORY, TWIST
from vla_accel_ros.nodes.sim_arm_input import JointTargets, TwistIntegrator
from vla_accel_ros.nodes.sim_arm_outputs import Outputs
from vla_accel_ros.nodes.sim_arm_robots import check_robot, make_robot
from vla_accel_ros.nodes.sim_arm_settings import SETTINGS
from vla_accel_ros.ros import base, qos
from vla_accel_ros.ros.messages import to_ns

# Simulated time starts above zero, which ROS takes for «no time yet».
FIRST_NS = 1_000_000_000
# Physics catches up with this many ticks at most; a longer stall is lost, not replayed.
CATCH_UP = 4


class SimArm(base.Node):
    """Take commands of tool or joints, give images, joint states and the tools' poses."""

    NAME = 'sim_arm'
    SETTINGS = SETTINGS

    def check(self, settings: Mapping[str, object]) -> None:
        """Refuse a task or a command that the robot does not know."""
        check_robot(settings)

    def configure(self) -> None:
        """Make the simulation, in the state that the seed and the task say."""
        settings = self.settings
        self._robot = robot = make_robot(settings)
        self._env = robot.env
        self._tick_ns = round(self._env.control_dt * 1e9)
        self._clock_ns = FIRST_NS
        self._input = TwistIntegrator(round(settings['command_timeout'] * 1e9))
        self._outputs = Outputs(self, robot, not settings['real_time'])
        self._targets = JointTargets(robot.joints)
        self._listen(settings['command'])
        for place, topic in enumerate(robot.grippers):
            self.subscribe(Float64, topic, partial(self._on_gripper, place), qos.CONTROL)
        self.serve(Trigger, '~/reset', self._on_reset)
        self.serve(Trigger, '~/success', self._on_success)
        self.serve(Trigger, '~/step', self._on_step)
        if settings['real_time']:
            self.every(self._env.control_dt, self._on_tick)
        self._restart()

    def activate(self) -> None:
        """Show the first images."""
        self._input.reset(self._time_ns())
        self._outputs.describe()
        self._last_tick_ns = self.steady.now().nanoseconds
        self._outputs.show(self._time_ns())

    def cleanup(self) -> None:
        """Free the renderers."""
        env, self._env = getattr(self, '_env', None), None
        if env is not None:
            env.close()

    def _listen(self, command: str) -> None:
        if command == TWIST:
            kind, heard = TwistStamped, self._on_twist
        elif command == TRAJECTORY:
            kind, heard = JointTrajectory, self._on_trajectory
        else:
            kind, heard = Float64MultiArray, self._on_positions
        self.subscribe(kind, TOPICS[command], heard, qos.CONTROL)

    # -- commands --------------------------------------------------------------------------------

    def _on_twist(self, message: TwistStamped) -> None:
        self.health.count('twists')
        frame = message.header.frame_id
        if frame and frame != self.settings['frame_id']:
            self.health.event(
                'wrong_frame', f'twist in {frame!r}, expected {self.settings["frame_id"]!r}'
            )
            return
        linear, angular = message.twist.linear, message.twist.angular
        twist = np.array([linear.x, linear.y, linear.z, angular.x, angular.y, angular.z])
        reason = self._input.command(twist, to_ns(message.header.stamp), self._time_ns())
        if reason:
            self.health.event(f'twist_{reason}')
            self.get_logger().debug(f'twist dropped: {reason}')

    def _on_positions(self, message: Float64MultiArray) -> None:
        self._take(message.data)

    def _on_trajectory(self, message: JointTrajectory) -> None:
        if not message.points:
            self.health.event('joints_empty')
            return
        # Who streams sends the next point before a tick is over.
        self._take(message.points[0].positions, message.joint_names)

    def _take(self, positions, names=()) -> None:
        self.health.count('joint_commands')
        if reason := self._targets.command(positions, names):
            self.health.event(f'joints_{reason}')
            self.get_logger().debug(f'joint command dropped: {reason}')

    def _on_gripper(self, place: int, message: Float64) -> None:
        if not np.isfinite(message.data):
            self.health.event('gripper_not_finite')
            return
        self._grippers[place] = float(np.clip(message.data, 0.0, 1.0))

    # -- services --------------------------------------------------------------------------------

    def _on_reset(self, _request, response: Trigger.Response) -> Trigger.Response:
        self._restart()
        if self.active:
            self._outputs.show(self._time_ns())
        response.success = True
        response.message = json.dumps(
            {'instruction': self._env.instruction, 'seed': self.settings['seed']}
        )
        return response

    def _on_success(self, _request, response: Trigger.Response) -> Trigger.Response:
        response.success = self._succeeded
        response.message = json.dumps(
            {
                'instruction': self._env.instruction,
                'success': self._succeeded,
                'done_now': self._held > 0,
                'steps': self._steps,
            }
        )
        return response

    def _on_step(self, _request, response: Trigger.Response) -> Trigger.Response:
        if self.settings['real_time']:
            response.message = 'real_time is on: the arm steps by itself'
        elif not self.active:
            response.message = f'the node is {self.state()}, expected active'
        else:
            self._advance(1)
            self._outputs.show(self._time_ns())
            response.success = True
            response.message = json.dumps({'time_ns': self._clock_ns, 'steps': self._steps})
        return response

    # -- time ------------------------------------------------------------------------------------

    def _on_tick(self) -> None:
        """Advance by the ticks that are due and show only the newest instant: never queue."""
        if not self.active:
            return
        now = self.steady.now().nanoseconds
        due = max(1, round((now - self._last_tick_ns) / self._tick_ns))
        self._last_tick_ns += due * self._tick_ns
        if due > 1:
            self.health.count('frames_skipped', due - 1)
        if due > CATCH_UP:
            self.health.event('stalled', f'{due - CATCH_UP} control ticks lost')
        self._advance(min(due, CATCH_UP))
        self._outputs.show(self._time_ns())

    def _time_ns(self) -> int:
        return self.now_ns() if self.settings['real_time'] else self._clock_ns

    def _advance(self, ticks: int) -> None:
        """Move by what was commanded since the last tick, in so many control ticks."""
        from vla_accel_ros.sim.env import HOLD_STEPS

        self._clock_ns += ticks * self._tick_ns
        moved = self._input.displacement(self._time_ns()) / ticks
        joints, grippers = self._targets.newest, self._grippers
        for _ in range(ticks):
            if joints is None:
                done = self._env.advance([*moved, *grippers])
            else:
                done = self._env.advance_joints(joints, *grippers)
            self._steps += 1
            self._held = self._held + 1 if done else 0
            self._succeeded = self._succeeded or self._held >= HOLD_STEPS

    def _restart(self) -> None:
        settings = self.settings
        self._robot.restart(settings['seed'], settings['task'])
        self._input.reset(self._time_ns())
        self._targets.reset(None if settings['command'] == TWIST else self._env.measured())
        self._grippers = [0.0] * len(self._robot.grippers)
        self._steps = self._held = 0
        self._succeeded = False


def main() -> int:
    """Run the node as a process."""
    return base.run(SimArm)


if __name__ == '__main__':
    raise SystemExit(main())
