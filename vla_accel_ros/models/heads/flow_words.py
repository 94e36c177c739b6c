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

"""What a checkpoint with a flow asks of a robot and gives it, in words."""

from __future__ import annotations

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.models.config import VLAConfig


def flow_words(config: VLAConfig, state_goes: str) -> list[str]:
    """Say what a robot must provide, and what it gets; see `Family.about`.

    Args:
        config: Its head is one of a flow.
        state_goes: Where the state goes, if it has one.
    """
    head, width = config.head, config.action_dims
    names = ', '.join(head.camera_names[: config.cameras]) or 'in the order of training'
    said = [head.title, f'{config.cameras} of {head.most_cameras} cameras: {names}']
    if config.proprio:
        said.append(f'{config.proprio} numbers of state by {head.state_scaling}, {state_goes}')
    of_tool = width == END_EFFECTOR.width
    columns = ' '.join(END_EFFECTOR.names) if of_tool else f'{width} columns'
    said.append(f'{head.answer(width)}: {columns}, by {head.action_scaling}')
    if head.relative:
        said.append(f'columns {list(head.relative)} are differences from the state')
    if of_tool:
        said.append(f'gripper {head.gripper}')
    return said
