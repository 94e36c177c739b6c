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

"""Plays observations to the real nodes in simulated time, and takes down what they decide."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic

from diagnostic_msgs.msg import DiagnosticStatus
import numpy as np
from rcl_interfaces.srv import GetParameters
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image, JointState
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.evaluation.latency import Latency
from vla_accel_ros.evaluation.records import StepRecord
from vla_accel_ros.graph.operator import GraphError, Operator
from vla_accel_ros.graph.replay_records import asks, call_of, is_of_answer, record_of, with_answer
from vla_accel_ros.observations import Observation
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.images import array_to_image
from vla_accel_ros.ros.messages import (
    ChunkStats,
    from_ns,
    message_stats,
    message_to_action,
    message_to_decision,
    to_ns,
)
from vla_accel_ros.scheduling.frame_gate import FrameGate

# Where the answers go instead of to the scheduler: the player hands them on when they are due.
HELD_BACK = 'replay/action_chunk'
ANSWER_S, DECISION_S = 120.0, 20.0
# Of `Player.meet`: seconds that the first try waits, nanoseconds between the stamps of two tries
# (more than views of one instant are apart), and how often it tries: for 128 s in all.
TRY_S, TRY_NS, TRIES = 0.5, 200_000_000, 8
# Decisions carry their age in thousandths of a millisecond.
CLOCK_MS = 0.01


def image_topic(camera: int) -> str:
    """Return the topic on which a camera's views are played."""
    return f'replay/camera_{camera}/image_raw'


@dataclass(frozen=True, eq=False)
class _Held:
    """An answer that is not due yet."""

    message: JointTrajectory
    stats: ChunkStats
    due_ns: int


