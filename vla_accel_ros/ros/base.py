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

"""The lifecycle node that every node of this package is.

What a subclass gives: a `NAME`, a table of `SETTINGS`, and any of the hooks `check`, `apply`,
`configure`, `activate`, `deactivate`, `cleanup`. What it gets: checked live parameters,
`/diagnostics` at 1 Hz in every state, transitions that report why they failed, callbacks that
cannot end the process, and one teardown that tolerates whatever is half made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
import contextlib
import traceback

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from vla_accel_ros.options import Option
from vla_accel_ros.ros import ending
from vla_accel_ros.ros.common_options import AUTOSTART
from vla_accel_ros.ros.diagnostics import WARN, Health
from vla_accel_ros.ros.parameters import Settings
from vla_accel_ros.ros.qos import CONTROL
from vla_accel_ros.ros.spin import run
from vla_accel_ros.ros.transitions import answer_invalid_transitions

__all__ = ['Node', 'run']

DIAGNOSTICS_PERIOD = 1.0
# A last message is waited for, for with its publisher it goes; a listener that has died by then
# does not hold the end up for longer.
ACKNOWLEDGE = Duration(seconds=0.5)
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class Node(LifecycleNode):
    """A lifecycle node with checked parameters, diagnostics and one teardown path.

    Attributes:
        settings: Values of the parameters by name, always a combination that passed `check`
            while the node is configured.
        health: Reasons, counters and figures for `/diagnostics`; usable from any thread.
        active: Whether the node is between activate and deactivate.
        configured: Whether the node is past configure.

    Args:
        kwargs: As for `rclpy.node.Node`: `context`, `namespace`, `parameter_overrides`.
    """

    NAME: str
    SETTINGS: tuple[Option, ...] = ()

    def __init__(self, **kwargs) -> None:
        self.health = Health()
        self.active = False
        self.configured = False
        self._made: list[Callable[[], object]] = []
        self._closed = False
        super().__init__(self.NAME, **kwargs)
        answer_invalid_transitions(self)
        # Durations and diagnostics go on while simulated time stands still.
        self.steady = Clock(clock_type=ClockType.STEADY_TIME)
        # A report says all that those before it said; at depth 1 each is acknowledged at once,
        # which the last one waits for.
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', CONTROL)
        self._settings = Settings(
            self, (*self.SETTINGS, AUTOSTART), self.check, self._apply, lambda: self.configured
        )
        self.settings = self._settings.values
        for reason in self._settings.errors.values():
            self.get_logger().error(f'parameter refused: {reason}')
            self.health.fault('invalid_parameter', reason)
        for name in self._settings.unknown:
            self.get_logger().warning(f'there is no parameter {name!r}: is it misspelt?')
        self.create_timer(DIAGNOSTICS_PERIOD, self.publish_diagnostics, clock=self.steady)
        if self.settings['autostart']:
            self._starter = self.create_timer(0.0, self._autostart, clock=self.steady)

    # -- hooks ---------------------------------------------------------------------------------

    def check(self, settings: Mapping[str, object]) -> None:
        """Raise ValueError when the values do not fit together; called before every change."""

    def apply(self, changed: Mapping[str, object]) -> None:
        """Take over new values while configured; `settings` holds them already."""

    def configure(self) -> None:
        """Make what the node needs; raise to refuse, with a message for the operator."""

    def activate(self) -> None:
        """Begin to act; publishers are enabled already."""

    def deactivate(self) -> None:
        """Cease to act; publishers are still enabled. Also called when activate failed."""

    def cleanup(self) -> None:
        """Release what configure made beyond topics and timers; may find it half made."""

    # -- making things that teardown destroys ----------------------------------------------------

    def advertise(self, kind: type, topic: str, qos):
        """Make a publisher that is silent while the node is not active."""
        publisher = self.create_lifecycle_publisher(kind, topic, qos)
        if self.active:
            publisher.on_activate(None)
        self._made.append(lambda: self.destroy_lifecycle_publisher(publisher))
        return publisher

    def subscribe(
        self,
        kind: type,
        topic: str,
        callback: Callable,
        qos,
        always: bool = False,
        raw: bool = False,
    ):
        """Make a subscription; messages count only while active, unless `always`.

        With `raw` the callback is given bytes. What it raises is counted and logged: ValueError
        as `malformed_message`, anything else as `callback_error`. It goes no further.
        """

        def guarded(message) -> None:
            if not (self.active or always):
                return
            try:
                callback(message)
            except ValueError as error:
                self.health.event('malformed_message', f'{topic}: {error}')
                self.get_logger().warning(f'{topic}: {error}', throttle_duration_sec=1.0)
            except Exception as error:
                self.report(error)

        subscription = self.create_subscription(kind, topic, guarded, qos, raw=raw)
        self._made.append(lambda: self.destroy_subscription(subscription))
        return subscription

    def serve(self, kind: type, name: str, callback: Callable):
        """Make a service."""
        service = self.create_service(kind, name, callback)
        self._made.append(lambda: self.destroy_service(service))
        return service

    def every(self, period: float, callback: Callable[[], None], simulated: bool = False):
        """Call back every so many seconds, of the steady clock unless simulated."""
        timer = self.create_timer(
            period, callback, clock=self.get_clock() if simulated else self.steady
        )
        self._made.append(lambda: self.destroy_timer(timer))
        return timer

    @contextlib.contextmanager
    def apart(self) -> Iterator[list[Callable[[], object]]]:
        """Collect what the block makes, to be given to `destroy` before the teardown.

        Where the block raises, what it made is destroyed.
        """
        own: list[Callable[[], object]] = []
        before, self._made = self._made, own
        try:
            yield own
        except BaseException:
            self.destroy(own)
            raise
        finally:
            self._made = before

    def destroy(self, made: list[Callable[[], object]]) -> None:
        """Destroy what was made, the newest first."""
        while made:
            self._attempt('cleanup', made.pop())

    def now_ns(self) -> int:
        """Return the ROS time, the one that stamps are compared with."""
        return self.get_clock().now().nanoseconds

    # -- lifecycle -------------------------------------------------------------------------------

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Check the parameters, then run the subclass's `configure`."""
        self.health.clear('configure_failed', 'activate_failed', 'autostart_failed')
        problem = self._settings.problem()
        if problem:
            self.health.fault('configure_failed', problem)
            self.get_logger().error(f'configure refused: {problem}')
            self.publish_diagnostics()
            return FAILURE
        if not self._attempt('configure', self.configure) or not self._attempt(
            'configure', lambda: super(Node, self).on_configure(state)
        ):
            self._teardown()
            return FAILURE
        self.configured = True
        return SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Enable the publishers, then run the subclass's `activate`."""
        self.health.clear('activate_failed')
        super().on_activate(state)
        self.active = True
        if self._attempt('activate', self.activate):
            return SUCCESS
        self._cease(state)
        return FAILURE

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run the subclass's `deactivate`, then silence the publishers, whatever happened."""
        self._cease(state)
        return SUCCESS

    def on_cleanup(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Release everything."""
        self._teardown()
        return SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Cease and release everything from any state."""
        self._cease(state)
        self._teardown()
        return SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release everything; the node can be configured again."""
        return self.on_shutdown(state)

    def close(self, limit_s: int = 0) -> None:
        """End the node, once, from any state; `limit_s` as for `ending.destroy`."""
        if self._closed:
            return
        self._closed = True
        self.on_shutdown(None)
        self.health.fault('ended', 'its process was asked to end', WARN)
        # The context may be gone already, and with it whom to tell.
        with contextlib.suppress(Exception):
            self.publish_diagnostics()
            self._diagnostics.wait_for_all_acked(ACKNOWLEDGE)
        ending.destroy(self, limit_s)

    def state(self) -> str:
        """Return the label of the lifecycle state."""
        return 'finalized' if self._closed else self._state_machine.current_state[1]

    # -- reporting -------------------------------------------------------------------------------

    def publish_diagnostics(self) -> None:
        """Publish the node's status now; the 1 Hz timer calls this too."""
        message = DiagnosticArray(
            status=[self.health.status(self.get_fully_qualified_name(), self.state())]
        )
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)

    def report(self, error: Exception) -> None:
        """Log and count what a callback raised."""
        text = ''.join(traceback.format_exception(type(error), error, error.__traceback__))
        self.get_logger().error(f'a callback failed: {text}', throttle_duration_sec=1.0)
        self.health.event('callback_error', repr(error))

    # -- inside ----------------------------------------------------------------------------------

    def _apply(self, changed: dict[str, object]) -> None:
        if not self._settings.errors:
            self.health.clear('invalid_parameter')
        if self.configured:
            self._attempt('apply', lambda: self.apply(changed))

    def _attempt(self, what: str, action: Callable[[], object]) -> bool:
        """Run a hook; log what it raises, which rclpy would swallow, and raise a named fault."""
        try:
            outcome = action()
        except Exception as error:
            detail = str(error) or repr(error)
            # What an operator can mend is said in a line; a defect is shown whole.
            text = detail if isinstance(error, ValueError | OSError) else traceback.format_exc()
            self.get_logger().error(f'{what} failed: {text}')
        else:
            if outcome is not FAILURE and outcome is not TransitionCallbackReturn.ERROR:
                self.health.clear(f'{what}_failed')
                return True
            detail = 'a managed entity refused'
        self.health.clear(f'{what}_failed')
        self.health.fault(f'{what}_failed', detail)
        self.publish_diagnostics()
        return False

    def _cease(self, state: LifecycleState | None) -> None:
        if self.active:
            self._attempt('deactivate', self.deactivate)
            self.active = False
        super().on_deactivate(state)

    def _teardown(self) -> None:
        self.configured = False
        self._attempt('cleanup', self.cleanup)
        self.destroy(self._made)

    def _autostart(self) -> None:
        self.destroy_timer(self._starter)
        self._autostart_now()

    def _autostart_now(self) -> None:
        if self.state() != 'unconfigured':
            return
        if self.trigger_configure() is SUCCESS:
            self.trigger_activate()
        self.publish_diagnostics()
