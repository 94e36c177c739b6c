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

"""The YAML file on an environment that is not known."""

import pytest

from vla_accel_ros.environments.mapping import OSC_POSE, ActionMapping
from vla_accel_ros.environments.settings import Settings, from_dict, read

WHOLE = """
make: {size: 64}
images: [views.front, render]
rotate: true
proprio: state
instruction: bring it back
task_option: task
actions:
  columns: [x, y, z, gripper]
  translation: 0.02
  gripper: [1, -1]
  binary_gripper: true
step_s: 0.1
max_steps: 40
settle_steps: 5
"""


def test_every_key_is_read(tmp_path):
    file = tmp_path / 'env.yaml'
    file.write_text(WHOLE)
    assert read(file) == Settings(
        make={'size': 64},
        images=('views.front', 'render'),
        rotate=True,
        proprio=('state',),
        instruction='bring it back',
        task_option='task',
        actions=ActionMapping(('x', 'y', 'z', 'gripper'), (0.02,) * 3 + (1.0,) * 3, 1, -1, True),
        step_s=0.1,
        max_steps=40,
        settle_steps=5,
    )


def test_an_empty_file_says_nothing(tmp_path):
    file = tmp_path / 'env.yaml'
    file.write_text('')
    assert read(file) == Settings()


def test_mappings_have_names_and_scales_may_be_given_one_by_one():
    assert from_dict({'actions': 'osc_pose'}).actions == OSC_POSE
    scale = [1, 2, 3, 4, 5, 6]
    assert from_dict({'actions': {'scale': scale}}).actions.scale == tuple(scale)


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('picture: front', "settings have no 'picture', expected make, images"),
        ('actions: joint_velocity', "'joint_velocity' is unknown, expected product, osc_pose"),
        ('actions: {speed: 2}', "actions have no 'speed', expected columns"),
        ('actions: [1, 2]', 'actions are'),
        ('actions: {scale: [1, 2]}', 'expected 6 numbers'),
        ('actions: {scale: 3}', 'scale is 3, expected 6 numbers'),
        ('actions: {translation: fast}', "'fast'"),
        ('actions: {gripper: 1}', 'gripper is 1, expected 2 numbers'),
        ('actions: {columns: 3}', 'columns is 3, expected a key or a list of keys'),
        ('actions: {binary_gripper: 2}', 'binary_gripper is 2, expected true or false'),
        ('actions: {columns: [x, warp]}', "'warp'"),
        ('images: {front: 1}', 'expected a key or a list of keys'),
        ('images: [1]', 'expected a key or a list of keys'),
        ('make: [1]', 'expected keyword arguments'),
        ('instruction: 3', 'instruction is 3, expected text'),
        ('rotate: 180', 'rotate is 180, expected true or false'),
        ('step_s: 0', 'step_s is 0, expected seconds above 0'),
        ('step_s: quick', "step_s is 'quick'"),
        ('max_steps: 0', 'max_steps is 0, expected at least 1'),
        ('settle_steps: -1', 'settle_steps is -1'),
        ('just words', "settings are 'just words'"),
        ('a: [', 'while parsing'),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_files_name(tmp_path, text, said):
    file = tmp_path / 'env.yaml'
    file.write_text(text)
    with pytest.raises(ValueError) as refused:
        read(file)
    assert str(refused.value).startswith(f'{file}: ') and said in str(refused.value)
