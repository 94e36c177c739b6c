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

"""The benchmark's own node beside the processes that it measures."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
import gc
import os
from pathlib import Path
import tempfile
import time

from diagnostic_msgs.msg import DiagnosticArray
import rclpy
from std_srvs.srv import SetBool

from vla_accel_ros.graph.demo_graph import RunningGraph, reserve_domain
from vla_accel_ros.graph.processes import Deployment, Process, environment
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.spin import make_executor

START_S = 180.0
# The lowest of the real-time priorities: below those of camera, scheduler and arm_command.
FIFO = 1
ANSWER_S = 10.0


class Rig:
    """Runs processes and a node of this process in one ROS domain while `with` lasts.

    One thread spins the node: what it publishes and what it receives has one clock, and times
    are taken in the callbacks themselves.

    The node is the instrument, so it runs before ordinary processes, too, but after the nodes on
    the way to the arm: what it measures is not how long it waited for a processor itself.

    Args:
        parts: Deployments, each with the processes to start for it.
        real_time: Whether the node asks for such a priority.

    Attributes:
        node: The benchmark's node.
        priority: What it reached.
    """

    def __init__(
        self, *parts: tuple[Deployment, tuple[Process, ...]], real_time: bool = True
    ) -> None:
        self._parts, self._real_time = parts, real_time
        self._graphs: list[RunningGraph] = []
        self._statuses: dict[str, dict[str, str]] = {}

    def __enter__(self) -> Rig:
        with ExitStack() as stack:
            domain, holder = reserve_domain()
            stack.callback(holder.close)
            logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            variables = {
                'ROS_DOMAIN_ID': str(domain),
                'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
            }
            # This process carries images, too.
            os.environ.update(environment() | variables)
            for number, (deployment, listed) in enumerate(self._parts):
                graph = RunningGraph(listed, deployment, logs / str(number), variables)
                self._graphs.append(stack.enter_context(graph))
            rclpy.init(domain_id=domain)
            stack.callback(rclpy.try_shutdown)
            self.node = rclpy.create_node('benchmark')
            stack.callback(self.node.destroy_node)
            self._executor = make_executor()
            stack.callback(self._executor.shutdown)
            self._executor.add_node(self.node)
            self.node.create_subscription(
                DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.REPORT
            )
            self.priority = _prioritise(self._real_time)
            # A collection in the middle of a measurement would be counted as the graph's.
            gc.collect()
            gc.freeze()
            gc.disable()
            stack.callback(gc.enable)
            stack.callback(gc.unfreeze)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_) -> None:
        self._stack.close()

    def until(self, holds: Callable[[], object], what: str, seconds: float):
        """Spin until something holds and return what it gave.

        Raises:
            TimeoutError: When it does not within the time.
            ProcessDiedError: When a process has ended.
        """
        end = time.monotonic() + seconds
        while not (outcome := holds()):
            if time.monotonic() > end:
                troubles = '\n  '.join(
                    f'{name}: {values["message"]}' for name, values in self._statuses.items()
                )
                raise TimeoutError(f'not within {seconds:.0f} s: {what}\n  {troubles}')
            self._executor.spin_once(timeout_sec=0.05)
        return outcome

    def spin(self, seconds: float) -> None:
        """Spin for a while.

        Raises:
            ProcessDiedError: When a process has ended.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._executor.spin_once(timeout_sec=0.05)
        for graph in self._graphs:
            graph.check()

    def until_active(self, *names: str) -> None:
        """Wait until nodes, given by their full names, are active."""

        def active() -> bool:
            for graph in self._graphs:
                graph.check()
            return all(self.status(name).get('state') == 'active' for name in names)

        self.until(active, f'{", ".join(names)} are active', START_S)

    def until_matched(self, *publishers) -> None:
        """Wait until each publisher has somebody who listens."""
        for publisher in publishers:
            self.until(
                publisher.get_subscription_count, f'{publisher.topic_name} is heard', ANSWER_S
            )

    def status(self, name: str) -> dict[str, str]:
        """Return what a node, given by its full name, last told on `/diagnostics`."""
        return self._statuses.get(name, {})

    def enable(self) -> None:
        """Enable the arm as soon as nothing stands against it.

        Raises:
            RuntimeError: When something goes on standing against it; says what.
        """
        name = 'arm_command/enable'
        client = self.node.create_client(SetBool, name)
        self.until(client.service_is_ready, f'{name} is there', ANSWER_S)
        end = time.monotonic() + ANSWER_S
        answer = SetBool.Response()
        while not answer.success and time.monotonic() < end:
            future = client.call_async(SetBool.Request(data=True))
            self.until(future.done, f'{name} answers', ANSWER_S)
            answer = future.result()
        self.node.destroy_client(client)
        if not answer.success:
            raise RuntimeError(f'{name} refuses: {answer.message}')

    def pids(self) -> list[int]:
        """Return the ids of the processes under test."""
        return [pid for graph in self._graphs for pid in graph.pids().values()]

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self._statuses[status.name] = {
                'message': status.message,
                **{v.key: v.value for v in status.values},
            }


def _prioritise(real_time: bool) -> str:
    """Set the priority of this process's threads, not of its children; say what was reached."""
    policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK if real_time else os.SCHED_OTHER
    try:
        for task in Path('/proc/self/task').iterdir():
            os.sched_setscheduler(int(task.name), policy, os.sched_param(FIFO * real_time))
    except PermissionError:
        return 'ordinary'
    return f'SCHED_FIFO {FIFO}' if real_time else 'ordinary'
