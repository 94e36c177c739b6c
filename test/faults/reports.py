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

"""What the nodes tell on `/diagnostics`, and what of it is new."""

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus


class Reports:
    """Keeps the nodes' reports; reasons and counters are new when they grew since a mark.

    Attributes:
        newest: The newest report by node.
    """

    def __init__(self) -> None:
        self.newest: dict[str, DiagnosticStatus] = {}
        self._heard: dict[str, list[DiagnosticStatus]] = {}
        self._known: dict[str, dict[str, int]] = {}

    def __str__(self) -> str:
        return '\n'.join(
            f'  {name}: {s.message} {counts(s)}' for name, s in sorted(self.newest.items())
        )

    def hear(self, message: DiagnosticArray) -> None:
        """Take reports."""
        for status in message.status:
            name = status.name.rpartition('/')[2]
            self.newest[name] = status
            self._heard.setdefault(name, []).append(status)

    def mark(self) -> None:
        """Forget what was told so far."""
        self._known = {name: counts(status) for name, status in self.newest.items()}
        self._heard = {}

    def forget(self, node: str) -> None:
        """Forget a node, whose process begins anew."""
        for kept in (self.newest, self._heard, self._known):
            kept.pop(node, None)

    def value(self, node: str, key: str) -> str:
        """Return a value of a node's newest report, empty without one."""
        report = self.newest.get(node)
        return next((v.value for v in report.values if v.key == key), '') if report else ''

    def told(self, node: str, reason: str, detail: str) -> bool:
        """Tell whether a reason, with such a detail, is new since the mark."""
        known = self._known.get(node, {}).get(reason, 0)
        return any(
            reason in status.message
            and detail in status.message
            and counts(status).get(reason, 0) > known
            for status in self._heard.get(node, ())
        )

    def counted(self, node: str, name: str) -> bool:
        """Tell whether a counter has grown since the mark."""
        known = self._known.get(node, {}).get(name, 0)
        return node in self.newest and counts(self.newest[node]).get(name, 0) > known

    def silent(self, node: str, reason: str) -> bool:
        """Tell whether the newest report does not name a reason."""
        return node in self.newest and reason not in self.newest[node].message


def counts(status: DiagnosticStatus) -> dict[str, int]:
    """Return a status's counters by name."""
    return {
        pair.key.removeprefix('count.'): int(pair.value)
        for pair in status.values
        if pair.key.startswith('count.')
    }
