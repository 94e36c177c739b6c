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

"""A node that never lets an inference node rest: the load beside which timing is measured."""

from __future__ import annotations

import sys
from time import monotonic

import numpy as np
from sensor_msgs.msg import Image
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.graph.processes import Deployment, Process, camera_parameters
from vla_accel_ros.options import Option
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.base import Node, run
from vla_accel_ros.ros.images import array_to_image
from vla_accel_ros.ros.messages import request_to_message
from vla_accel_ros.scheduling.decision import Request

# Requests that wait or are computed: with two the worker finds the next one when it is done.
AHEAD = 2
PATIENCE_S = 0.5
NAMESPACE = 'load'
# Full name of the inference node that is kept busy.
BUSY = f'/{NAMESPACE}/inference'
INSTRUCTION = 'pick up the red cube'


class BackToBack(Node):
    """Asks anew as soon as an answer comes, and after a while without one."""

    NAME = 'back_to_back'
    SETTINGS = (
        Option('image_size', 224, 'Side of a view', unit='px', range=(1, 1024)),
        Option('cameras', 2, 'Views of an observation', range=(1, 8)),
    )

    def configure(self) -> None:
        """Make one observation, which is sent again and again."""
        size = self.settings['image_size']
        self._pixels = np.random.default_rng(0).integers(
            0, 256, (self.settings['cameras'] * size, size, 3), np.uint8
        )
        self._answered = 0.0
        self._observation = self.advertise(Image, 'vla/observation', qos.CONTROL)
        self._request = self.advertise(JointTrajectory, 'vla/request', qos.CONTROL)
        self.subscribe(JointTrajectory, 'vla/action_chunk', self._on_answer, qos.CONTROL)
        self.every(PATIENCE_S, self._watch)

    def _on_answer(self, _message: JointTrajectory) -> None:
        self._answered = monotonic()
        self._ask()

    def _ask(self) -> None:
        stamp_ns = self.now_ns()
        self._request.publish(request_to_message(Request(stamp_ns, INSTRUCTION, None, None), 0.05))
        self._observation.publish(array_to_image(self._pixels, stamp_ns))

    def _watch(self) -> None:
        if self.active and monotonic() - self._answered > PATIENCE_S:
            for _ in range(AHEAD):
                self._ask()


class _Asking(Process):
    @property
    def module(self) -> str:
        return 'benchmarks.back_to_back'


def load(checkpoint: str, cameras: int) -> tuple[Deployment, tuple[Process, ...]]:
    """Return an inference node that computes without a pause, and who keeps it busy.

    Both are in a namespace of their own, so that the graph under test does not see the answers.

    Args:
        checkpoint: As the inference node takes it.
        cameras: Views that it wants.
    """
    size = camera_parameters(checkpoint)['image_size']
    return Deployment(namespace=NAMESPACE, checkpoint=checkpoint), (
        Process('inference', {'checkpoint': checkpoint, 'max_age': 60.0}),
        _Asking('back_to_back', {'image_size': size, 'cameras': cameras}),
    )


class Answers:
    """What inference nodes have done meanwhile, to the second, as they tell on `/diagnostics`.

    Args:
        rig: Where they run.
        names: Their full names.
    """

    def __init__(self, rig, *names: str) -> None:
        self._rig, self._names = rig, names
        self._before = [self._count(name) for name in names]
        self._begun = monotonic()

    def facts(self) -> dict[str, str]:
        """Return rate and duration of the answers by node."""
        seconds = monotonic() - self._begun
        return {
            f'{name} answers': f'{(self._count(name) - before) / seconds:.1f} Hz, '
            f'last in {self._rig.status(name).get("total_ms", "?")} ms'
            for name, before in zip(self._names, self._before, strict=True)
        }

    def _count(self, name: str) -> int:
        return int(self._rig.status(name).get('count.answers', 0))


if __name__ == '__main__':
    sys.exit(run(BackToBack))
