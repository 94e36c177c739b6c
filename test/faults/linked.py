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
import time
from unittest.mock import patch

from rig import Rig
from wandering import INSTRUCTION

from benchmarks.network.link import Link, variables
from vla_accel_ros.graph.demo_graph import reserve_domain
from vla_accel_ros.graph.processes import Deployment


class LinkedRig(Rig):
    """A rig of which one node runs beyond a link.

    Attributes:
        link: To be made worse.
    """

    link: Link

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
        act()
        self.recorder.verify()
        assert self.errors == []
        assert self.processes.all_alive()


@contextmanager
def two_hosts(checkpoint: Path, logs: Path) -> Iterator[LinkedRig]:
    """Run the robot's side and the GPU's on a host each, active."""
    reserved = reserve_domain()
    with Link() as link, link.on_robot(), patch.dict(os.environ, variables()):
        robot = Deployment(
            sim=True, side='robot', checkpoint=str(checkpoint), instruction=INSTRUCTION
        )
        rig = LinkedRig(robot, logs, reserved=reserved)
        try:
            rig.link = link
            gpu = Deployment(side='gpu', checkpoint=str(checkpoint), device='cpu')
            rig.processes.add(gpu, link.on_gpu)
            rig.start()
            yield rig
        finally:
            rig.close()
