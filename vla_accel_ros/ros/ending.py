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

"""The end of a lifecycle node: at once, and in no case for ever."""

from __future__ import annotations

import signal


def destroy(node, limit_s: int = 0) -> None:
    """Destroy a node and all that rclpy holds of it.

    Args:
        node: A `rclpy.lifecycle.LifecycleNode`.
        limit_s: SIGALRM ends the process when the middleware takes longer than this many seconds;
            0 waits for as long as it takes. Only for a process that ends anyway.
    """
    # Fast DDS 2.14 can spin for ever in the destructor of a participant that hears of another
    # one at that moment. Python's lock is held meanwhile: only the kernel can end it.
    if limit_s:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(limit_s)
    node.destroy_node()
    # rclpy would leave the state machine to the garbage collector, and with it the node's handle
    # and participant: the destructor would run in any line of Python.
    node._state_machine.destroy_when_not_in_use()
    if limit_s:
        signal.alarm(0)
