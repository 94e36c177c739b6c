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

"""A scheduler between a camera, a VLA and an arm that the test plays."""

from diagnostic_msgs.msg import DiagnosticStatus
import numpy as np
from sensor_msgs.msg import Image
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.actions import ActionChunk
from vla_accel_ros.nodes.scheduler import SchedulerNode
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.images import array_to_image
from vla_accel_ros.ros.messages import chunk_to_message

STEP = 50_000_000
PIXELS = np.random.default_rng(0).integers(0, 256, (32, 16, 3), np.uint8)
# SP-VLA's scheduling, which asks and drafts in ways that are easy to follow.
SP_VLA = {
    'rule': 'velocity',
    'predictor': 'ridge',
    'gripper_guard': True,
    'prefetch_rows': 0,
    'replan_on_fine': True,
}
FORWARD = [0.02, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]


class Rig:
    """Plays them to the node under test."""

    def __init__(self, graph, instruction='pick up the red cube', **parameters):
        self.graph = graph
        parameters = {**SP_VLA, **parameters}
        self.node = graph.add(SchedulerNode, instruction=instruction, **parameters)
        self.health = self.node.health
        self.actions = graph.listen(JointTrajectory, 'vla/action', qos.CONTROL)
        self.requests = graph.listen(JointTrajectory, 'vla/request', qos.CONTROL)
        self.observations = graph.listen(Image, 'vla/observation', qos.CONTROL)
        self.decisions = graph.listen(DiagnosticStatus, 'vla/decision', qos.REPORT)
        self.camera = graph.publisher(Image, 'vla/frame', qos.FRAME)
        self.vla = graph.publisher(JointTrajectory, 'vla/action_chunk', qos.CONTROL)
        self.stamp_ns = 1_000_000_000_000
        for publisher in (self.node._action, self.node._request, self.node._decision):
            graph.until(publisher.get_subscription_count, 'the test is heard by')

    def decided(self, publish):
        """Publish and return the next decision as `kind: reason`."""
        count = len(self.decisions)
        publish()
        self.graph.until(lambda: len(self.decisions) > count, 'a decision')
        return self.decisions[count].message

    def frame(self):
        self.stamp_ns += STEP
        return self.decided(
            lambda: self.camera.publish(array_to_image(PIXELS, self.stamp_ns, 'agent'))
        )

    def answer(self, rows=(FORWARD,), stamp_ns=None, stats=None, step=0.05):
        chunk = ActionChunk(rows, self.stamp_ns if stamp_ns is None else stamp_ns)
        return self.decided(
            lambda: self.vla.publish(chunk_to_message(chunk, step, 'base_link', stats))
        )

    def drive(self, steps):
        """Let the VLA take that many steps."""
        for _ in range(steps):
            self.frame()
            self.answer()
