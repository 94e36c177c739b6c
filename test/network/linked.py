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

"""The robot on one host, inference on another, and the link between them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import os
from pathlib import Path
from socket import socket
import time
from unittest.mock import patch

from arm_recorder import EVERY_ONE, NS
from diagnostic_msgs.msg import DiagnosticStatus
from rig import Rig
from sensor_msgs.msg import Image
from wandering import INSTRUCTION

from benchmarks.network.link import Link, variables
from vla_accel_ros.graph.demo_graph import reserve_domain
from vla_accel_ros.graph.parameter_file import settings_of
from vla_accel_ros.graph.processes import Deployment
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import message_to_decision

# From the scheduler to the witness on a machine with other things to do.
DELIVERY_S = 0.3
DEFAULTS = {setting.name: setting.default for setting in settings_of('scheduler')}
# Why a decision took an answer over: `Scheduler.on_answer`.
USED = ('answered', 'draft_confirmed', 'step_already_served')


class LinkedRig(Rig):
    """A rig of which one node runs beyond a link.

    Args:
        robot: The robot's side.
        gpu: The other side.
        link: Between the two, to be made worse.
        logs: Folder for the processes' output.
        reserved: What `reserve_domain` gave.

    Attributes:
        link: As given.
        raw_bytes: Of an observation as the camera node sends it, 0 before the first.
        answers_ms: How long the answers took that were used since `verified` began to act.
    """

    def __init__(
        self,
        robot: Deployment,
        gpu: Deployment,
        link: Link,
        logs: Path,
        reserved: tuple[int, socket],
    ) -> None:
        super().__init__(robot, logs, reserved=reserved)
        self.link, self.raw_bytes = link, 0
        self.processes.add(gpu, link.on_gpu)
        self._most_s = DEFAULTS['max_staleness'] + DELIVERY_S
        self.answers_ms: list[float] = []
        self._too_old: list[str] = []
        self.peer.create_subscription(Image, 'vla/frame', self._on_frame, qos.FRAME)
        self.peer.create_subscription(
            DiagnosticStatus, 'vla/decision', self._on_decision, EVERY_ONE
        )

    def lasts(self, seconds: float) -> None:
        """Spin for as long: a cut of the link has a length."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end, f'{seconds} s have passed', seconds + 30.0)

    @contextmanager
    def worse(self, **link) -> Iterator[None]:
        """Have the link be so meanwhile."""
        self.link.be(**link)
        try:
            yield
        finally:
            self.link.be()

    def verified(self, act: Callable[[], None]) -> None:
        """Do something to the arm in motion, and see that nothing unsafe came of it."""
        self.link.be()
        self.reset_table()
        assert self.enable().success
        self.moves()
        self.reports.mark()
        self.answers_ms.clear()
        act()
        self.recorder.verify()
        assert self.answers_ms, 'not one answer was used'
        assert not self._too_old, self._too_old
        assert self.errors == []
        assert self.processes.all_alive()

    def _on_frame(self, message: Image) -> None:
        self.raw_bytes = len(message.data)

    def _on_decision(self, message: DiagnosticStatus) -> None:
        """Note an answer that was used, and one that was too old for it by the stamps alone."""
        decision = message_to_decision(message)
        if decision['reason'] not in USED:
            return
        self.answers_ms.append(float(decision['latency_ms']))
        age_s = (self.now_ns() - int(decision['stamp_ns'])) / NS
        if age_s > self._most_s:
            self._too_old.append(f'{message.message}: the observation is {age_s:.3f} s old')


@contextmanager
def two_hosts(checkpoint: Path, logs: Path, server: bool = False) -> Iterator[LinkedRig]:
    """Run the robot's side and the GPU's on a host each, active.

    Args:
        checkpoint: Folder of the policy.
        logs: Folder for the processes' output.
        server: Whether they find each other through a discovery server on the robot's host.
    """
    reserved = reserve_domain()
    with Link() as link, link.on_robot(), patch.dict(os.environ, variables(server)):
        if server:
            # Another pair of hosts may have set it, and it would do without the server.
            os.environ.pop('ROS_STATIC_PEERS', None)
            link.serve_discovery()
        robot = Deployment(
            sim=True, side='robot', checkpoint=str(checkpoint), instruction=INSTRUCTION
        )
        gpu = Deployment(side='gpu', checkpoint=str(checkpoint), device='cpu')
        rig = LinkedRig(robot, gpu, link, logs, reserved)
        try:
            rig.start()
            yield rig
        finally:
            rig.close()
