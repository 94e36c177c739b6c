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


"""sim_arm over DDS: a robot as one looks from outside."""

from dataclasses import replace
import json

from geometry_msgs.msg import PoseStamped, TwistStamped
import numpy as np
import pytest
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float64
from std_srvs.srv import Trigger

from vla_accel_ros.nodes.sim_arm import FIRST_NS, SimArm
from vla_accel_ros.nodes.sim_arm_robots import JOINTS, TOOL
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.images import image_to_array
from vla_accel_ros.ros.messages import from_ns, to_ns
from vla_accel_ros.sim.env import TabletopEnv

TASK = 'pick up the red cube'
STEP_NS = 50_000_000


class Robot:
    """Someone who commands the arm and looks at it."""

    def __init__(self, graph, **parameters):
        self.graph = graph
        self.node = graph.add(SimArm, image_size=64, **parameters)
        self.twists = graph.publisher(TwistStamped, 'servo_node/delta_twist_cmds', qos.CONTROL)
        self.gripper = graph.publisher(Float64, 'gripper_command', qos.CONTROL)
        self.poses = graph.listen(PoseStamped, 'ee_pose', qos.SENSOR)
        self.states = graph.listen(JointState, 'proprio', qos.SENSOR)

    def call(self, name):
        answer = self.graph.call(Trigger, f'sim_arm/{name}', Trigger.Request())
        return answer.success, answer.message

    def step(self):
        """Step once and wait until the arm has shown itself."""
        shown = len(self.poses)
        success, message = self.call('step')
        assert success, message
        self.graph.until(lambda: len(self.poses) > shown, 'the step is shown')

    def twist(self, values, stamp_ns, frame='base_link'):
        message = TwistStamped()
        message.header.stamp, message.header.frame_id = from_ns(stamp_ns), frame
        linear, angular = message.twist.linear, message.twist.angular
        linear.x, linear.y, linear.z = map(float, values[:3])
        angular.x, angular.y, angular.z = map(float, values[3:])
        self.twists.publish(message)

    def position(self):
        point = self.poses[-1].pose.position
        return np.array([point.x, point.y, point.z])


@pytest.fixture
def stepped(graph):
    """A stepped arm that was reset to a known start."""
    robot = Robot(graph, real_time=False, seed=5, task=TASK)
    assert robot.call('reset')[0]
    return robot


def test_reset_says_the_instruction_and_the_seed_decides_the_start(stepped):
    answer = json.loads(stepped.call('reset')[1])
    assert answer == {'instruction': TASK, 'seed': 5}
    expected = TabletopEnv(image_size=64)
    expected.reset(seed=5, options={'task': TASK})
    stepped.step()
    stepped.graph.until(lambda: stepped.states, 'the state is shown')
    state = stepped.states[-1]
    assert state.name == [*JOINTS, *TOOL]
    assert np.array(state.position)[-len(TOOL) :] == pytest.approx(expected.proprio(), abs=2e-3)


def test_seed_and_task_of_the_next_reset_are_parameters(stepped):
    other = 'pick up the blue cube and place it in the bin'
    assert stepped.graph.set_parameters(stepped.node, seed=9, task=other).successful
    assert json.loads(stepped.call('reset')[1]) == {'instruction': other, 'seed': 9}
    refused = stepped.graph.set_parameters(stepped.node, task='make tea')
    assert not refused.successful
    assert 'pick up the red cube' in refused.reason


def test_a_step_moves_the_arm_by_twist_times_control_step_and_drives_the_clock(stepped):
    clock = stepped.graph.listen(Clock, '/clock', qos.SENSOR)
    stepped.step()
    start = stepped.position()
    begun = stepped.node._clock_ns
    for number in range(20):
        stepped.twist([0, 0, 0.1, 0, 0, 0], begun + number * STEP_NS)
        stepped.graph.until(
            lambda n=number: len(stepped.node._input._segments) > 0, 'the twist came'
        )
        stepped.step()
    # The controller trails its target by a few millimetres.
    assert stepped.position() - start == pytest.approx([0, 0, 0.1], abs=0.01)
    stepped.graph.until(
        lambda: clock and to_ns(clock[-1].clock) == begun + 20 * STEP_NS, 'the clock'
    )
    assert begun == FIRST_NS + STEP_NS


