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

"""Whether the robot is what the checkpoint wants, asked before the arm is enabled."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
import time

from diagnostic_msgs.msg import DiagnosticStatus

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.actions import Action
from vla_accel_ros.deploy.compare import MOMENTARY, NAMES, compare
from vla_accel_ros.deploy.finding import Finding, Level, errors
from vla_accel_ros.deploy.robot import ArmFacts, Facts, JointRange, Workspace
from vla_accel_ros.nodes.arm_command_kind import TWIST
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.facts import TOPIC, Hearer, Teller
from vla_accel_ros.safety.drive import Drive
from vla_accel_ros.safety.joint_limits import JointLimit
from vla_accel_ros.safety.limits import Refusal

# Proposed actions that are looked at before the start.
PROPOSALS = 20


def arm_facts(
    settings: Mapping[str, object], space: ActionSpace, limits: Sequence[JointLimit] = ()
) -> ArmFacts:
    """Return what arm_command takes, by its parameters.

    Of joints the action's largest step from the measured position is what bounds its size.

    Args:
        settings: The parameters.
        space: What they say of the columns; it may stand in a file.
        limits: Of the joints, once the robot's description is known.
    """
    of_joints = settings['command'] != TWIST
    step_m = step_rad = min(settings['joints.largest_step'])
    speed_m = speed_rad = min(settings['joints.velocity'])
    speed_m = min((each.velocity for each in limits if each.unit == 'm'), default=speed_m)
    speed_rad = min((each.velocity for each in limits if each.unit == 'rad'), default=speed_rad)
    if not of_joints:
        step_m, step_rad = settings['limits.translation_step'], settings['limits.rotation_step']
        speed_m, speed_rad = settings['limits.linear_speed'], settings['limits.angular_speed']
    boxed = settings['workspace.enabled'] and not of_joints
    return ArmFacts(
        tuple(kind.value for kind in space.kinds),
        space.names,
        settings['frame_id'],
        step_m,
        step_rad,
        speed_m,
        speed_rad,
        settings['limits.min_step'],
        settings['limits.max_step'],
        workspace=(
            Workspace(settings['workspace.min'], settings['workspace.max']) if boxed else None
        ),
        joints=tuple(JointRange(each.name, each.unit, each.lower, each.upper) for each in limits),
    )


def check_names(names: Sequence[str]) -> None:
    """Refuse names of findings that there are none of.

    Raises:
        ValueError: With the names that there are.
    """
    unknown = sorted(set(filter(None, names)) - set(NAMES))
    if unknown:
        raise ValueError(
            f'ignored_findings has {", ".join(unknown)}, expected any of {", ".join(NAMES)}'
        )


class Findings:
    """Hears what the other nodes know, and compares it with what the arm takes.

    Args:
        node: The `base.Node` that enables the arm.
        commands: Its publisher to the arm.
        drive: What it drives: its `space` says what the columns of the actions are, and if it has
            `limits`, they are those of joints.
    """

    def __init__(self, node, commands, drive: Drive) -> None:
        self._node, self._commands, self._drive = node, commands, drive
        self._hearer = Hearer(time.monotonic)
        self._closing: deque[bool] = deque(maxlen=PROPOSALS)
        self._found: list[Finding] = []
        self._lasting = ''
        self._teller = Teller(node, lambda: Facts(arm=self._arm()))
        node.subscribe(DiagnosticStatus, TOPIC, self._on_facts, qos.FACTS, always=True)

    def propose(self, action: Action) -> None:
        """Take note of an action that came while the arm is off."""
        self._closing.append(any(self._drive.space.closed(action.values.tolist())))

    def obstacles(self) -> list[Refusal]:
        """Return what speaks against enabling the arm."""
        self.look()
        return [Refusal(each.name, each.line) for each in self._standing()]

    def misfit(self) -> str:
        """Say what speaks against every action, also of an arm in motion; empty if nothing."""
        return self._lasting

    def look(self) -> None:
        """Compare anew."""
        self._found = compare(self._facts())
        self._lasting = _told(each for each in self._standing() if each.name not in MOMENTARY)

    def show(self, enabled: bool) -> None:
        """Tell on `/diagnostics` what was found, at the last look.

        Args:
            enabled: Whether the arm may move: what is momentary counts only before.
        """
        health, standing = self._node.health, self._standing()
        told = self._lasting if enabled else _told(standing)
        if told:
            health.fault('does_not_fit', told, renew=True)
        else:
            health.clear('does_not_fit')
        ignored = [each for each in errors(self._found) if each not in standing]
        health.advise('findings_ignored', _told(ignored))
        warnings = [each for each in self._found if each.level is Level.WARNING]
        health.figure('findings', _told(warnings) or 'none')

    def tell(self) -> None:
        """Tell what the arm takes."""
        self._teller.tell()

    def forget(self) -> None:
        """Begin anew with the proposed actions: the arm was moved, or is another's."""
        self._closing.clear()

    def _on_facts(self, message: DiagnosticStatus) -> None:
        self._hearer.hear(message)
        self.look()

    def _standing(self) -> list[Finding]:
        ignored = self._node.settings['ignored_findings']
        return [each for each in errors(self._found) if each.name not in ignored]

    def _facts(self) -> Facts:
        return replace(self._hearer.facts(), arm=self._arm())

    def _arm(self) -> ArmFacts:
        closing = sum(self._closing) / len(self._closing) if self._closing else None
        return replace(
            arm_facts(self._node.settings, self._drive.space, self._drive.limits),
            listeners=self._commands.get_subscription_count(),
            closing=closing,
        )


def _told(findings) -> str:
    return '; '.join(f'{each.name}: {each.line}' for each in findings)
