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

"""The clock of inference's host beside ours: compared at the start, and while it runs."""

from __future__ import annotations

from functools import partial

from std_srvs.srv import Trigger

from vla_accel_ros.scheduling.clock_offset import ClockOffset

SERVICE = 'vla/clock'
EVERY_S = 0.5


class Clocks:
    """Asks inference for its time, and names an offset that is too large.

    Args:
        node: The scheduler node.
    """

    def __init__(self, node) -> None:
        self._node, self._offset = node, ClockOffset()
        self._client = node.create_client(Trigger, SERVICE)
        self._waits, self._silent = None, 0
        node.every(EVERY_S, self._ask)

    def close(self) -> None:
        """Destroy the client."""
        self._node.destroy_client(self._client)

    def trouble(self) -> str:
        """Say that the clocks differ by more than the bound; empty while they may agree."""
        bound = self._node.settings['max_clock_offset']
        surely = self._offset.surely_s
        if abs(surely) <= bound:
            return ''
        side = 'ahead of' if surely > 0 else 'behind'
        return (
            f"the clock of inference's host is at least {abs(surely):.3f} s {side} ours, expected "
            f'at most {bound} s (max_clock_offset): set both by NTP or PTP'
        )

    def _ask(self) -> None:
        node = self._node
        if node.get_clock().ros_time_is_active:
            # There is one clock, and all hear it.
            self._offset.clear()
            self._look()
            return
        if self._waits is not None and not self._waits.done() and self._silent < 10:
            self._silent += 1
            return
        if self._waits is not None and not self._waits.done():
            # Lost on its way, or its server is gone.
            self._client.remove_pending_request(self._waits)
        self._waits, self._silent = None, 0
        if self._client.service_is_ready():
            self._waits = self._client.call_async(Trigger.Request())
            self._waits.add_done_callback(partial(self._on_answer, node.now_ns()))

    def _on_answer(self, asked_ns: int, future) -> None:
        came_ns = self._node.now_ns()
        if future.cancelled() or future.result() is None:
            return
        try:
            got_ns, answered_ns = _stamps(future.result().message)
            self._offset.add(asked_ns, got_ns, answered_ns, came_ns)
        except ValueError as error:
            self._node.health.event('clock_unread', str(error))
            return
        self._look()

    def _look(self) -> None:
        health, told = self._node.health, self.trouble()
        low_s, high_s = self._offset.bounds_s or (0.0, 0.0)
        health.figure('clock_offset_ms', f'{1e3 * low_s:.1f} to {1e3 * high_s:.1f}')
        if not told:
            health.clear('clock_offset')
        elif health.fault('clock_offset', told, renew=True):
            self._node.get_logger().error(f'clock_offset: {told}')


def _stamps(answer: str) -> tuple[int, int]:
    """Read when the question came and the answer left, ns.

    Raises:
        ValueError: When the answer is something else.
    """
    try:
        got_ns, answered_ns = map(int, answer.split())
    except ValueError:
        raise ValueError(
            f'{SERVICE} answers {answer[:60]!r}, expected two times in nanoseconds'
        ) from None
    return got_ns, answered_ns
