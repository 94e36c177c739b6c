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

"""Running a node as a process: executor, signals, a spin loop that survives exceptions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import gc
import signal
import sys
import traceback

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from vla_accel_ros.ros.domain import domain_of_environment
from vla_accel_ros.ros.log_folder import ensure_log_folder
from vla_accel_ros.ros.memory import keep_freed_memory
from vla_accel_ros.ros.own_parameters import check_files, reason
from vla_accel_ros.ros.parent import end_with_parent
from vla_accel_ros.ros.timing import raise_priority
from vla_accel_ros.stopping import CANNOT_START

try:
    from rclpy.experimental.events_executor import EventsExecutor
except ImportError:
    EventsExecutor = None

# A signal is noticed between two calls of spin_once at the latest.
PATIENCE = 0.1
# How long the middleware may take to let go of a node whose process ends, seconds.
END_S = 5


def make_executor(context: rclpy.Context | None = None):
    """Make the executor with the least latency that this rclpy has.

    The events executor (experimental, in newer rclpy of Jazzy) spares the wait set that is
    rebuilt for every message, 0.2 ms. It takes no guard conditions and no message-info
    callbacks, which these nodes do without; its own `spin` hangs, so `spin_once` drives it.
    """
    return (EventsExecutor or SingleThreadedExecutor)(context=context)


def spin(executor, until: Callable[[], bool], on_error: Callable[[Exception], None]) -> None:
    """Spin until told otherwise, whatever the callbacks raise.

    Args:
        executor: Holds the nodes.
        until: Checked between callbacks, at least every `PATIENCE` seconds.
        on_error: Given what a callback raised; an invalid lifecycle transition is one such.
    """
    while not until():
        try:
            executor.spin_once(timeout_sec=PATIENCE)
        except ExternalShutdownException:
            return
        except Exception as error:
            on_error(error)


class StopSignal:
    """Turns SIGINT and SIGTERM into a flag.

    rclpy's own handlers would shut the context down first, and with it the publisher that has
    to send the last zero twist. Every further signal is only noted: a terminal and
    `ros2 launch` both send one, and the second must not cut the clean end short.
    """

    def __init__(self) -> None:
        self.signum: int | None = None
        self._previous = {s: signal.signal(s, self._note) for s in (signal.SIGINT, signal.SIGTERM)}

    def __bool__(self) -> bool:
        return self.signum is not None

    def _note(self, signum: int, _frame) -> None:
        self.signum = self.signum or signum

    def ignore(self) -> None:
        """Ignore both from now on, to the end of the process."""
        for signum in self._previous:
            signal.signal(signum, signal.SIG_IGN)

    def __enter__(self) -> StopSignal:
        return self

    def __exit__(self, *_) -> None:
        self.restore()

    def restore(self) -> None:
        """Put the handlers back that were there before."""
        for signum, handler in self._previous.items():
            signal.signal(signum, handler)


def _began(argv: list[str], name: str) -> bool:
    """Begin with ROS; where command line or environment is no good, say so in a line."""
    try:
        check_files(argv, name)
        domain_of_environment()
        ensure_log_folder()
        rclpy.init(args=argv, signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:
        print(f'{name}: {reason(error, argv)}', file=sys.stderr)
        return False
    return True


def run(node_class: type, argv: Sequence[str] | None = None, below_arm: int | None = None) -> int:
    """Run one node as this process until SIGINT or SIGTERM.

    Args:
        node_class: Made without arguments; has `close` and `report` as `base.Node`.
        argv: Command line with ROS arguments, `sys.argv` when None.
        below_arm: How many steps of priority below arm_command the process runs, where its
            parameter `real_time_priority` is on; None leaves it an ordinary one.

    Returns:
        The exit status: 0 after a clean end, 1 when the node could not be made, `CANNOT_START`
        when it would fail again for the same reason.
    """
    argv = list(sys.argv if argv is None else argv)
    stop = StopSignal()
    end_with_parent()
    keep_freed_memory()
    node = executor = None
    try:
        if not _began(argv, node_class.NAME):
            return CANNOT_START
        node = node_class()
        if below_arm is not None and node.settings['real_time_priority']:
            node.health.figure('priority', raise_priority(below=below_arm))
        executor = make_executor()
        executor.add_node(node)
        spin(executor, lambda: bool(stop) or not rclpy.ok(), node.report)
        return 0
    except Exception:
        traceback.print_exc()
        return 1
    finally:
        if node is not None:
            node.close(END_S)
        if executor is not None:
            executor.shutdown()
        rclpy.try_shutdown()
        # The second signal of a terminal's Ctrl-C may come while the interpreter ends.
        stop.ignore()
        # The interpreter's last collection would look at all of torch: a second, and several
        # on a busy machine, while `ros2 launch` loses its patience.
        gc.freeze()
