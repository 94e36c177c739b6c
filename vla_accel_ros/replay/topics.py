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

"""Which topic of a bag is what: by what its messages hold and what it is called, or as told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.replay import names
from vla_accel_ros.replay.bag.raw import BagError, Topic
from vla_accel_ros.replay.roles import (
    COMPRESSED,
    GRIPPERS,
    JOINTS,
    NONE,
    OPTIONS,
    PICTURES,
    RAW,
    STRING,
    TRAJECTORY,
    Roles,
    Wishes,
    action_kinds,
)

# From here on a name speaks against a role: another role's type comes before it.
DOUBTFUL = 2
# Told role, topic and type; says why none of its first messages fits, '' where one does.
Objection = Callable[[str, str, str], str]


def assign(
    topics: Mapping[str, Topic],
    wishes: Wishes,
    cameras: int,
    proprio: bool = False,
    objection: Objection = lambda *_: '',
    space: ActionSpace = END_EFFECTOR,
    holds_grippers: Callable[[str], bool] = lambda _: True,
) -> Roles:
    """Say which topic is what.

    Args:
        topics: Those of the bag.
        wishes: What the user said.
        cameras: Views that the checkpoint wants.
        proprio: Whether the checkpoint wants joint states.
        objection: Looks into the messages of a topic.
        space: What the policy's actions are.
        holds_grippers: Says whether the trajectories of a topic are whole actions.

    Raises:
        BagError: When a topic is missing or of a wrong type, or the cameras are not as many as
            the checkpoint wants; the message lists the topics that there are.
    """
    choice = _Choice(topics, objection)
    images = choice.cameras(wishes.images, cameras)
    action = choice.one(
        'action', wishes.action, action_kinds(space), names.action_rank, names.OWN_ACTION
    )
    grippers: tuple[str, ...] = ()
    if choice.kinds.get(action) != TRAJECTORY or not holds_grippers(action):
        grippers = choice.grippers(wishes, [space.names[i] for i in space.grippers])
    spoken = (
        ''
        if wishes.said
        else choice.one(
            'instruction',
            wishes.instruction,
            (STRING,),
            names.instruction_rank,
            names.OWN_INSTRUCTION,
        )
    )
    if not (spoken or wishes.said):
        raise BagError(
            'no topic of type std_msgs/msg/String looks like an instruction'
            f'{choice.why("instruction")}: give --instruction WORDS or --instruction-topic; '
            f'{_listed(topics)}'
        )
    states = ''
    if proprio:
        states = choice.one(
            'proprio', wishes.proprio, (JOINTS,), names.proprio_rank, names.OWN_PROPRIO
        )
        if not states:
            raise BagError(
                f'the checkpoint wants proprioception and no topic of type {JOINTS} has it'
                f'{choice.why("proprio")}; {_listed(topics)}'
            )
    return Roles(
        images,
        action,
        grippers,
        spoken,
        states,
        choice.kinds,
        choice.others,
        tuple(choice.rejected),
    )


class _Choice:
    """Chooses among the topics of a bag, and remembers why."""

    def __init__(self, topics: Mapping[str, Topic], objection: Objection) -> None:
        self._topics, self._objection = topics, objection
        self.kinds = {name: topic.kind for name, topic in topics.items()}
        self.others: dict[str, tuple[str, ...]] = {}
        self.rejected: list[tuple[str, str, str]] = []

    def why(self, role: str) -> str:
        """Say in brackets why topics will not do."""
        found = [f'{topic}: {why}' for each, topic, why in self.rejected if each == role]
        return f' ({"; ".join(found)})' if found else ''

    def cameras(self, wished: Sequence[str], wanted: int) -> tuple[str, ...]:
        """Return the topics of the cameras."""
        images = tuple(wished)
        for name in images:
            self._told(name, PICTURES, 'image-topic')
        if not images:
            images = self._pictures(wanted)
        if not images:
            seen = self.why('camera')
            raise BagError(
                f'no topic is of type {RAW} or {COMPRESSED} and holds messages'
                f'{" that can be seen" if seen else ""}{seen}; {_listed(self._topics)}'
            )
        if len(images) != wanted:
            raise BagError(
                f'{wanted} camera{"s" * (wanted != 1)} wanted, found '
                f'{len(images)}: {", ".join(images)}{self.why("camera")}; choose with '
                "--image-topic, once a camera, in the checkpoint's order"
            )
        if len(set(images)) < len(images):
            raise BagError(f'--image-topic names {", ".join(images)}, expected each once')
        return images

    def one(
        self,
        role: str,
        wish: str,
        kinds: Sequence[str],
        rank: Callable[[str], int | None],
        own: str = '',
    ) -> str:
        """Return the topic told, or the best one; None from `rank` is no candidate."""
        if wish == NONE:
            return ''
        if wish:
            self._told(wish, kinds, OPTIONS[role])
            if objection := self._objection(role, wish, self.kinds[wish]):
                self.rejected.append((role, wish, f'as told, but {objection}'))
            return wish
        candidates, ours = [], []
        for name, topic in self._topics.items():
            place = rank(name)
            if names.is_own(name) or place is None or not set(topic.kinds) & set(kinds):
                continue
            kind = self._fitting(role, name, kinds)
            if kind:
                candidates.append((place >= DOUBTFUL, kinds.index(kind), place, name, kind))
            elif own and names.is_(own, name) and self._main(name, kinds):
                ours.append((name, self._main(name, kinds)))
        candidates.sort()
        self.others[role] = tuple(name for *_, name, _ in candidates[1:])
        # The product's own name needs no proof where nothing else has one.
        best = [candidate[-2:] for candidate in candidates] or sorted(ours)
        if not best:
            return ''
        name, self.kinds[name] = best[0]
        self.rejected = [row for row in self.rejected if row[:2] != (role, name)]
        return name

    def grippers(self, wishes: Wishes, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the topic of each gripper, '' for one that has none; empty where none has.

        Args:
            wishes: What the user said.
            columns: Names of the grippers' columns.
        """
        told = wishes.grippers
        if told == (NONE,) or not columns:
            return ()
        if told and len(told) != len(columns):
            raise BagError(
                f'--gripper-topic is given {len(told)} times, expected once for each of '
                f'{", ".join(columns)}, or none'
            )
        found, rank = [], _gripper_rank(wishes, self)
        for wish, column in zip(told or [''] * len(columns), columns, strict=True):

            def of_column(name: str, column: str = column) -> int | None:
                # Of several grippers the topic's name says whose it is.
                mine = len(columns) == 1 or set(names.words(column)) <= set(names.words(name))
                return rank(name) if mine or self.kinds[name] == JOINTS else None

            found.append(self.one('gripper', wish, GRIPPERS, of_column))
        return tuple(found) if any(found) else ()

    def _pictures(self, wanted: int) -> tuple[str, ...]:
        found = {
            name: self._fitting('camera', name, PICTURES)
            for name, topic in self._topics.items()
            if set(topic.kinds) & set(PICTURES) and not names.is_own(name)
        }
        found = {name: kind for name, kind in found.items() if kind}
        for name, kind in list(found.items()):
            # The same camera twice, raw and compressed: once is enough.
            base = name.rpartition('/')[0]
            if kind == COMPRESSED and found.get(base) == RAW:
                more = self._topics[name].count > 2 * self._topics[base].count
                del found[base if more else name]
        self.kinds.update(found)
        order = sorted(found, key=lambda name: (names.is_hand(name), name))
        coloured = [name for name in order if not names.is_depth(name)]
        # A depth camera's colours are a camera where there are not enough without.
        chosen = order if len(coloured) < wanted == len(order) else coloured
        self.others['camera'] = tuple(name for name in order if name not in chosen)
        return tuple(chosen)

    def _fitting(self, role: str, name: str, kinds: Sequence[str]) -> str:
        """Return the type by which a topic fits a role, by which most of its messages are."""
        by_count = sorted(self._topics[name].kinds.items(), key=lambda item: -item[1])
        for kind, count in by_count:
            if kind in kinds and count:
                objection = self._objection(role, name, kind)
                if not objection:
                    return kind
                self.rejected.append((role, name, objection))
        return ''

    def _main(self, name: str, kinds: Sequence[str]) -> str:
        counts = {k: n for k, n in self._topics[name].kinds.items() if k in kinds and n}
        return max(counts, key=counts.get, default='')

    def _told(self, name: str, kinds: Sequence[str], option: str) -> None:
        """Check a topic that the user named, and settle its type."""
        topics = self._topics
        if name not in topics:
            raise BagError(f'--{option} {name} is not in the bag; {_listed(topics)}')
        if not set(topics[name].kinds) & set(kinds):
            raise BagError(
                f'--{option} {name} is of type {topics[name].kind}, expected {" or ".join(kinds)}'
            )
        kind = self._main(name, kinds)
        if not kind:
            raise BagError(f'--{option} {name} holds no messages; {_listed(topics)}')
        self.kinds[name] = kind


def _gripper_rank(wishes: Wishes, choice: _Choice) -> Callable[[str], int | None]:
    """Joint states need what says open and closed, and are looked into whatever their name."""

    def rank(name: str) -> int | None:
        place = names.gripper_rank(name)
        if choice.kinds[name] != JOINTS:
            return place
        if wishes.ends:
            return DOUBTFUL if place is None else place
        if place is not None:
            choice.rejected.append(
                ('gripper', name, ('holds joint states, give --gripper-open and --gripper-closed'))
            )
        return None

    return rank


def _listed(topics: Mapping[str, Topic]) -> str:
    rows = ', '.join(
        f'{name} [{topic.kind}, {topic.count}]' for name, topic in sorted(topics.items())
    )
    return f'topics of the bag: {rows or "none"}'
