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

"""What nodes tell one another of a robot and its checkpoint, on `vla/facts`."""

from __future__ import annotations

from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from vla_accel_ros.deploy.robot import Facts, known_parts, read, write
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.diagnostics import HARDWARE_ID

TOPIC = 'vla/facts'
PERIOD_S = 1.0
# Told once a second; what was not told for so long is not known any more.
SILENCE_S = 3.0


class Teller:
    """Tells what a node knows, once a second and when it is asked to, while the node is active.

    Args:
        node: The `base.Node`.
        facts: Gives what it knows.
        within: Goes before the topic's name, such as `left/`.
    """

    def __init__(self, node, facts: Callable[[], Facts], within: str = '') -> None:
        self._node, self._facts = node, facts
        self._publisher = node.advertise(DiagnosticStatus, f'{within}{TOPIC}', qos.LATCHED)
        node.every(PERIOD_S, self.tell)

    def tell(self) -> None:
        """Tell it now; what cannot be told is reported as any failed callback is."""
        if not self._node.active:
            return
        try:
            message = facts_to_message(self._facts(), self._node.get_fully_qualified_name())
        except ValueError as error:
            self._node.report(error)
            return
        self._publisher.publish(message)


class Hearer:
    """Keeps what the nodes tell, for as long as they go on telling it.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._heard: dict[str, tuple[float, object]] = {}

    def hear(self, message: DiagnosticStatus) -> None:
        """Take a message in.

        Raises:
            ValueError: When it does not hold facts; nothing of it is taken then.
        """
        known, now = known_parts(message_to_facts(message)), self._clock()
        self._heard.update((name, (now, part)) for name, part in known.items())

    def facts(self) -> Facts:
        """Return all that is known now."""
        now = self._clock()
        return Facts(
            **{name: part for name, (at, part) in self._heard.items() if now - at <= SILENCE_S}
        )


def facts_to_message(facts: Facts, name: str) -> DiagnosticStatus:
    """Write facts.

    Args:
        facts: Those that are known.
        name: Full name of the node that knows them.

    Raises:
        ValueError: When a number is not finite.
    """
    return DiagnosticStatus(
        name=name,
        hardware_id=HARDWARE_ID,
        values=[KeyValue(key=part, value=text) for part, text in write(facts).items()],
    )


def message_to_facts(message: DiagnosticStatus) -> Facts:
    """Read what `facts_to_message` wrote.

    Raises:
        ValueError: When it does not hold facts.
    """
    return read({each.key: each.value for each in message.values})
