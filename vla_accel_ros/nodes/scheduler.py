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

"""The scheduler node: carries out what the pilot decides, once a policy step."""

from __future__ import annotations

from collections.abc import Mapping
import sys
from time import monotonic_ns

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from std_msgs.msg import String
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.acceleration import method_of
from vla_accel_ros.deploy.robot import Facts, SchedulerFacts
from vla_accel_ros.inputs.instructions import check_instruction
from vla_accel_ros.inputs.space_file import read_space
from vla_accel_ros.nodes.scheduler_clock import Clocks
from vla_accel_ros.nodes.scheduler_goals import Goals
from vla_accel_ros.nodes.scheduler_observation import Sender
from vla_accel_ros.nodes.scheduler_settings import SETTINGS, goal_config
from vla_accel_ros.ros import messages, publishers, qos
from vla_accel_ros.ros.base import Node, run
from vla_accel_ros.ros.diagnostics import WARN
from vla_accel_ros.ros.facts import Teller
from vla_accel_ros.ros.images import check_image
from vla_accel_ros.ros.messages import NS, ChunkStats, to_ns
from vla_accel_ros.safety.masters import Publishers, too_many
from vla_accel_ros.scheduling.decision import Decision, Kind
from vla_accel_ros.scheduling.pace import FramePace, call_advice
from vla_accel_ros.scheduling.pilot import Pilot

# An answer's step may differ from ours by the rounding of its message.
STEP_TOLERANCE = 1e-6


