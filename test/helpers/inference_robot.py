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


"""A scheduler around the inference node under test: it asks and hears the answers."""

from checkpoints import SIZE
import numpy as np
from sensor_msgs.msg import Image
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.actions import Action
from vla_accel_ros.nodes.inference import Inference
from vla_accel_ros.paths import DEFAULT_CHECKPOINT
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.images import array_to_image
from vla_accel_ros.ros.messages import request_to_message
from vla_accel_ros.scheduling.decision import Request

INSTRUCTION = 'pick up the red cube'


def frame(seed=0, size=SIZE, views=2):
    return np.random.default_rng(seed).integers(0, 256, (views * size, size, 3), np.uint8)


class Robot:
    """Asks the node and hears its answers."""

    def __init__(self, graph, folder, **parameters):
        self.graph = graph
        self.node = graph.add(
            Inference,
            checkpoint=str(folder) or DEFAULT_CHECKPOINT,
            threads=1,
            warm_up=1,
            nice=0,
            max_age=60.0,
            **parameters,
        )
        self.connect()

    @classmethod
    def of_arm(cls, graph, node, name):
        """Give the scheduler around one arm of a node that is there."""
        robot = cls.__new__(cls)
        robot.graph, robot.node = graph, node
        robot.connect(f'{name}/')
        return robot

    def connect(self, within=''):
        graph = self.graph
        self.observations = graph.publisher(Image, f'{within}vla/observation', qos.CONTROL)
        self.requests = graph.publisher(JointTrajectory, f'{within}vla/request', qos.CONTROL)
        self.chunks = graph.listen(JointTrajectory, f'{within}vla/action_chunk', qos.REPORT)

    def now(self):
        return self.graph.peer.get_clock().now().nanoseconds

    def observe(self, stamp_ns, pixels=None):
        pixels = frame() if pixels is None else pixels
        self.observations.publish(array_to_image(pixels, stamp_ns))

    def request(self, stamp_ns, instruction=INSTRUCTION, last_action=None, draft=None):
        self.requests.publish(
            request_to_message(Request(stamp_ns, instruction, last_action, draft), 0.05)
        )

    def ask(self, last=None, draft=None):
        number, stamp = len(self.chunks) + 1, self.now()
        self.request(stamp, last_action=None if last is None else Action(last), draft=draft)
        self.observe(stamp)
        return self.answer(number)

    def answer(self, number=1):
        self.graph.until(lambda: len(self.chunks) >= number, f'{number} answers')
        return self.chunks[number - 1]

    def counted(self, name, number=1):
        self.graph.until(lambda: self.node.health.total(name) >= number, f'{name} is counted')


def status(robot):
    return robot.node.health.status('inference', 'active')
