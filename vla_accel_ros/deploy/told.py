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

"""What a checkpoint wants of a robot, in words."""

from __future__ import annotations

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.deploy.wants import Wants


def told(wants: Wants, file: str) -> list[str]:
    """Say at which rate a checkpoint acts, and what its columns, views and state are called.

    Args:
        wants: What it wants.
        file: Where an owner of the checkpoint says what nothing says.
    """
    actions, views, state = wants.actions, wants.views, wants.state
    said = [f'nothing says its rate ("step_s" in {file})']
    if actions.step_s is not None:
        said = [f'{1 / actions.step_s:.3g} actions a second, says {actions.step_source}']
    if not actions.kinds:
        said.append(
            f'nothing says what its {len(actions.names)} columns are ("actions" in {file})'
        )
    elif actions.names != END_EFFECTOR.names:
        said.append(f'columns {", ".join(actions.names)}')
    if actions.frame:
        said.append(f'in the frame {actions.frame}')
    said.append(f'images of {views.size} pixels by {views.resize}')
    if views.names:
        said.append(f'views {", ".join(views.names)}')
    if state.names:
        said.append(f'state {", ".join(state.names)}')
    elif state.width:
        said.append(f'nothing names its {state.width} numbers of state ("state" in {file})')
    return said
