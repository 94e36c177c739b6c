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

"""How an observation is laid out: which keys it has, and what stands under them.

`keys` is what the parameters say. The others are those of the robots that openpi has policies
for, by the files `aloha_policy.py`, `droid_policy.py` and `libero_policy.py` of its
`src/openpi/policies`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vla_accel_ros.action_columns import ColumnKind

KEYS = 'keys'
STEP, PLACE = (ColumnKind.JOINT_DISPLACEMENT,), (ColumnKind.JOINT_POSITION,)
GRIPPER = (ColumnKind.GRIPPER,)
TOOL = (*(ColumnKind.TRANSLATION,) * 3, *(ColumnKind.ROTATION,) * 3, *GRIPPER)


@dataclass(frozen=True)
class Layout:
    """What an observation consists of, beside the instruction.

    Attributes:
        name: What it is called.
        views: Those that the server knows; empty for any.
        usual: Those that are sent where no parameter says otherwise.
        needed: Those that it does not do without.
        states: Key and count of each part of the state; 0 for all that there is.
        actions: What the columns of an answer may be; empty for anything.
        what: The same in words.
        nest: Key of the map that holds the pictures; empty where they stand at the top.
        planes: Whether a picture is [3, h, w] rather than [h, w, 3].
    """

    name: str
    views: tuple[str, ...] = ()
    usual: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    states: tuple[tuple[str, int], ...] = ()
    actions: tuple[tuple[ColumnKind, ...], ...] = ()
    what: str = ''
    nest: str = ''
    planes: bool = False

    @property
    def state_size(self) -> int:
        """Numbers of the state; 0 where the layout does not say."""
        return sum(count for _, count in self.states)

    @property
    def state_keys(self) -> str:
        """Keys of the state, with commas."""
        return ', '.join(key for key, _ in self.states)

    def check(self, views: Sequence[str], kinds: Sequence[ColumnKind]) -> None:
        """Refuse views and columns that the server does not know.

        Args:
            views: Those that are sent.
            kinds: What the columns of an answer are, in the server's order.

        Raises:
            ValueError: Naming what was given and what was expected.
        """
        strange = [view for view in views if self.views and view not in self.views]
        lacking = [view for view in self.needed if view not in views]
        if strange or lacking:
            extra = [view for view in self.views if view not in self.needed]
            raise ValueError(
                f'remote_images are {", ".join(views)}, and remote_layout {self.name} wants '
                f'{", ".join(self.needed)}{", and knows " if extra else ""}{", ".join(extra)}'
            )
        if self.actions and tuple(kinds) not in self.actions:
            raise ValueError(
                f'the columns of an answer are {", ".join(kind.value for kind in kinds)}, and '
                f'remote_layout {self.name} gives {self.what}: set remote_space and remote_columns'
            )

    def check_state(self, names: Sequence[str]) -> None:
        """Refuse a state of another size.

        Args:
            names: Names of its numbers.

        Raises:
            ValueError: Naming what was given and what was expected.
        """
        if self.states and not names:
            told = f"remote_state is '{self.state_keys}'"
            told = told if self.name == KEYS else f'remote_layout is {self.name}'
            raise ValueError(
                f'{told} and proprio_names is empty, expected the names of what the server '
                f'wants, in its order{self._parts()}'
            )
        if self.state_size and len(names) != self.state_size:
            raise ValueError(
                f'proprio_names are {", ".join(names)}, and remote_layout {self.name} wants '
                f'{self.state_size} numbers{self._parts()}'
            )

    def _parts(self) -> str:
        parts = [f'{count} as {key}' for key, count in self.states if count]
        return f': {", then ".join(parts)}' if parts else ''

    def write(
        self, views: Sequence[str], pictures: Sequence[np.ndarray], state: np.ndarray | None
    ) -> dict[str, object]:
        """Lay out pictures and state.

        Args:
            views: Names of the pictures.
            pictures: uint8 [h, w, 3] each.
            state: float [m] in the server's units, where the layout has one.

        Returns:
            Pictures uint8, states float32.
        """
        images = [
            np.ascontiguousarray(image.transpose(2, 0, 1)) if self.planes else image
            for image in pictures
        ]
        named: dict[str, object] = dict(zip(views, images, strict=True))
        found: dict[str, object] = {self.nest: named} if self.nest else named
        if self.states:
            numbers, start = np.asarray(state, np.float32), 0
            for key, count in self.states:
                end = start + count if count else len(numbers)
                found[key], start = numbers[start:end], end
        return found


LAYOUTS = {
    each.name: each
    for each in (
        Layout(
            'libero',
            views=('observation/image', 'observation/wrist_image'),
            usual=('observation/image', 'observation/wrist_image'),
            needed=('observation/image', 'observation/wrist_image'),
            states=(('observation/state', 8),),
            actions=(TOOL,),
            what='x y z roll pitch yaw and a gripper',
        ),
        Layout(
            'droid',
            views=('observation/exterior_image_1_left', 'observation/wrist_image_left'),
            usual=('observation/exterior_image_1_left', 'observation/wrist_image_left'),
            needed=('observation/exterior_image_1_left', 'observation/wrist_image_left'),
            states=(('observation/joint_position', 7), ('observation/gripper_position', 1)),
            actions=((*STEP * 7, *GRIPPER), (*PLACE * 7, *GRIPPER)),
            what='7 joints (velocities are joint_displacement, over a step) and a gripper',
        ),
        Layout(
            'aloha',
            views=('cam_high', 'cam_low', 'cam_left_wrist', 'cam_right_wrist'),
            # openpi's model reads all but cam_low.
            usual=('cam_high', 'cam_left_wrist', 'cam_right_wrist'),
            needed=('cam_high',),
            states=(('state', 14),),
            actions=((*PLACE * 6, *GRIPPER) * 2,),
            what='6 joint_position and a gripper of the left arm, then of the right',
            nest='images',
            planes=True,
        ),
    )
}


def layout_of(name: str, state: str) -> Layout:
    """Give a layout.

    Args:
        name: `keys`, or one of `LAYOUTS`.
        state: Key of the state with `keys`; empty where none is sent.
    """
    return LAYOUTS[name] if name in LAYOUTS else Layout(KEYS, states=((state, 0),) * bool(state))