def test_a_twist_that_is_old_by_its_stamp_moves_nothing(stepped):
    stepped.step()
    start = stepped.position()
    stepped.twist([0, 0, 0.2, 0, 0, 0], stepped.node._clock_ns - 2 * STEP_NS - 1)
    stepped.graph.until(
        lambda: stepped.node.health.total('twist_stale') == 1, 'it is counted as stale'
    )
    stepped.step()
    assert stepped.position() == pytest.approx(start, abs=1e-3)


@pytest.mark.parametrize(
    ('reason', 'values', 'frame'),
    [
        ('twist_not_finite', [np.nan] * 6, 'base_link'),
        ('wrong_frame', [0, 0, 0.1, 0, 0, 0], 'camera_link'),
    ],
)
def test_a_bad_twist_is_dropped_by_name(stepped, reason, values, frame):
    stepped.twist(values, stepped.node._clock_ns, frame)
    stepped.graph.until(lambda: stepped.node.health.total(reason) == 1, reason)
    assert not stepped.node._input._segments


def test_the_gripper_closes_on_command(stepped):
    stepped.step()
    width = TOOL.index('finger_width') - len(TOOL)
    stepped.graph.until(lambda: stepped.states, 'the state is shown')
    opened = stepped.states[-1].position[width]
    stepped.gripper.publish(Float64(data=1.0))
    stepped.graph.until(lambda: stepped.node._grippers == [1.0], 'the command came')
    for _ in range(10):
        stepped.step()
    assert stepped.states[-1].position[width] < opened - 0.02
    stepped.gripper.publish(Float64(data=float('nan')))
    stepped.graph.until(
        lambda: stepped.node.health.total('gripper_not_finite') == 1, 'NaN is counted'
    )
    assert stepped.node._grippers == [1.0]


def test_success_is_asked_for_and_is_no_before_anything_moved(stepped):
    success, message = stepped.call('success')
    assert success is False
    assert json.loads(message) == {
        'instruction': TASK,
        'success': False,
        'done_now': False,
        'steps': 0,
    }


def test_both_cameras_show_the_same_instant_with_its_capture_stamp(stepped):
    topics = ('image_raw', 'wrist/image_raw')
    images = {topic: stepped.graph.listen(Image, topic, qos.SENSOR) for topic in topics}
    stepped.graph.until(
        lambda: all(stepped.node.count_subscribers(topic) for topic in topics), 'they are heard'
    )
    stepped.step()
    stepped.graph.until(lambda: all(images.values()), 'both are shown')
    stamps = {to_ns(messages[-1].header.stamp) for messages in images.values()}
    assert stamps == {stepped.node._clock_ns}
    views = [image_to_array(images[topic][-1]) for topic in topics]
    assert [view.shape for view in views] == [(64, 64, 3)] * 2
    assert all(view.std() > 10 for view in views)


def test_its_state_is_all_that_another_simulation_needs_to_look_the_same(stepped):
    states = stepped.graph.listen(JointState, 'sim_arm/state', qos.SENSOR)
    stepped.graph.until(lambda: stepped.node.count_subscribers('sim_arm/state'), 'it is heard')
    stepped.step()
    stepped.graph.until(lambda: states, 'the state is shown')
    assert to_ns(states[-1].header.stamp) == stepped.node._clock_ns
    other = TabletopEnv(image_size=64)
    other.restore_state(replace(other.save_state(), physics=np.array(states[-1].position)))
    difference = other.render_camera('agent').astype(int) - stepped.node._env.render_camera(
        'agent'
    )
    assert np.abs(difference).max() <= 2


def test_in_real_time_it_ticks_by_itself_and_cannot_be_stepped(graph):
    robot = Robot(graph, seed=5, task=TASK)
    graph.until(lambda: len(robot.poses) >= 5, 'it shows itself')
    success, message = robot.call('step')
    assert not success
    assert 'real_time' in message
    stamps = [to_ns(pose.header.stamp) for pose in robot.poses]
    assert stamps == sorted(set(stamps))
    assert abs(stamps[-1] - graph.peer.get_clock().now().nanoseconds) < 2 * 10**9


def test_an_inactive_arm_is_silent_and_moves_on_when_active_again(graph):
    robot = Robot(graph, seed=5, task=TASK)
    graph.until(lambda: robot.poses, 'it shows itself')
    assert graph.change_state(robot.node, 'deactivate')
    assert robot.call('reset')[0]
    silent = len(robot.poses)
    success, _ = robot.call('success')
    assert not success
    assert graph.change_state(robot.node, 'activate')
    graph.until(lambda: len(robot.poses) > silent, 'it shows itself again')
