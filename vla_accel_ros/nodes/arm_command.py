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

"""arm_command: the only way to the arm. A thin shell around `safety.arm_guard`."""

from __future__ import annotations

from collections.abc import Mapping

from std_msgs.msg import Float64
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.nodes.arm_command_findings import Findings, check_names
from vla_accel_ros.nodes.arm_command_joints import Joints
from vla_accel_ros.nodes.arm_command_kind import TWIST, gripper_topics, space_of
from vla_accel_ros.nodes.arm_command_masters import Masters
from vla_accel_ros.nodes.arm_command_settings import SETTINGS, guard_config
from vla_accel_ros.nodes.arm_command_twists import Twists
from vla_accel_ros.ros import base, qos
from vla_accel_ros.ros.diagnostics import ERROR, WARN
from vla_accel_ros.ros.messages import message_step, message_to_action, to_ns
from vla_accel_ros.ros.timing import GarbageCollection, Lateness
from vla_accel_ros.safety.arm_guard import ArmGuard, Command
from vla_accel_ros.safety.command_pace import CommandPace
from vla_accel_ros.safety.interlock import State
from vla_accel_ros.safety.limits import Refusal

# What holds the arm follows a stop so often before the stream falls silent: once is enough, unless
# it is lost.
HOLDS = 5


