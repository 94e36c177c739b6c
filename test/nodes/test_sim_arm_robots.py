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

"""The simulated robot with two arms over DDS, behind arm_command, in both commands of joints."""

import json
import math
import time

from geometry_msgs.msg import PoseStamped
from joint_robots import row_of
import numpy as np
import pytest
from sensor_msgs.msg import JointState
from std_srvs.srv import SetBool
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.actions import Action
from vla_accel_ros.nodes.arm_command import ArmCommand
from vla_accel_ros.nodes.sim_arm import SimArm
from vla_accel_ros.nodes.sim_arm_robots import check_robot, make_robot
from vla_accel_ros.nodes.sim_arm_settings import ROBOTS
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import chunk_to_message
from vla_accel_ros.sim.rotations import DOWN
from vla_accel_ros.sim.two_arms import JOINT_NAMES, JOINT_SPACE, SIDES

STEP_S = 0.05
# rad an action: slower than the slowest joint may be.
PACE = 0.06
GOAL = [(np.array([0.5, 0.25, 0.2]), DOWN), (np.array([0.5, -0.2, 0.22]), DOWN)]


class TwoArmed:
    """The simulated robot, arm_command before it, and a driver of each arm's joint states."""

    def __init__(self, graph, folder, command):
        self.graph, self.told = graph, list(SIDES)
        file = folder / 'space.json'
        file.write_text(json.dumps(JOINT_SPACE.to_values()))
        self.sim = graph.add(
            SimArm,
            remaps=('joint_states:=all_joint_states',),
            robot='two_arms',
            command=command,
            image_size=32,
            seed=2,
        )
        self.drivers = {
            side: graph.peer.create_publisher(JointState, 'joint_states', qos.SENSOR)
            for side in SIDES
        }
        self.at = {}
        self.kept = graph.peer.create_subscription(
            JointState, 'all_joint_states', self._on_joints, qos.SENSOR
        )
        self.arm = graph.add(ArmCommand, command=command, action_space=str(file))
        self.actions = graph.publisher(JointTrajectory, 'vla/action', qos.CONTROL)

    def _on_joints(self, message):
        self.at.update(zip(message.name, message.position, strict=True))
        for side in self.told:
            own = {name: at for name, at in self.at.items() if name.startswith(side)}
            part = JointState(header=message.header, name=list(own), position=list(own.values()))
            self.drivers[side].publish(part)

    def measured(self):
        return np.array([self.at[name] for name in JOINT_NAMES])

    def enable(self):
        return self.graph.call(SetBool, 'arm_command/enable', SetBool.Request(data=True))

    def ready(self):
        self.graph.until(lambda: not self.arm._obstacles(), 'nothing stands against enabling')
        assert self.enable().success

    def act(self, joints, grippers=(0.0, 0.0)):
        stamp_ns = self.graph.peer.get_clock().now().nanoseconds
        action = Action(row_of(JOINT_SPACE, joints, grippers), stamp_ns, space=JOINT_SPACE)
        self.actions.publish(chunk_to_message(action, STEP_S, 'base_link'))

    def go(self, goal, grippers, there, what):
        """Send an action a step toward positions until something holds."""
        sent, due = self.measured(), 0.0

        def driven():
            nonlocal sent, due
            if time.monotonic() >= due:
                due = time.monotonic() + STEP_S
                sent = sent + np.clip(goal - sent, -PACE, PACE)
                self.act(sent, grippers)
            return there()

        self.graph.until(driven, what)

    def standing(self):
        return self.arm.health.standing().get('watchdog', '')


@pytest.mark.parametrize('command', ['joint_trajectory', 'joint_positions'])
def test_both_arms_reach_their_poses_and_are_held_where_they_are(graph, tmp_path, command):
    robot = TwoArmed(graph, tmp_path, command)
    poses = {side: graph.listen(PoseStamped, f'{side}_ee_pose', qos.SENSOR) for side in SIDES}
    robot.ready()
    goal = robot.sim._env.solve(GOAL)

    def there():
        places = [poses[side][-1].pose.position for side in SIDES if poses[side]]
        return len(places) == 2 and all(
            np.linalg.norm(wanted - [place.x, place.y, place.z]) < 0.01
            for place, (wanted, _) in zip(places, GOAL, strict=True)
        )

    robot.go(goal, (1.0, 0.0), there, 'both tools are there')
    graph.until(lambda: robot.sim._grippers == [1.0, 0.0], 'each gripper has its own command')
    graph.until(lambda: robot.standing() == 'no_action', 'the watchdog is named')
    graph.until(
        lambda: np.abs(robot.sim._targets.newest - robot.measured()).max() < 0.01,
        'both arms are held where they are measured',
    )


def test_a_bad_joint_of_one_arm_stops_both_and_its_lost_state_is_named(graph, tmp_path):
    robot = TwoArmed(graph, tmp_path, 'joint_trajectory')
    robot.told.remove('right')
    graph.until(lambda: robot.at, 'the robot tells its joints')
    missing = [name for name in JOINT_NAMES if name.startswith('right')]
    graph.until(
        lambda: f'joints_missing: no position of {", ".join(missing)}' in robot.enable().message,
        'the joints of the arm that is not told are named',
    )
    robot.told.append('right')
    robot.ready()
    start = robot.measured()
    robot.go(
        start + 0.5,
        (0.0, 0.0),
        # Held for late joint states, as on a busy machine, they would stay held for that.
        lambda: np.abs(robot.measured() - start).min() > 0.05 and not robot.standing(),
        'both arms move',
    )
    bad = robot.measured()
    bad[JOINT_NAMES.index('right_joint2')] = math.nan
    robot.act(bad)
    graph.until(lambda: robot.arm.health.total('nan_or_inf') == 1, 'the bad joint is refused')
    graph.until(lambda: robot.standing() == 'nan_or_inf', 'the arms are held for it')
    at = robot.measured()
    graph.until(
        lambda: np.abs(robot.sim._targets.newest - robot.measured()).max() < 0.01,
        'both arms are held where they are measured',
    )
    assert np.abs(robot.measured() - at).max() < 0.1
    robot.told.remove('left')
    robot.go(
        robot.measured(),
        (0.0, 0.0),
        lambda: robot.arm.health.total('joints_stale'),
        'the stale joints of one arm are named',
    )
    figures = {v.key: v.value for v in robot.arm.health.status('arm_command', 'active').values}
    assert 'left_joint1' in figures['last_refusal']
    assert 'right_joint' not in figures['last_refusal']


@pytest.mark.parametrize(
    ('settings', 'said'),
    [
        ({'command': 'twist', 'task': ''}, "command is 'twist' and robot 'two_arms'"),
        (
            {'command': 'joint_positions', 'task': 'pick up the red cube'},
            "task is 'pick up the red cube' and robot 'two_arms', expected none",
        ),
    ],
)
def test_what_two_arms_do_not_know_is_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        check_robot({'robot': 'two_arms', **settings})


@pytest.mark.parametrize('robot', ROBOTS)
def test_either_robot_draws_roughly_where_that_is_asked_for(robot):
    asked = {'robot': robot, 'image_size': 64, 'seed': 0, 'task': ''}
    for coarse in (False, True):
        env = make_robot({**asked, 'coarse': coarse}).env
        assert (env.model.vis.quality.offsamples == 0) is coarse
        env.close()
