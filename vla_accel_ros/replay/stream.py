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

"""A bag as the policy would have seen it: observations in their order, and what was done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace
from vla_accel_ros.inputs.camera_pairing import FramePairer
from vla_accel_ros.inputs.views import fit_view
from vla_accel_ros.observations import Observation
from vla_accel_ros.replay import decode
from vla_accel_ros.replay.bag.raw import BagError, Raw, shown
from vla_accel_ros.replay.bag.reader import Bag
from vla_accel_ros.replay.moment import Faults, Moment, Sample
from vla_accel_ros.replay.roles import FLOAT, Roles
from vla_accel_ros.replay.states import States
from vla_accel_ros.replay.told import Told

NS = 1_000_000_000
# Stamps and the recorder's clock may differ by transport, not by more than this.
SAME_CLOCK_NS = NS
# Faults that show only when an observation is decoded or run; the others are found without.
OF_OBSERVATIONS = (
    'bad_frame',
    'no_instruction',
    'unknown_instruction',
    'no_proprio',
    'no_proprio_yet',
    'failed_step',
)
# Stamps and times beyond are garbage: 2^62 ns are 146 years.
FARTHEST_NS = 1 << 62


@dataclass(frozen=True)
class Fitting:
    """How views become the size that the model sees, as the camera node does it.

    Attributes:
        size: Side, pixels; 0 leaves views as they are.
        resize: A name of `views.RESIZES`.
        filter_name: A name of `views.FILTERS`.
    """

    size: int
    resize: str = 'resize-naive'
    filter_name: str = 'bicubic'

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Fit a view: uint8 [h, w, 3] to uint8 [size, size, 3]."""
        return fit_view(image, self.size, self.resize, self.filter_name)


