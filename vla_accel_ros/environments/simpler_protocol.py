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

"""SimplerEnv's tasks with the WidowX arm, as ManiSkill 3 has them, and their conventions."""

from __future__ import annotations

from dataclasses import dataclass

from vla_accel_ros.environments.mapping import ActionMapping


@dataclass(frozen=True)
class SimplerTask:
    """One task.

    Attributes:
        env_id: ManiSkill's name of it.
        instruction: What the policy is told.
        horizon: Policy steps of an episode.
        models: Folders of the meshes that it shows.
        stage: File of the table.
        overlay: Photograph that is painted over the background.
    """

    env_id: str
    instruction: str
    horizon: int
    models: tuple[str, ...]
    stage: str = 'bridge_table_1_v1.glb'
    overlay: str = 'bridge_real_eval_1.png'


TASKS = {
    'carrot': SimplerTask(
        'PutCarrotOnPlateInScene-v1',
        'put carrot on plate',
        60,
        ('bridge_carrot_generated_modified', 'bridge_plate_objaverse_larger'),
    ),
    'spoon': SimplerTask(
        'PutSpoonOnTableClothInScene-v1',
        'put the spoon on the towel',
        60,
        ('bridge_spoon_generated_modified', 'table_cloth_generated_shorter'),
    ),
    'cube': SimplerTask(
        'StackGreenCubeOnYellowCubeBakedTexInScene-v1',
        'stack the green block on the yellow block',
        60,
        ('baked_green_cube_3cm', 'baked_yellow_cube_3cm'),
    ),
    'eggplant': SimplerTask(
        'PutEggplantInBasketScene-v1',
        'put eggplant into yellow basket',
        120,
        ('eggplant', 'sink', 'dummy_sink_target_plane'),
        'bridge_table_1_v2.glb',
        'bridge_sink.png',
    ),
}
CAMERA = '3rd_view_camera'
CONTROL_HZ = 5
# Each task has 24 layouts; the number of an episode picks one.
LAYOUTS = 24
# Displacements in m and rad in the frame of the arm's base, which is turned by 180 degrees against
# the scene; gripper 1 open to -1 closed, told one or the other. Bounds of -1 to 1 m mean nothing.
MAPPING = ActionMapping(gripper_open=1.0, gripper_closed=-1.0, binary=True)
# What a step may be, m and rad; the arm gets nowhere near it in 0.2 s.
FARTHEST = 0.1
WIDEST = 0.5
