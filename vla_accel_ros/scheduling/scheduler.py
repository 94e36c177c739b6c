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

"""The scheduler's step: queue, predictor or VLA, decided once for every step of the policy."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.actions import Action, ActionChunk, Source
from vla_accel_ros.scheduling.buffer import ActionBuffer
from vla_accel_ros.scheduling.chunk_queue import ChunkQueue
from vla_accel_ros.scheduling.config import SchedulerConfig
from vla_accel_ros.scheduling.decision import Decision, Kind, Request
from vla_accel_ros.scheduling.frame_gate import FrameGate
from vla_accel_ros.scheduling.horizon import BY_RULE, NEXT
from vla_accel_ros.scheduling.requests import Pending, RequestBook
from vla_accel_ros.scheduling.rules.interface import Verdict


class Scheduler:
    """Decides each step of the policy: intuitive or deliberative (SP-VLA), and bridges waits.

    Driven by two events, each answered by one `Decision`: a frame, and an answer of the VLA.
    At most one request is in flight. At most one action is sent for a step of the policy: an
    answer's first row is sent at once if its step has none yet, otherwise with the next frame.

    An action carries the capture stamp of the frame whose step it serves. For a late answer
    that is the newest step's frame, not the one that the VLA looked at: how old an observation
    may be is decided here (`max_staleness_s`), while the arm judges by the stamp whether the
    way from camera to arm is alive. So stamps strictly increase, and a frozen camera shows.

    Args:
        config: Settings.
        space: What the columns of the policy's actions are.
    """

    def __init__(
        self, config: SchedulerConfig | None = None, space: ActionSpace = END_EFFECTOR
    ) -> None:
        self._config = config or SchedulerConfig()
        self._space = space
        self._gate = FrameGate(self._config.policy_step_s, self._config.pause_s)
        self._buffer = ActionBuffer(self._config.capacity, space)
        self._queue, self._late = ChunkQueue(), False
        self._instruction = ''
        self._requests = RequestBook()
        self._counters: Counter[str] = Counter()
        self._step_ns = 0
        self._step_open = False
        self._bridged = 0
        # Why the VLA has to be asked next, whatever rule and horizon say.
        self._must_ask: str | None = None
        self._build()

    def _build(self) -> None:
        self._predictor = self._config.make_predictor()
        self._bridge = self._config.make_bridge()
        self._rule = self._config.make_rule()
        self._horizon, self._seam = self._config.make_horizon(), self._config.make_seam()
        self._queue.average_by(self._config.make_ensemble(self._space))

    @property
    def config(self) -> SchedulerConfig:
        """The settings in force."""
        return self._config

    @property
    def buffer(self) -> ActionBuffer:
        """The last actions sent."""
        return self._buffer

    @property
    def instruction(self) -> str:
        """The instruction in force, empty before the first."""
        return self._instruction

    @property
    def in_flight(self) -> bool:
        """Whether a request awaits its answer."""
        return self._requests.pending is not None

    @property
    def counters(self) -> dict[str, int]:
        """Counts since the start: frames, steps, actions, requests, answers, kind and reason.

        Keys are `frames`, `steps`, `actions`, `actions/<source>`, `requests`, `answers`,
        `timeouts`, `<kind>` and `<kind>/<reason>`.
        """
        return dict(self._counters)

    def configure(self, config: SchedulerConfig) -> None:
        """Change the settings between two steps; buffer, queue and request live on."""
        if config.capacity != self._config.capacity:
            self._buffer = self._buffer.resized(config.capacity)
        self._config = config
        self._gate.configure(config.policy_step_s, config.pause_s)
        self._build()

    def set_instruction(self, text: str) -> bool:
        """Change what to do; the past of another instruction is forgotten.

        Returns:
            Whether it differs from the one in force; the same again changes nothing.
        """
        if text == self._instruction:
            return False
        self._instruction = text
        self._forget('instruction_changed')
        return True

    def reset(self) -> None:
        """Start afresh, keeping the instruction: answers still under way will be discarded."""
        self._forget('reset')
        self._gate.reset()

    def replan(self) -> None:
        """Ask the VLA afresh with the next frame that finds no request under way.

        For whoever sees that a running chunk has become too coarse (SpecPrune-VLA's controller
        at its change to fine). With `overlap` the chunk goes on until the answer takes over, so
        that the arm neither waits nor jumps.
        """
        self._must_ask = 'replan'

    def on_frame(self, stamp_ns: int, now_ns: int) -> Decision:
        """Decide on a frame.

        Args:
            stamp_ns: Its capture stamp, nanoseconds.
            now_ns: Monotonic time, nanoseconds: durations are measured by it alone.
        """
        self._counters['frames'] += 1
        gate = self._gate.admit(stamp_ns)
        if not gate.due:
            return self._decide(Kind.SKIPPED, gate.value, stamp_ns, now_ns)
        if gate.restarted:
            self._forget(gate.value)
        self._counters['steps'] += 1
        self._step_ns = stamp_ns
        self._step_open = True
        self._drop_lost_request(now_ns)
        if self._queue.expire(stamp_ns, self._config.max_chunk_age_s):
            self._counters['chunks_expired'] += 1
        if len(self._queue) and not self._asks_first:
            return self._serve_queue(now_ns)
        if self._requests.pending is not None:
            return self._serve_bridge(now_ns)
        return self._serve_afresh(now_ns)

    def on_answer(self, chunk: ActionChunk, now_ns: int, verified: bool = False) -> Decision:
        """Take an answer of the VLA, or discard it with a reason.

        Args:
            chunk: The answer; its stamp says which request it answers.
            now_ns: Monotonic time, nanoseconds.
            verified: Whether the VLA confirmed the draft rather than decoding anew.
        """
        self._counters['answers'] += 1
        pending = self._requests.answered_by(chunk.stamp_ns)
        if pending is None:
            reason = self._requests.why_closed(chunk.stamp_ns)
            return self._decide(Kind.DISCARDED, reason, chunk.stamp_ns, now_ns)
        latency_s = pending.age_s(now_ns)
        self._requests.answered(pending)
        fault = pending.fault(chunk, self._space, latency_s, self._config.max_staleness_s)
        if fault:
            # What the rule would go on with is older than the answer that was of no use.
            self._must_ask = 'answer_discarded'
            more = {'latency_s': latency_s, 'consumed': pending.consumed}
            return self._decide(Kind.DISCARDED, fault, chunk.stamp_ns, now_ns, **more)
        self._rule.learn(
            pending.expected,
            chunk.values[0],
            pending.steps_since_vla,
            self._config.policy_step_s,
            self._space,
        )
        # A longer pause than this, and the arm may have come to rest.
        last = self._buffer.last_since(self._step_ns - round(1.5e9 * self._config.policy_step_s))
        sent = self._counters['actions']
        left = self._queue.replace(chunk, pending.consumed, last, self._seam, sent)
        self._bridged, self._late = 0, latency_s > self._config.policy_step_s
        action, kind, reason = None, Kind.QUEUED, 'step_already_served'
        if self._step_open:
            action = self._send_next()
            kind = Kind.VERIFIED if verified else Kind.DELIBERATIVE
            reason = 'draft_confirmed' if verified else 'answered'
        more = {'latency_s': latency_s, 'consumed': len(chunk) - left}
        return self._decide(kind, reason, chunk.stamp_ns, now_ns, action=action, **more)

    @property
    def _asks_first(self) -> bool:
        """Whether the VLA's answer is waited for, though rows of older chunks are there.

        Not where it comes too late for its step, nor while it is on its way.
        """
        return self._queue.ensemble is not None and not (self._late or self.in_flight)

    def _serve_queue(self, now_ns: int) -> Decision:
        last, queue = self._buffer.last, self._queue
        executed, tail, why = queue.executed, queue.rows, self._must_ask or self._why_ask()
        asks = why is not None and not self.in_flight
        kind, action, request = Kind.QUEUED, None, None
        if asks and not self._overlaps:
            kind = Kind.DELIBERATIVE
            queue.drop_rows()
        else:
            action = self._send_next()
        if asks:
            # The old chunk's row for this step is the best draft of the new chunk's. What the new
            # one has in its place says how far the old one can be followed.
            since = executed if self._config.execute == BY_RULE else None
            request = self._ask(now_ns, last, tail[0], since, np.array(tail), action is not None)
        more = {'action': action, 'request': request}
        return self._decide(kind, why or NEXT, self._step_ns, now_ns, **more)

    @property
    def _overlaps(self) -> bool:
        """Whether the arm moves while a chunk is computed."""
        return self._config.overlap or self._queue.ensemble is not None

    def _why_ask(self) -> str | None:
        queue = self._queue
        if queue.ensemble is not None:
            return NEXT
        return self._horizon.why_ask(queue.executed, len(queue) - 1, self._judge)

    def _serve_bridge(self, now_ns: int) -> Decision:
        if self._bridge is None or not self._overlaps:
            return self._decide(Kind.WAITING, 'in_flight', self._step_ns, now_ns)
        if self._bridged >= self._config.max_bridge_steps:
            return self._decide(Kind.WAITING, 'bridge_exhausted', self._step_ns, now_ns)
        prediction = self._bridge.predict(self._buffer)
        if prediction.values is None:
            return self._decide(Kind.WAITING, prediction.reason, self._step_ns, now_ns)
        self._bridged += 1
        action = self._send(prediction.values, self._bridge.source)
        return self._decide(Kind.BRIDGED, 'in_flight', self._step_ns, now_ns, action=action)

    def _serve_afresh(self, now_ns: int) -> Decision:
        if not self._instruction:
            return self._decide(Kind.WAITING, 'no_instruction', self._step_ns, now_ns)
        prediction = self._predictor.predict(self._buffer)
        verdict = self._judge()
        reason = verdict.reason
        if verdict.intuitive:
            if prediction.values is not None:
                action = self._send(prediction.values, self._predictor.source)
                return self._decide(Kind.INTUITIVE, reason, self._step_ns, now_ns, action=action)
            reason = prediction.reason
        request = self._ask(now_ns, self._buffer.last, prediction.values)
        return self._decide(Kind.DELIBERATIVE, reason, self._step_ns, now_ns, request=request)

    def _judge(self, since: int | None = None) -> Verdict:
        if self._must_ask:
            return Verdict(False, self._must_ask)
        if self._config.gripper_guard and self._buffer.gripper_moves:
            return Verdict(False, 'gripper_moves')
        return self._rule.judge(self._buffer, self._config.policy_step_s, since)

    def _drop_lost_request(self, now_ns: int) -> None:
        pending = self._requests.pending
        if pending is not None and pending.age_s(now_ns) > self._config.answer_timeout_s:
            self._must_ask = 'answer_timeout'
            self._requests.close(self._must_ask)
            self._counters['timeouts'] += 1

    def _ask(
        self,
        now_ns: int,
        last: Action | None,
        draft: np.ndarray | None,
        since: int | None = None,
        tail: np.ndarray | None = None,
        sent: bool = False,
    ) -> Request:
        # Of a chunk's row a rule learns where it judged by it.
        expected = draft if tail is None or since is not None else None
        consumed = int(sent)
        since = self._buffer.steps_since_vla if since is None else since
        self._requests.open(Pending(self._step_ns, now_ns, consumed, expected, since))
        self._counters['requests'] += 1
        self._must_ask = None
        delay = self._requests.delay if self._overlaps else 0
        return Request(self._step_ns, self._instruction, last, draft, tail, max(delay, consumed))

    def _send_next(self) -> Action:
        return self._send(self._queue.pop(), self._queue.source)

    def _send(self, values: np.ndarray, source: Source) -> Action:
        action = Action(values, self._step_ns, source, self._space)
        self._buffer.append(action)
        self._step_open = False
        if self._requests.pending is not None:
            self._requests.pending.consumed += 1
        self._counters['actions'] += 1
        self._counters[f'actions/{source.value}'] += 1
        return action

    def _forget(self, reason: str) -> None:
        self._requests.close(reason)
        self._buffer.clear()
        self._queue.clear()
        self._bridged, self._must_ask = 0, None

    def _decide(
        self, kind: Kind, reason: str, stamp_ns: int, now_ns: int, **more: Any
    ) -> Decision:
        """Count and give a decision; `more` are its fields that are not the same for all."""
        self._counters[kind.value] += 1
        self._counters[f'{kind.value}/{reason}'] += 1
        speed, angular_speed = self._buffer.speeds(self._config.policy_step_s)
        pending = self._requests.pending
        return Decision(
            kind,
            reason,
            stamp_ns,
            speed=speed,
            angular_speed=angular_speed,
            in_flight_s=pending.age_s(now_ns) if pending else None,
            queued=len(self._queue),
            **more,
        )