class Stream:
    """Iterate over the moments of a bag.

    Args:
        bag: The bag.
        roles: Which topic is what.
        fitting: How views are brought to the model's size.
        said: The instruction where no topic gives it.
        tolerance_ns: Largest difference of stamps among the views of one observation.
        gripper_joints: Which joint is each gripper's, where its topic holds joint states.
        proprio_names: Which joint states the checkpoint wants, in its order; empty takes all.
        understands: Called with an instruction, raises ValueError where the policy cannot follow
            it.
        skip: So many observations are counted but not decoded.
        known: What is known of their faults, as `Faults.facts` gives it.
        fits: Called with proprioception, raises ValueError where the policy cannot take it.
        space: What the policy's actions are.

    Attributes:
        faults: What was wrong so far; complete at the end.
    """

    def __init__(
        self,
        bag: Bag,
        roles: Roles,
        fitting: Fitting,
        said: str = '',
        tolerance_ns: int = 20_000_000,
        gripper_joints: Sequence[str] = (),
        proprio_names: Sequence[str] = (),
        understands: Callable[[str], object] = str,
        skip: int = 0,
        known: Mapping[str, tuple[int, str]] | None = None,
        fits: Callable[[np.ndarray], object] = np.asarray,
        space: ActionSpace = END_EFFECTOR,
    ) -> None:
        self._bag, self._roles, self._fitting = bag, roles, fitting
        self._instruction, self._skip, self._space = said.strip(), skip, space
        self._decoder, self.faults = decode.Decoder(), Faults()
        self._understands, self._objections = understands, {}
        for name in OF_OBSERVATIONS:
            count, first = (known or {}).get(name, (0, ''))
            self.faults.add(name, first, count)
        self._pairer = FramePairer(len(roles.images), tolerance_ns)
        self._states = States(proprio_names, fits, self.faults)
        self._handlers = self._by_topic()
        # What was found last of the grippers' joints, for who asks why there is no value.
        self._joints: list[str] = []
        self._gripper_joints = dict(enumerate(gripper_joints))
        self._grippers_came: set[int] = set()
        self._told = Told(space)
        # From the recorder's clock to that of the stamps; zero while they are the same.
        self._offset_ns = self._seen_offset_ns = 0
        self._newest_ns: dict[str, int] = {}

    def __iter__(self) -> Iterator[Moment]:
        """Yield moments in the order of the bag.

        Raises:
            BagError: When there is no usable observation in the whole bag.
        """
        samples: list[Sample] = []
        number = usable = last_ns = 0
        for raw in self._bag.messages(self._roles.topics):
            for found in self._read(raw):
                if isinstance(found, Sample):
                    samples.append(found)
                    continue
                number += 1
                stamp_ns, raws = found
                observation = None
                if number > self._skip:
                    observation = self._observe(stamp_ns, raws)
                    if observation is None:
                        continue
                usable, last_ns = usable + 1, stamp_ns
                yield self._moment(observation, stamp_ns, samples, number)
                samples.clear()
        self._end()
        if not usable:
            raise BagError(
                f'{shown(self._bag.path)}: not one of the observations can be used; '
                + (
                    '; '.join([*self.faults.lines(), *self._bag.losses.reasons])
                    or 'the cameras never have frames together'
                )
            )
        yield self._moment(None, last_ns, samples, number)

    # -- by role ---------------------------------------------------------------------------------

    def _by_topic(self) -> dict[str, list[Callable]]:
        """Return what is done with the messages of each topic; one may have several roles."""
        roles = self._roles
        pairs = [(topic, partial(self._on_image, k)) for k, topic in enumerate(roles.images)]
        pairs += [
            (roles.action, self._on_action),
            *((topic, partial(self._on_gripper, k)) for k, topic in enumerate(roles.grippers)),
            (roles.instruction, self._on_instruction),
            (roles.proprio, self._on_proprio),
        ]
        handlers: dict[str, list[Callable]] = {}
        for topic, handler in pairs:
            handlers.setdefault(topic, []).append(handler)
        return handlers

    def _read(self, raw: Raw) -> list:
        """Return samples, and stamp and messages of a set of frames; count what is no good."""
        expected, found = self._roles.kinds[raw.topic], []
        with self._counted(raw):
            if raw.kind != expected:
                raise ValueError(f'a message is of type {raw.kind}, expected {expected}')
            message = self._decoder.message(raw)
            stamp_ns = self._stamp(raw, message)
            for handle in self._handlers[raw.topic]:
                with self._counted(raw):
                    found.append(handle(raw, message, stamp_ns))
        return [each for each in found if each is not None]

    @contextmanager
    def _counted(self, raw: Raw) -> Iterator[None]:
        """Count what a message raises: one is no reason to end, whatever it is made of."""
        try:
            yield
        except decode.NotFiniteError as error:
            self.faults.add('not_finite', f'{raw.topic}: {error}')
        except Exception as error:
            self.faults.add('unreadable', f'{raw.topic}: {error}')

    def _on_image(self, camera: int, raw: Raw, message, stamp_ns: int):
        paired = self._pairer.add(camera, stamp_ns, (raw, message))
        return None if paired is None else (paired.stamp_ns, paired.frames)

    def _on_action(self, raw: Raw, message, stamp_ns: int) -> Sample | None:
        value = self._told.read(raw.kind, message)
        if value is None:
            return None
        return Sample('action', stamp_ns, value)

    def _on_gripper(self, which: int, raw: Raw, message, stamp_ns: int) -> Sample | None:
        if raw.kind == FLOAT:
            value = decode.number(message)
        else:
            # The same joint all the time: another driver may have another gripper.
            self._joints = list(message.name)
            if not self._gripper_joints.get(which):
                column = self._space.names[self._space.grippers[which]]
                alone = len(self._space.grippers) == 1
                self._gripper_joints[which] = decode.gripper_joint(self._joints, column, alone)
            value = decode.joint(message, self._gripper_joints[which])
        if value is None:
            return None
        self._grippers_came.add(which)
        return Sample('gripper', stamp_ns, value, which)

    def _on_instruction(self, _raw: Raw, message, _stamp_ns: int) -> None:
        self._instruction = decode.text(message)

    def _on_proprio(self, raw: Raw, message, stamp_ns: int) -> None:
        self._states.take(stamp_ns, raw.topic, message)

    # -- inside ----------------------------------------------------------------------------------

    def _moment(
        self, observation: Observation | None, stamp_ns: int, samples: list[Sample], number: int
    ) -> Moment:
        return Moment(
            observation, stamp_ns, tuple(samples), number, self.faults.facts(), self._instruction
        )

    def _stamp(self, raw: Raw, message) -> int:
        stamp_ns = decode.stamp_of(message)
        if stamp_ns is None:
            stamp_ns = raw.log_ns + self._offset_ns
        else:
            offset_ns = stamp_ns - raw.log_ns
            # One wrong stamp says nothing of the clocks, two that agree do.
            if abs(offset_ns - self._seen_offset_ns) <= SAME_CLOCK_NS or not self._seen_offset_ns:
                self._offset_ns = offset_ns if abs(offset_ns) > SAME_CLOCK_NS else 0
            self._seen_offset_ns = offset_ns
        if abs(stamp_ns) > FARTHEST_NS:
            raise ValueError(f'its time is {stamp_ns} ns, which is more than 146 years')
        back_ns = self._newest_ns.get(raw.topic, stamp_ns) - stamp_ns
        if back_ns > SAME_CLOCK_NS:
            # The clock, or a stamp before it that was wrong: what waited for a later one is lost.
            self.faults.add(
                'clock_jumped', f'{raw.topic}: a stamp goes back by {back_ns / NS:.3f} s'
            )
        self._newest_ns[raw.topic] = stamp_ns
        return stamp_ns

    def _observe(self, stamp_ns: int, raws: tuple) -> Observation | None:
        images = []
        for raw, message in raws:
            try:
                images.append(self._fitting(decode.picture(raw.kind, message)))
            except Exception as error:
                # A forged size may claim more memory than there is.
                self.faults.add('bad_frame', f'{raw.topic}: {error}')
                return None
        if not self._instruction:
            self.faults.add(
                'no_instruction',
                (f'before one came, first at {stamp_ns} ns; or give --instruction'),
            )
            return None
        if objection := self._objection(self._instruction):
            self.faults.add('unknown_instruction', objection)
            return None
        proprio = None
        if self._roles.proprio:
            try:
                proprio = self._states.at(stamp_ns)
            except ValueError as error:
                name = 'no_proprio' if self._states.given else 'no_proprio_yet'
                self.faults.add(name, str(error))
                return None
            if proprio is None:
                return None
        return Observation(tuple(images), self._instruction, stamp_ns, proprio)

    def _objection(self, instruction: str) -> str:
        """Return why the policy cannot follow an instruction, empty where it can."""
        if instruction not in self._objections:
            try:
                self._understands(instruction)
                self._objections[instruction] = ''
            except ValueError as error:
                self._objections[instruction] = str(error)
        return self._objections[instruction]

    def _end(self) -> None:
        self._states.end()
        if names := self._told.never_came():
            self.faults.add('no_joints', f'{self._roles.action} never gave {", ".join(names)}')
        for which, topic in enumerate(self._roles.grippers):
            if topic and which not in self._grippers_came:
                self.faults.add(
                    'no_gripper',
                    f'{topic} never gave a position of '
                    f'{self._gripper_joints.get(which) or "a gripper"}, the last joints were '
                    f'{self._joints}: give --gripper-joint',
                )
        absent = self._states.never_came() if self._roles.proprio else []
        if absent:
            self.faults.add(
                'no_proprio',
                (f'{self._roles.proprio} never gave {", ".join(absent)}: see --proprio-name'),
            )
        counts = self._pairer.counts
        self.faults.add(
            'out_of_order', 'frames not newer than the one before', counts['out_of_order']
        )
        self.faults.add(
            'unpaired', 'frames without a partner of the other cameras', counts['unpaired']
        )