class Player:
    """Steps the nodes through episodes: the next frame comes when the last was decided on.

    Time is the bag's. An answer is computed in the time that it takes and handed on when the
    latency says, so that the nodes meet the same frames, answers and instants in the same order
    however fast the machine is: just as `evaluation.driver.Driver` runs the same methods.

    Args:
        operator: Of the graph; its nodes are active.
        cameras: How many views an observation has.
        step_s: Policy step, seconds.
        pause_s: As the scheduler's parameter.
        latency: None for answers that are there with the frame that they answer.
        tokens: Visual tokens of the policy.
        rate: Times faster than the bag that it plays at most; 0 as fast as the nodes decide.
        space: What the columns of actions are.
        proprio: Whether the policy wants proprioception.
    """

    def __init__(
        self,
        operator: Operator,
        cameras: int,
        step_s: float,
        pause_s: float,
        latency: Latency | None,
        tokens: int,
        rate: float = 0.0,
        space: ActionSpace = END_EFFECTOR,
        proprio: bool = False,
    ) -> None:
        self._operator, self._latency, self._tokens, self._rate = operator, latency, tokens, rate
        self._step_ns = round(step_s * 1e9)
        self._gate, self._space = FrameGate(step_s, pause_s), space
        node = operator.node
        self._clock = node.create_publisher(Clock, '/clock', qos.SENSOR)
        self._images = [
            node.create_publisher(Image, image_topic(k), qos.SENSOR) for k in range(cameras)
        ]
        self._states = (
            node.create_publisher(JointState, 'proprio', qos.SENSOR) if proprio else None
        )
        self._answers = node.create_publisher(JointTrajectory, 'vla/action_chunk', qos.CONTROL)
        self._decided: deque[dict[str, str]] = deque()
        self._acted: dict[int, np.ndarray] = {}
        self._chunks: dict[int, JointTrajectory] = {}
        listen = node.create_subscription
        listen(DiagnosticStatus, 'vla/decision', self._on_decision, qos.REPORT)
        listen(JointTrajectory, 'vla/action', self._on_action, qos.CONTROL)
        listen(JointTrajectory, HELD_BACK, self._on_chunk, qos.CONTROL)
        self._held: deque[_Held] = deque()
        self._busy_until_ns = 0
        self._begun = (0.0, 0)

    def connect(self, seconds: float) -> None:
        """Wait until the player knows of the nodes; see `meet` for whether they know each other.

        Raises:
            GraphError: When they do not within the time.
        """
        node = self._operator.node
        topics = ('vla/decision', 'vla/action', HELD_BACK)
        publishers = [*self._images, self._answers, self._clock]
        publishers += [self._states] if self._states else []
        self._operator.until(
            lambda: (
                all(p.get_subscription_count() for p in publishers)
                and self._clock.get_subscription_count() >= 3
                and all(node.count_publishers(node.resolve_topic_name(t)) for t in topics)
            ),
            'the nodes are connected',
            seconds,
        )

    def meet(self, seen: Observation) -> None:
        """Play a frame until it gets through all nodes and back, so that none is lost later.

        No node can see whether two others have found each other yet, and what is sent before
        is gone: in simulated time nobody would ask again. The answer is let go of, and the first
        of an episode begins the policy anew, so that nothing is left of it.

        Args:
            seen: The first frame of the bag; tries are stamped before it.

        Raises:
            GraphError: When no answer comes; what the nodes report is in the message.
        """
        # There is no time before 0.
        apart_ns = min(TRY_NS, seen.stamp_ns // (TRIES + 1))
        for number in range(TRIES):
            stamp_ns = seen.stamp_ns - (TRIES - number) * apart_ns
            self.begin(seen.instruction, stamp_ns, 0)
            self._show(replace(seen, stamp_ns=stamp_ns))
            try:
                # Twice as long each time: a large model may take its time. Answers come in order:
                # once this one is there, no earlier one is under way.
                self._operator.until(
                    lambda asked=stamp_ns: asked in self._chunks and self._decided,
                    'the first frame is answered',
                    TRY_S * 2**number,
                )
                return
            except GraphError:
                if number == TRIES - 1:
                    raise

    def begin(self, instruction: str, stamp_ns: int, seed: int) -> None:
        """Begin an episode.

        Args:
            instruction: What to do.
            stamp_ns: Of its first frame.
            seed: Of the latencies, where they are drawn.

        Raises:
            GraphError: When the scheduler refuses the instruction.
        """
        self._tick(stamp_ns)
        self._operator.set('scheduler', instruction=instruction)
        self._operator.call(Trigger, 'scheduler/reset', Trigger.Request())
        self._operator.begin()
        self._gate.reset()
        self._held.clear()
        self._busy_until_ns = 0
        if self._latency is not None:
            self._latency.begin(seed)
        for heard in (self._decided, self._acted, self._chunks):
            heard.clear()
        self._begun = monotonic(), stamp_ns

    def step(self, seen: Observation, until_ns: int | None) -> tuple[StepRecord, float] | None:
        """Play a frame, and the answers that arrive before the next one.

        Args:
            seen: Views of any size, as the cameras gave them.
            until_ns: When the next frame is there; a policy step later where None.

        Returns:
            What became of it and the milliseconds that it took; None of a frame between steps.

        Raises:
            GraphError: When the nodes do not decide or answer.
        """
        self._pace(seen.stamp_ns)
        begun, stamp_ns = monotonic(), seen.stamp_ns
        due = self._gate.admit(stamp_ns).due
        self._show(seen)
        record = None
        if due:
            decision = self._next_decision(
                lambda d: not is_of_answer(d) and int(d['stamp_ns']) == stamp_ns,
                stamp_ns,
                f'the frame of {stamp_ns} ns is decided on',
            )
            record = record_of(decision, self._action(decision, stamp_ns))
            if asks(decision):
                record = self._hold_back(record)
        until_ns = stamp_ns + self._step_ns if until_ns is None else until_ns
        while self._held and self._held[0].due_ns < until_ns:
            record = self._hand_on(self._held.popleft(), record)
        return None if record is None else (record, (monotonic() - begun) * 1e3)

    # -- inside ----------------------------------------------------------------------------------

    def _show(self, seen: Observation) -> None:
        """Set the clock to the stamp of a frame, and publish the frame."""
        self._tick(seen.stamp_ns)
        if self._states is not None:
            self._play_state(seen)
        for camera, (publisher, view) in enumerate(zip(self._images, seen.images, strict=True)):
            publisher.publish(array_to_image(view, seen.stamp_ns, f'camera_{camera}'))

    def _hold_back(self, record: StepRecord) -> StepRecord:
        """Wait for the answer to what was just asked, and keep it until it is due."""
        stamp_ns = record.stamp_ns
        self._operator.until(
            lambda: stamp_ns in self._chunks, f'the frame of {stamp_ns} ns is answered', ANSWER_S
        )
        message = self._chunks.pop(stamp_ns)
        stats = message_stats(message)
        due_ns = stamp_ns
        if self._latency is not None:
            took_ns = round(self._latency.ms(stats.model_s * 1e3) * 1e6)
            due_ns = self._busy_until_ns = max(stamp_ns, self._busy_until_ns) + took_ns
        self._held.append(_Held(message, stats, due_ns))
        return replace(
            record, call=call_of(stats, stamp_ns, (due_ns - stamp_ns) / 1e6, self._tokens)
        )

    def _hand_on(self, held: _Held, record: StepRecord | None) -> StepRecord | None:
        answered_ns = to_ns(held.message.header.stamp)
        self._tick(held.due_ns)
        self._answers.publish(held.message)
        decision = self._next_decision(
            lambda d: is_of_answer(d) and int(d['stamp_ns']) == answered_ns,
            held.due_ns,
            f'the answer to the frame of {answered_ns} ns is decided on',
        )
        if record is None:
            return None
        return with_answer(record, decision, self._action(decision, record.stamp_ns), held.due_ns)

    def _next_decision(
        self, fits: Callable[[dict], bool], now_ns: int, what: str
    ) -> dict[str, str]:
        """Wait for a decision, and make sure that it was made at the time that it is."""

        def found() -> dict[str, str] | None:
            while self._decided:
                decision = self._decided.popleft()
                if fits(decision):
                    return decision
            return None

        decision = self._operator.until(found, what, DECISION_S)
        late_ms = float(decision['age_ms']) - (now_ns - int(decision['stamp_ns'])) / 1e6
        if abs(late_ms) > CLOCK_MS:
            raise GraphError(f'{what}, with a clock that is {late_ms:.3f} ms off')
        return decision

    def _action(self, decision: dict[str, str], stamp_ns: int) -> np.ndarray | None:
        if not decision['source']:
            return None
        self._operator.until(
            lambda: stamp_ns in self._acted, f'the action of {stamp_ns} ns', DECISION_S
        )
        return self._acted.pop(stamp_ns)

    def _tick(self, now_ns: int) -> None:
        """Let it be so late, and make sure that the scheduler knows."""
        self._clock.publish(Clock(clock=from_ns(now_ns)))
        # What it answers was received after the clock: same reader, same queue.
        self._operator.ask(
            GetParameters, 'scheduler/get_parameters', GetParameters.Request(names=['rule'])
        )

    def _play_state(self, seen: Observation) -> None:
        """Let the inference node have the proprioception before it is asked about the frame."""
        values = seen.proprio.tolist()
        message = JointState(name=[f'state_{k}' for k in range(len(values))], position=values)
        message.header.stamp = from_ns(seen.stamp_ns)
        self._states.publish(message)
        # What it answers was received after the state: as for the clock.
        self._operator.ask(
            GetParameters, 'inference/get_parameters', GetParameters.Request(names=['pruning'])
        )

    def _pace(self, stamp_ns: int) -> None:
        begun, first_ns = self._begun
        if self._rate > 0:
            due = begun + (stamp_ns - first_ns) * 1e-9 / self._rate
            self._operator.until(lambda: monotonic() >= due, 'time passes', 3600.0)

    def _on_decision(self, message: DiagnosticStatus) -> None:
        self._decided.append(message_to_decision(message))

    def _on_action(self, message: JointTrajectory) -> None:
        action = message_to_action(message, space=self._space)
        self._acted[action.stamp_ns] = action.values

    def _on_chunk(self, message: JointTrajectory) -> None:
        self._chunks[to_ns(message.header.stamp)] = message
