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


"""The state of the graph on one page, from what the nodes tell on `/diagnostics`; knows no ROS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

# Without one of these the arm does not move; `sim_arm` is there in simulation only.
NEEDED = ('camera', 'scheduler', 'inference', 'arm_command')
LEVELS = ('OK', 'WARN', 'ERROR', 'STALE')
ERROR = 2
# Reports come every second.
SILENT_S = 3.5
WIDTH = 98
RATES = 3


@dataclass(frozen=True)
class Report:
    """What a node told last.

    Attributes:
        name: Its full name: '/left/camera'.
        level: As in `DiagnosticStatus`: 0 fine, 1 warning, 2 error, 3 stale.
        message: Its reasons, or its state when there are none.
        values: Figures and counters by name.
        arrived: When it came, s of a monotonic clock.
        rates: How often counters counted since the report before, 1/s; those that did. None
            before there are two reports.
    """

    name: str
    level: int
    message: str
    values: Mapping[str, str]
    arrived: float
    rates: Mapping[str, float] | None = None

    @property
    def node(self) -> str:
        """The name without the namespace."""
        return self.name.rpartition('/')[2]

    @property
    def namespace(self) -> str:
        """The namespace, '/' at the top."""
        return self.name.rpartition('/')[0] or '/'

    @property
    def state(self) -> str:
        """The lifecycle state."""
        return self.values.get('state', 'unknown')


def served(report: Report) -> tuple[str, ...]:
    """Return the namespaces of the arms that a node works for: an inference node may have several.

    Args:
        report: The node's.
    """
    arms = report.values.get('arms', '') if report.node == 'inference' else ''
    prefix = report.namespace.rstrip('/')
    return tuple(f'{prefix}/{arm}' if arm else report.namespace for arm in arms.split(', '))


def rates(before: Report, values: Mapping[str, str], arrived: float) -> dict[str, float]:
    """Return how often each counter counted since a report, 1/s."""
    took = arrived - before.arrived
    found = {}
    for name, text in values.items():
        earlier = before.values.get(name, '0')
        if text.isdigit() and earlier.isdigit() and took > 0 and int(text) > int(earlier):
            found[name.removeprefix('count.')] = (int(text) - int(earlier)) / took
    return found


def problems(
    reports: Sequence[Report],
    now: float,
    namespace: str | None = None,
    expected: Sequence[str] = NEEDED,
) -> list[str]:
    """Return what keeps the graph from being whole, in words; empty when it is.

    Args:
        reports: The newest of each node.
        now: s of the same clock as `arrived`.
        namespace: The one whose nodes must be there; every one that has a node when None. What
            is reported of others counts, too.
        expected: Names of the nodes that each namespace must have.
    """
    known = {each.name: each for each in reports}
    names = needed(reports, namespace, expected)
    others = sorted(known.keys() - set(names))
    return [f'{name}: {why}' for name in [*names, *others] for why in _why(known.get(name), now)]


def needed(
    reports: Sequence[Report], namespace: str | None = None, expected: Sequence[str] = NEEDED
) -> list[str]:
    """Return the full names of the nodes that must be there; arguments as for `problems`."""
    spaces = sorted({space for each in reports for space in served(each)})
    serving = {
        space: each.name for each in reports if each.node == 'inference' for space in served(each)
    }
    names = []
    for space in (spaces or ['/']) if namespace is None else [namespace]:
        own = {node: f'{space.rstrip("/")}/{node}' for node in expected}
        if 'inference' in own:
            own['inference'] = serving.get(space, own['inference'])
        names += own.values()
    return list(dict.fromkeys(names))


def _why(report: Report | None, now: float) -> list[str]:
    if report is None:
        return ['says nothing']
    if now - report.arrived > SILENT_S and report.state != 'finalized':
        return [f'silent for {now - report.arrived:.0f} s']
    if report.state != 'active':
        detail = '' if report.message == report.state else f' ({report.message})'
        return [f'{report.state}, expected active{detail}']
    return [report.message] if report.level >= ERROR else []


def page(reports: Sequence[Report], domain: str, now: float, namespace: str | None = None) -> str:
    """Return the page.

    Args:
        reports: As for `problems`.
        domain: The ROS domain that was looked at.
        now: As for `problems`.
        namespace: As for `problems`.
    """
    lines = [f'ROS domain {domain}' + (f', namespace {namespace}' if namespace else '')]
    for space in sorted({each.namespace for each in reports}):
        own = [each for each in reports if each.namespace == space]
        lines += ['', f'{"node":<24} {"state":<13} {"level":<6} rates']
        for each in sorted(own, key=_order):
            lines += _lines(each, now)
        lines += _arm(own)
    wrong = problems(reports, now, namespace)
    lines += (
        ['', 'all nodes are active, none has an error']
        if not wrong
        else [
            '',
            'not as it should be:',
            *(part for text in wrong for part in _wrapped(text, '  ')),
        ]
    )
    return '\n'.join(lines)


def facts(
    reports: Iterable[Report], domain: str, now: float, namespace: str | None = None
) -> dict:
    """Return the same for programs."""
    reports = list(reports)
    wrong = problems(reports, now, namespace)
    return {
        'ok': not wrong,
        'domain': domain,
        'problems': wrong,
        'nodes': [
            {
                'name': each.name,
                'state': each.state,
                'level': _level(each),
                'message': each.message,
                'age_s': round(now - each.arrived, 1),
                'rates': {name: round(value, 1) for name, value in (each.rates or {}).items()},
                'values': dict(each.values),
            }
            for each in sorted(reports, key=lambda each: (each.namespace, _order(each)))
        ],
    }


def enable_with(namespace: str) -> str:
    """Return the command that lets the arm of a namespace move."""
    return (
        f'ros2 service call {namespace.rstrip("/")}/arm_command/enable std_srvs/srv/SetBool '
        '"{data: true}"'
    )


def _arm(reports: Iterable[Report]) -> list[str]:
    arm = next((each for each in reports if each.node == 'arm_command'), None)
    if arm is None or 'arm' not in arm.values:
        return []
    if arm.values['arm'].startswith('enabled'):
        how = (
            f'ros2 service call {arm.namespace.rstrip("/")}/arm_command/stop std_srvs/srv/Trigger'
        )
        return ['', f'arm {arm.values["arm"]}', f'  stop with: {how}']
    return ['', f'arm {arm.values["arm"]}', f'  enable with: {enable_with(arm.namespace)}']


def _lines(report: Report, now: float) -> list[str]:
    fastest = sorted((report.rates or {}).items(), key=lambda each: (-each[1], each[0]))[:RATES]
    shown = ', '.join(f'{name} {value:.1f}/s' for name, value in fastest)
    age = now - report.arrived
    if age > SILENT_S:
        shown = f'silent for {age:.0f} s'
    line = f'{report.name:<24} {report.state:<13} {_level(report):<6} {shown}'.rstrip()
    detail = (
        []
        if report.message in ('', report.state)
        else [part for reason in report.message.split('; ') for part in _wrapped(reason, '    ')]
    )
    engine = report.values.get('engine')
    if engine and engine not in report.message:
        detail += _wrapped(f'engine {engine}', '    ')
    return [line, *detail]


def _wrapped(text: str, indent: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + '  ') or [indent]


def _level(report: Report) -> str:
    return LEVELS[min(max(report.level, 0), len(LEVELS) - 1)]


def _order(report: Report) -> tuple[int, str]:
    order = NEEDED.index(report.node) if report.node in NEEDED else len(NEEDED)
    return order, report.name