class SchedulerNode(Node):
    """Asks the pilot about every frame and answer, and sends what it says.

    An action goes out before anything else of its step. The frame that the VLA has to look at
    is handed on as it came, or compressed where `observation` says so.
    """

    NAME = 'scheduler'
    SETTINGS = SETTINGS

    def check(self, settings: Mapping[str, object]) -> None:
        """Refuse settings that make no method."""
        method_of(settings)
        read_space(settings['action_space'])
        if settings['instruction'].strip():
            check_instruction(settings['instruction'])
        if self.configured:
            self._goals.check(settings['instruction'])

    def configure(self) -> None:
        """Make the pilot and its topics."""
        self._space = read_space(self.settings['action_space'])
        self._pilot = Pilot(method_of(self.settings).scheduler, self._space)
        self._pilot.set_instruction(self.settings['instruction'])
        self._pace, self._timeouts, self._told = FramePace(), 0, set()
        self._seen_ns, self._seen_any = self._elapsed_ns(), False
        self._action = self.advertise(JointTrajectory, 'vla/action', qos.CONTROL)
        self._observation = Sender(self)
        self._request = self.advertise(JointTrajectory, 'vla/request', qos.CONTROL)
        self._decision = self.advertise(DiagnosticStatus, 'vla/decision', qos.REPORT)
        self.subscribe(Image, 'vla/frame', self._on_frame, qos.FRAME)
        self._answers = self.subscribe(
            JointTrajectory, 'vla/action_chunk', self._on_chunk, qos.CONTROL
        )
        # It is latched: it comes once, and may come before the node is active.
        self.subscribe(String, 'vla/instruction', self._on_instruction, qos.LATCHED, always=True)
        self.serve(Trigger, '~/reset', self._on_reset)
        self._teller = Teller(self, self._facts)
        self._goals = Goals(
            self, goal_config(self.settings), lambda: self._pilot.instruction, self._pilot.reset
        )
        self._clocks = Clocks(self)
        self.every(0.1, self._watch)

    def activate(self) -> None:
        """Start afresh: the past before a pause is not the past of the next step."""
        self._pilot.reset()
        self._pace.clear()
        self._seen_ns, self._seen_any = self._elapsed_ns(), False
        self.health.fault('no_answer', 'the VLA has not answered yet', WARN)
        self._look_for_instruction()
        self._teller.tell()

    def deactivate(self) -> None:
        """End the goal; nothing is expected any more, so nothing is missing."""
        self._goals.end('deactivated')
        self.health.clear(
            'no_frame',
            'no_instruction',
            'no_answer',
            'inference_timeout',
            'several_publishers',
            'slow_frames',
            'slow_calls',
        )

    def cleanup(self) -> None:
        """Let go of the clients of arm_command and inference."""
        for name in ('_goals', '_clocks'):
            held = self.__dict__.pop(name, None)
            if held is not None:
                held.close()

    def apply(self, changed: Mapping[str, object]) -> None:
        """Take over new settings between two steps."""
        if 'instruction' in changed:
            self._instruct(changed['instruction'])
        self._pilot.configure(method_of(self.settings).scheduler)
        self._goals.configure(goal_config(self.settings))
        self._teller.tell()

    # -- what comes in --------------------------------------------------------------------------

    def _on_frame(self, message: Image) -> None:
        check_image(message)
        stamp_ns, self._seen_ns = to_ns(message.header.stamp), self._elapsed_ns()
        self._seen_any = True
        decision = self._pilot.on_frame(stamp_ns, self._seen_ns)
        self._pace.add(stamp_ns)
        if decision.kind is Kind.SKIPPED:
            # No step of the policy; the count is among the figures.
            return
        self._carry_out(decision, frame=message)
        self._judge(decision)

    def _on_chunk(self, message: JointTrajectory) -> None:
        chunk = messages.message_to_chunk(message, space=self._space)
        step, expected = messages.message_step(message), self.settings['policy_step']
        if abs(step - expected) > STEP_TOLERANCE:
            raise ValueError(
                f'its step is {step} s, policy_step is {expected} s: '
                'set policy_step to what the checkpoint was trained at'
            )
        stats = messages.message_stats(message)
        if several := self._several():
            # Nobody knows which of them is the VLA; what was asked stays open for it.
            self.health.event('answer_discarded', f'several_publishers: {several}')
            return
        if apart := self._clocks.trouble():
            # How old an observation is when it is answered, nobody can say.
            self.health.event('answer_discarded', f'clock_offset: {apart}')
            return
        messages.check_motion(chunk.values, space=self._space)
        if stats is not None:
            self._advise(
                'slow_calls',
                call_advice(
                    stats.model_s, self.settings['answer_timeout'], self.settings['max_staleness']
                ),
            )
        accepted = 0 if stats is None else stats.accepted
        decision = self._pilot.on_answer(chunk, self._elapsed_ns(), accepted)
        self._carry_out(decision, stats=stats)
        if decision.kind is Kind.DISCARDED:
            self.health.event('answer_discarded', decision.reason)
        else:
            self.health.clear('inference_timeout', 'no_answer')
            self.health.figure('latency_ms', decision.latency_s * 1e3)

    def _on_instruction(self, message: String) -> None:
        # As a parameter it is checked, can be asked for, and outlives a cleanup.
        (result,) = self.set_parameters([Parameter('instruction', value=message.data)])
        if not result.successful:
            raise ValueError(result.reason)

    def _instruct(self, text: str) -> None:
        if self._pilot.set_instruction(text):
            if self.active:
                self._look_for_instruction()
            self.get_logger().info(f'instruction: {text.strip()!r}')

    def _on_reset(self, _request: Trigger.Request, response: Trigger.Response):
        self._pilot.reset()
        self.health.clear('inference_timeout')
        response.success, response.message = True, 'buffer, queue and request are forgotten'
        return response

    def _elapsed_ns(self) -> int:
        """Return what durations are measured by: steady time, or simulated time where it rules.

        A bag that is replayed at another speed, or step by step, is decided on as it was.
        """
        clock = self.get_clock()
        return clock.now().nanoseconds if clock.ros_time_is_active else monotonic_ns()

    # -- what goes out --------------------------------------------------------------------------

    def _carry_out(
        self, decision: Decision, frame: Image | None = None, stats: ChunkStats | None = None
    ) -> None:
        step = self.settings['policy_step']
        if decision.action is not None and not self._goals.permits():
            self.health.count('actions_withheld')
        elif decision.action is not None:
            self._action.publish(
                messages.chunk_to_message(decision.action, step, self.settings['frame_id'])
            )
        if decision.request is not None:
            self._request.publish(messages.request_to_message(decision.request, step, self._space))
            self._observation.send(frame)
        self._goals.note(decision)
        age_s = (self.now_ns() - decision.stamp_ns) / NS
        self._decision.publish(
            messages.decision_to_message(decision, self.get_fully_qualified_name(), stats, age_s)
        )
        self.get_logger().debug(
            f'{decision.kind.value}: {decision.reason}, frame {decision.stamp_ns} ns, '
            f'{age_s * 1e3:.1f} ms old, {decision.queued} queued'
            + (f', the model took {stats.model_s * 1e3:.1f} ms' if stats else '')
        )

    def _judge(self, decision: Decision) -> None:
        if decision.reason == 'bridge_exhausted':
            self.health.event('bridge_exhausted', 'the VLA takes longer than is bridged')
        timeouts = self._pilot.counters.get('timeouts', 0)
        if timeouts > self._timeouts:
            self._timeouts = timeouts
            listeners = self._observation.listeners()
            detail = (
                f'no answer within {self.settings["answer_timeout"]} s'
                if listeners
                else 'nobody listens to vla/observation (yet): inference is not up'
            )
            if self.health.fault('inference_timeout', detail, renew=True):
                self.get_logger().warning(f'inference_timeout: {detail}')

    def _watch(self) -> None:
        if not self.active:
            return
        # Simulated time that stands still is no silence: nobody owes a frame then.
        silence = (self._elapsed_ns() - self._seen_ns) / NS
        if silence > self.settings['silence']:
            self.health.fault(
                'no_frame',
                f'no vla/frame for {silence:.1f} s' if self._seen_any else 'no vla/frame yet',
                renew=True,
            )
        else:
            self.health.clear('no_frame')
        several = self._several()
        if not several:
            self.health.clear('several_publishers')
        elif self.health.fault('several_publishers', several, renew=True):
            self.get_logger().error(f'several_publishers: {several}')
        self._advise('slow_frames', self._pace.advice(self.settings['policy_step']))
        for name, total in self._pilot.counters.items():
            self.health.figure(name, total)
        standing = set(self.health.standing())
        if standing != self._told:
            # At once: who is about to enable the arm goes by it.
            self._told = standing
            self.publish_diagnostics()

    def _look_for_instruction(self) -> None:
        if self._pilot.instruction:
            self.health.clear('no_instruction')
        else:
            self.health.fault(
                'no_instruction', 'publish one on vla/instruction or set the parameter', WARN
            )

    def _facts(self) -> Facts:
        settings = self.settings
        return Facts(
            scheduler=SchedulerFacts(
                settings['policy_step'],
                settings['frame_id'],
                settings['answer_timeout'],
                settings['max_staleness'],
                self._pilot.instruction,
            )
        )

    def _several(self) -> str:
        """Say that more than one answers; empty while none or one does."""
        number = publishers.count(self, self._answers)
        if number <= 1:
            return ''
        topic = self._answers.topic_name
        return too_many([Publishers(topic, number, 1, names=publishers.names(self, topic))])

    def _advise(self, reason: str, detail: str) -> None:
        if self.health.advise(reason, detail):
            self.get_logger().warning(f'{reason}: {detail}')


def main(argv: list[str] | None = None) -> int:
    """Run the scheduler node as a process."""
    return run(SchedulerNode, argv, below_arm=1)


if __name__ == '__main__':
    sys.exit(main())
