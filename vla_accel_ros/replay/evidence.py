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

"""Whether the messages of a topic fit a role: the first of them are read."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
import re

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.replay import decode, told
from vla_accel_ros.replay.bag.raw import BagError, Raw
from vla_accel_ros.replay.bag.reader import Bag
from vla_accel_ros.replay.roles import FLOAT, TRAJECTORY

# So many messages of a topic are looked at. One that fits is enough: bad ones are counted later.
LOOKED_AT = 100
# What state machines and behaviour trees say: no instruction consists of it.
STATES = {
    'idle',
    'running',
    'success',
    'succeeded',
    'failure',
    'failed',
    'fail',
    'done',
    'ok',
    'ready',
    'busy',
    'active',
    'inactive',
    'paused',
    'stopped',
    'aborted',
    'canceled',
    'cancelled',
    'waiting',
    'pending',
    'finished',
    'completed',
    'started',
    'error',
    'invalid',
    'unknown',
    'none',
    'null',
    'nan',
    'true',
    'false',
    'on',
    'off',
    'enabled',
    'disabled',
}


class Evidence:
    """Looks into the messages of a bag.

    Args:
        bag: The bag.
        gripper_joints: Which joint is each gripper's; one that is called so where empty.
        proprio_names: Which joint states the checkpoint wants, in its order; empty takes all.
        proprio_numbers: How many the checkpoint wants; 0 where it wants none.
        space: What the policy's actions are.
    """

    def __init__(
        self,
        bag: Bag,
        gripper_joints: Sequence[str] = (),
        proprio_names: Sequence[str] = (),
        proprio_numbers: int = 0,
        space: ActionSpace = END_EFFECTOR,
    ) -> None:
        self._bag, self._joints, self._space = bag, tuple(gripper_joints), space
        self._names, self._numbers = tuple(proprio_names), proprio_numbers
        self._decoder = decode.Decoder()

    def objection(self, role: str, topic: str, kind: str) -> str:
        """Say why none of a topic's first messages fits a role; '' where one does."""
        check = {
            'camera': self._camera,
            'action': self._action,
            'gripper': self._gripper,
            'instruction': self._instruction,
            'proprio': self._proprio,
        }[role]
        first = ''
        for raw in self._bag.first(topic, LOOKED_AT):
            if raw.kind != kind:
                continue
            try:
                check(raw, self._decoder.message(raw))
                return ''
            except decode.NotFiniteError:
                # The right message with a wrong number in it.
                return ''
            except Exception as error:
                first = first or str(error)
        return first or f'none of its first {LOOKED_AT} messages can be read'

    def columns(self, topic: str) -> list[tuple[str, ...]]:
        """Return the columns of a topic's first trajectories, each once, as they come."""
        found: dict[tuple[str, ...], None] = {}
        for raw in self._bag.first(topic, LOOKED_AT):
            if raw.kind == TRAJECTORY:
                with suppress(ValueError):
                    found[tuple(self._decoder.message(raw).joint_names)] = None
        return list(found)

    def other_columns(self, topic: str) -> tuple[str, ...]:
        """Return the columns of a topic's trajectories where they are not of the actions."""
        found = self.columns(topic)
        wanted = {self._space.names}
        if told.of_joints(self._space):
            moving = {self._space.names[i] for i in self._space.moving}
            wanted |= {each for each in found if moving <= set(each)}
        return () if not found or wanted & set(found) else found[0]

    def holds_grippers(self, topic: str) -> bool:
        """Say whether a topic's trajectories are of whole actions, and not of joints alone."""
        columns = self.columns(topic)
        return not columns or any(told.holds_grippers(each, self._space) for each in columns)

    def _camera(self, raw: Raw, message) -> None:
        decode.picture(raw.kind, message)

    def _action(self, raw: Raw, message) -> None:
        told.action(raw.kind, message, self._space)

    def _gripper(self, raw: Raw, message) -> None:
        if raw.kind == FLOAT:
            decode.number(message)
            return
        columns = [self._space.names[i] for i in self._space.grippers]
        wanted = self._joints or [
            decode.gripper_joint(message.name, column, len(columns) == 1) for column in columns
        ]
        if not any(name and decode.joint(message, name) is not None for name in wanted):
            raise BagError(
                f'no position of {", ".join(filter(None, wanted)) or "a gripper"}, only of '
                f'{list(message.name)}: give --gripper-joint'
            )

    def _instruction(self, _raw: Raw, message) -> None:
        text = decode.text(message)
        words = set(re.findall(r'\w+', text.lower()))
        if not any(char.isalpha() for char in text) or words <= STATES:
            raise BagError(f'says {text[:60]!r}, which is no instruction')

    def _proprio(self, _raw: Raw, message) -> None:
        if self._names:
            if not set(self._names) & set(message.name):
                raise BagError(f'has {list(message.name)}, nothing of {", ".join(self._names)}')
        elif self._numbers and len(message.position) != self._numbers:
            raise BagError(
                f'has {len(message.position)} positions, the checkpoint wants '
                f'{self._numbers}: give --proprio-name'
            )
