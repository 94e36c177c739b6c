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

"""Goals at the scheduler: services and topics of standard types around `scheduling.goal`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from time import monotonic_ns

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool, Trigger

from vla_accel_ros.ros import qos
from vla_accel_ros.ros.diagnostics import HARDWARE_ID
from vla_accel_ros.scheduling.decision import Decision
from vla_accel_ros.scheduling.goal import Ask, Goal, Status
from vla_accel_ros.scheduling.goal_config import GoalConfig

ENABLE = 'arm_command/enable'
# How often what ends a goal is looked at, and how often feedback goes out without a decision.
LOOK_S = 0.05
LEVELS = {Status.CANCELED: DiagnosticStatus.WARN, Status.ABORTED: DiagnosticStatus.ERROR}


class Goals:
    """Takes goals, tells of them, and enables the arm for as long as one is executed.

    It is part of the scheduler's process on purpose: when that dies no action goes out any more,
    and the watchdog of arm_command holds the arm.

    Args:
        node: The scheduler node.
        config: What ends a goal.
        instruction: Gives the instruction in force.
        begin: Called when a goal begins to execute.
    """

    def __init__(
        self, node, config: GoalConfig, instruction: Callable[[], str], begin: Callable[[], None]
    ) -> None:
        self._node, self._instruction, self._begin = node, instruction, begin
        self._goal = Goal(config)
        self.configure = self._goal.configure
        self._decision: dict[str, str] = {}
        self._room: dict[str, str] = {}
        self._told = ''
        namespace = node.get_namespace().rstrip('/')
        self._arm_name = f'{namespace}/{ENABLE.partition("/")[0]}'
        self._client = node.create_client(SetBool, ENABLE)
        self._feedback = node.advertise(DiagnosticStatus, 'vla/goal', qos.LATCHED)
        node.subscribe(DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.REPORT, True)
        node.subscribe(Bool, 'vla/success', self._on_success, qos.CONTROL)
        node.subscribe(String, 'vla/goal_alive', self._on_alive, qos.CONTROL)
        node.serve(Trigger, '~/goal/start', self._on_start)
        node.serve(Trigger, '~/goal/cancel', self._on_cancel)
        node.serve(SetBool, '~/goal/finish', self._on_finish)
        node.every(LOOK_S, self.look)

    def check(self, instruction: str) -> None:
        """Refuse another instruction while a goal is open.

        Raises:
            ValueError: When it differs from the goal's.
        """
        goal = self._goal
        if goal.open and instruction.strip() != goal.instruction:
            raise ValueError(
                f'instruction is {instruction!r}, expected that of goal {goal.name}, '
                f'{goal.instruction!r}, until it ends: cancel it first'
            )

    def permits(self) -> bool:
        """Say whether an action may go out, and count it when it may."""
        return self._goal.permits(monotonic_ns())

    def note(self, decision: Decision) -> None:
        """Take a decision into the feedback."""
        self._decision = {'decision': decision.kind.value, 'decision_reason': decision.reason}
        if self._goal.open:
            self._tell()

    def look(self) -> None:
        """End what has to end, ask arm_command what has to be asked, and tell of changes."""
        now_ns, node = monotonic_ns(), self._node
        standing = node.health.standing() if node.active else {'not_active': node.state()}
        ask = self._goal.poll(now_ns, standing)
        if ask is not None:
            self._ask(ask, now_ns)
        facts = self._goal.facts(now_ns)
        state = f'{facts["goal"]} {facts["status"]} {facts["reason"]}'
        if state != self._told:
            self._told = state
            if facts['goal']:
                node.get_logger().info(f'goal {self._goal.name}: {self._message()}')
            self._tell()

    def end(self, reason: str) -> None:
        """Cancel the open goal for a reason of the node's own."""
        if self._goal.cancel(reason, monotonic_ns()):
            self.look()

    def close(self) -> None:
        """Destroy the client."""
        self._node.destroy_client(self._client)

    # -- what comes in ---------------------------------------------------------------------------

    def _on_start(self, _request: Trigger.Request, response: Trigger.Response):
        if not self._node.active:
            response.message = f'the node is {self._node.state()}, expected active'
            return response
        try:
            name = self._goal.start(self._instruction(), monotonic_ns())
        except ValueError as error:
            self._node.get_logger().warning(f'goal refused: {error}')
            response.message = str(error)
            return response
        self._decision = {}
        self.look()
        response.success, response.message = True, name
        return response

    def _on_cancel(self, _request: Trigger.Request, response: Trigger.Response):
        response.success = self._goal.cancel('cancel_requested', monotonic_ns())
        self.look()
        response.message = self._message() if response.success else 'there is no open goal'
        return response

    def _on_finish(self, request: SetBool.Request, response: SetBool.Response):
        response.success = self._goal.judge(request.data, 'operator', monotonic_ns())
        self.look()
        response.message = self._message() if response.success else 'no goal is executing'
        return response

    def _on_success(self, message: Bool) -> None:
        # A detector says no all the time until it says yes.
        if message.data and self._goal.judge(True, 'success_topic', monotonic_ns()):
            self.look()

    def _on_alive(self, message: String) -> None:
        self._goal.alive(message.data, monotonic_ns())

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == self._arm_name:
                values = {each.key: each.value for each in status.values}
                self._take(values, values.get('arm', f'unknown: {values.get("state", "")}'))

    def _take(self, values: Mapping[str, str], arm: str) -> None:
        self._room = {key: value for key, value in values.items() if key.startswith('room.')}
        enabled = arm.startswith('enabled') and values.get('state') == 'active'
        self._goal.on_arm(enabled, arm, monotonic_ns(), values.get('stops', ''))

    # -- what goes out ---------------------------------------------------------------------------

    def _ask(self, ask: Ask, now_ns: int) -> None:
        if not self._client.service_is_ready():
            self._goal.unasked(now_ns)
            return
        future = self._client.call_async(SetBool.Request(data=ask.enable))
        future.add_done_callback(partial(self._on_answer, ask.ticket))

    def _on_answer(self, ticket: int, future) -> None:
        answer = future.result()
        if answer is None:
            return
        if self._goal.on_answer(ticket, answer.success, answer.message, monotonic_ns()):
            self._begin()
        self.look()

    def _message(self) -> str:
        return f'{self._goal.status.value}: {self._goal.reason}'

    def _tell(self) -> None:
        facts = {**self._goal.facts(monotonic_ns()), **self._decision, **self._room}
        self._feedback.publish(
            DiagnosticStatus(
                level=LEVELS.get(self._goal.status, DiagnosticStatus.OK),
                name=f'{self._node.get_fully_qualified_name()}: goal',
                message=self._message(),
                hardware_id=HARDWARE_ID,
                values=[KeyValue(key=key, value=value) for key, value in facts.items()],
            )
        )