class ArmCommand(base.Node):
    """Accept actions while enabled and stream commands; hold the arm when anything is wrong."""

    NAME = 'arm_command'
    SETTINGS = SETTINGS

    def check(self, settings: Mapping[str, object]) -> None:
        """Refuse limits that do not fit together."""
        config, space = guard_config(settings), space_of(settings)
        if settings['command'] != TWIST:
            config.joints.each(len(space.moving))
        check_names(settings['ignored_findings'])

    def configure(self) -> None:
        """Make the guard, disabled, and the topics."""
        self._simulated = self.get_parameter('use_sim_time').value
        self._kind = (Twists if self.settings['command'] == TWIST else Joints)(self)
        self._guard = ArmGuard(guard_config(self.settings), self._kind.drive)
        self._space = self._kind.drive.space
        self._ticked_ns = 0
        self._lateness, self._garbage = Lateness(), GarbageCollection()
        self._pace = CommandPace()
        self._grippers = [
            self.advertise(Float64, topic, qos.CONTROL) for topic in gripper_topics(self._space)
        ]
        actions = self.subscribe(JointTrajectory, 'vla/action', self._on_action, qos.CONTROL)
        self._masters = Masters(self, actions, (self._kind.publisher, *self._grippers))
        self._findings = Findings(self, self._kind.publisher, self._kind.drive)
        self.serve(SetBool, '~/enable', self._on_enable)
        self.serve(Trigger, '~/stop', self._on_stop)
        self._timer = self.every(self._guard.period_s, self._on_timer, self._simulated)
        self.every(1.0, self._on_second)
        if self._simulated:
            self._clock_ns, self._moved_ns = self.now_ns(), self.steady.now().nanoseconds
            self.every(0.1, self._watch_clock)

    def activate(self) -> None:
        """Begin to listen; the arm stays disabled until the operator enables it."""
        # Not even the holding of a stop that a deactivation cut short: the arm may be another's.
        self._holds = 0
        self._findings.tell()
        self._garbage.take_over()
        self._lateness.restart()

    def deactivate(self) -> None:
        """Stop the arm and see that delivered."""
        self.health.clear('several_publishers')
        was_enabled = self._guard.state is State.ENABLED
        self._guard.stop('deactivated')
        if was_enabled:
            self._send(self._guard.tick(self.elapsed_ns()))
            self._kind.publisher.wait_for_all_acked(base.ACKNOWLEDGE)
        self._garbage.give_back()
        self._show()

    def cleanup(self) -> None:
        """Let go of what the kind of command holds."""
        kind = getattr(self, '_kind', None)
        if kind is not None:
            kind.close()

    def apply(self, changed: Mapping[str, object]) -> None:
        """Take over new limits and rates; motion under way goes on within them."""
        self._guard.configure(guard_config(self.settings))
        self._findings.look()
        self._findings.tell()

    # -- what comes in ---------------------------------------------------------------------------

    def _on_action(self, message: JointTrajectory) -> None:
        now_ns = self.elapsed_ns()
        # The publisher of this very message is counted already: it must not move the arm.
        self._look_for_others(now_ns)
        refusal = self._consider(message, now_ns)
        if refusal is None:
            self.health.count('actions_accepted')
            self._tick(now_ns, restart=True)
            self._pace.note(self.now_ns() - to_ns(message.header.stamp), now_ns)
            self.get_logger().debug(f'accepted: action of {to_ns(message.header.stamp)} ns')
            return
        self.get_logger().debug(f'refused: {refusal.reason}: {refusal.detail}')
        self.health.figure('last_refusal', f'{refusal.reason}: {refusal.detail}')
        if refusal.reason == 'not_enabled':
            # The scheduler thinks on while the arm is off: no trouble, and at 20 Hz.
            self.health.count('not_enabled')
        else:
            self.health.event(refusal.reason, refusal.detail)
            self.get_logger().warning(
                f'action refused: {refusal.reason}: {refusal.detail}', throttle_duration_sec=1.0
            )

    def _consider(self, message: JointTrajectory, now_ns: int) -> Refusal | None:
        frame = message.header.frame_id
        try:
            action = message_to_action(message, space=self._space)
            step_s = message_step(message)
        except (ValueError, OverflowError) as error:
            return self._guard.refuse('malformed', str(error))
        if frame and frame != self.settings['frame_id']:
            return self._guard.refuse(
                'wrong_frame', f'{frame!r}, expected {self.settings["frame_id"]!r}'
            )
        if self._guard.state is not State.ENABLED:
            self._findings.propose(action)
        elif misfit := self._findings.misfit():
            return self._guard.refuse('does_not_fit', misfit)
        return self._guard.accept(action, now_ns, step_s, self.now_ns())

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response):
        if not request.data:
            self._guard.disable()
            self._tick(self.elapsed_ns())
        elif obstacles := self._obstacles():
            # All at once: an operator should not have to find them one by one.
            response.message = '; '.join(f'{o.reason}: {o.detail}' for o in obstacles)
            self.get_logger().warning(f'not enabled: {response.message}')
            return response
        else:
            self._findings.forget()
            self._guard.enable(self.elapsed_ns(), self.now_ns())
            self._kind.enabled()
            self._tick(self.elapsed_ns(), restart=True)
        self.get_logger().info('enabled' if request.data else 'disabled')
        self._show()
        response.success = True
        response.message = self._guard.reason
        return response

    def _obstacles(self) -> list[Refusal]:
        """Return everything that stands against enabling the arm."""
        if not self.active:
            return [Refusal('not_active', f'the node is {self.state()}, expected active')]
        now_ns, found = self.elapsed_ns(), []
        if self.now_ns() == 0:
            # Every stamp would be in the future, and the watchdog would have no time to go by.
            found.append(Refusal('no_clock', 'use_sim_time is on and nothing came on /clock yet'))
        self._look_for_others(now_ns)
        found += [*self._guard.obstacles(now_ns), *self._masters.obstacles()]
        return [*found, *self._findings.obstacles()]

    def _on_stop(self, _request: Trigger.Request, response: Trigger.Response):
        self._guard.stop()
        self._tick(self.elapsed_ns())
        self._show()
        response.success, response.message = True, self._guard.reason
        return response

    # -- what goes out ---------------------------------------------------------------------------

    def _on_timer(self) -> None:
        now_ns = self.elapsed_ns()
        if 0 <= now_ns - self._ticked_ns < self._guard.period_s * 0.5e9:
            # It was due already when an action restarted it; it would now skip the next call.
            self._timer.reset()
            self._lateness.restart()
            return
        self._lateness.note(self._guard.period_s)
        if self.active:
            self._look_for_others(now_ns)
        self._tick(now_ns)

    def _tick(self, now_ns: int, restart: bool = False) -> None:
        if not self.active:
            return
        period_ns = round(self._guard.period_s * 1e9)
        if self._timer.timer_period_ns != period_ns:
            self._timer.timer_period_ns = period_ns
            restart = True
        if restart:
            self._timer.reset()
            self._lateness.restart()
        self._ticked_ns = now_ns
        command = self._guard.tick(now_ns)
        if command.state is State.ENABLED:
            self._holds = HOLDS
        elif self._holds == 0:
            return
        else:
            self._holds -= 1
        self._send(command)
        self._report(command)

    def _send(self, command: Command) -> None:
        self._kind.send(command, self._guard.period_s)
        if command.values:
            self.health.count(self._kind.counted)
        for publisher, gripper in zip(self._grippers, command.grippers, strict=True):
            if gripper is not None:
                publisher.publish(Float64(data=gripper))

    def _report(self, command: Command) -> None:
        if not command.reason.startswith('watchdog'):
            self.health.clear('watchdog')
        elif self.health.fault('watchdog', command.reason.partition('/')[2]):
            self.get_logger().warning(
                f'the arm is held: {command.reason}', throttle_duration_sec=1.0
            )
            self.publish_diagnostics()

    # -- housekeeping ----------------------------------------------------------------------------

    def elapsed_ns(self) -> int:
        """Return the time that durations are measured in: steady, unless time is simulated."""
        return self.now_ns() if self._simulated else self.steady.now().nanoseconds

    def _on_second(self) -> None:
        # Also before: what a driver reports now counts when the arm is to be enabled.
        self._masters.look()
        if self.active:
            self._garbage.collect()
            self._findings.look()
            self._show()

    def _look_for_others(self, now_ns: int) -> None:
        """Hold the arm while more than one commands it."""
        several = self._masters.several()
        if self._guard.note_masters(several):
            self._tick(now_ns)
            self._show()
        if not several:
            self.health.clear('several_publishers')
        elif self.health.fault('several_publishers', several, renew=True):
            self.get_logger().error(f'several_publishers: {several}')
            self.publish_diagnostics()

    def _watch_clock(self) -> None:
        """Stop the arm when simulated time stands still, for then the watchdog does, too."""
        clock_ns, steady_ns = self.now_ns(), self.steady.now().nanoseconds
        if clock_ns != self._clock_ns:
            self._clock_ns, self._moved_ns = clock_ns, steady_ns
        elif steady_ns - self._moved_ns > self.settings['clock_patience'] * 1e9:
            if self._guard.state is State.ENABLED:
                self._guard.stop('clock_frozen')
                self._tick(self.elapsed_ns())
                self._show()

    def _show(self) -> None:
        state, reason = self._guard.state, self._guard.reason
        if state not in (State.STOPPED, State.FAULT):
            self.health.clear('stopped')
        elif self.health.standing().get('stopped') != reason:
            self.health.clear('stopped')
            self.health.fault('stopped', reason, WARN if state is State.STOPPED else ERROR)
            self.get_logger().warning(f'the arm is stopped: {reason}')
        if state is not State.ENABLED:
            self.health.clear('watchdog')
        self._findings.show(state is State.ENABLED)
        self.health.figure('arm', f'{state.value}: {reason}')
        self.health.figure('stops', self._guard.stops)
        self.health.figure('rate_hz', 1 / self._guard.period_s)
        if state is State.ENABLED:
            self._pace.look(self.elapsed_ns())
        else:
            self._pace.pause()
        for name, value in self._guard.room(self.elapsed_ns()).items():
            self.health.figure(f'room.{name}', value)
        for name, value in {**self._lateness.figures(), **self._pace.figures()}.items():
            self.health.figure(name, value)
        self.publish_diagnostics()


def main() -> int:
    """Run the node as a process."""
    return base.run(ArmCommand, below_arm=0)


if __name__ == '__main__':
    raise SystemExit(main())
