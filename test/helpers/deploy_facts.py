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

"""A robot that fits its checkpoint, part by part, to be changed by a test."""

from dataclasses import replace

from vla_accel_ros.deploy.compare import compare
from vla_accel_ros.deploy.robot import (
    ArmFacts,
    CameraFacts,
    Facts,
    ModelFacts,
    SchedulerFacts,
    StateFacts,
    Stream,
    View,
)
from vla_accel_ros.deploy.wants import ActionsWanted, StateWanted, ViewsWanted, Wants

KINDS = (*['translation'] * 3, *['rotation'] * 3, 'gripper')
NAMES = ('x', 'y', 'z', 'roll', 'pitch', 'yaw', 'gripper')
STREAM = Stream(20.0, 0.03)
STATE = ('j1', 'j2', 'gripper')

RIGHT = Facts(
    wants=Wants(
        'model',
        'my_robot',
        2,
        ActionsWanted(
            KINDS,
            NAMES,
            step_m=0.03,
            step_rad=0.1,
            gripper_low=0.0,
            gripper_high=1.0,
            closed=0.2,
            step_s=0.05,
            step_source='conventions.json',
            frame='base_link',
            rows=8,
        ),
        ViewsWanted(2, 224, 'resize-naive', ('agent', 'wrist')),
        StateWanted(
            3,
            STATE,
            low=(-1.0, -1.0, 0.0),
            high=(1.0, 1.0, 1.0),
            mean=(0.0, 0.0, 0.5),
            std=(0.4, 0.4, 0.4),
        ),
        bins=256,
        vocabulary=32000,
        tokens=32001,
    ),
    camera=CameraFacts(
        (
            View('agent/image_raw', 'rgb8', 640, 480, '', STREAM),
            View('wrist/image_raw', 'bgr8', 640, 480, '', STREAM),
        ),
        image_size=224,
        resize='resize-naive',
        centre_crop=1.0,
        pair_tolerance=0.02,
        max_age=0.3,
        max_future=0.05,
        skew_s=0.004,
    ),
    scheduler=SchedulerFacts(0.05, 'base_link', 2.0, 1.0, 'push the red cube'),
    model=ModelFacts(0.05, 'base_link', 80.0),
    state=StateFacts(STATE, 0.1, STATE, (0.1, -0.2, 0.0), STREAM),
    arm=ArmFacts(KINDS, NAMES, 'base_link', 0.05, 0.3, 0.75, 3.5, 0.01, 0.5, 1, 0.1),
)


def changed(**parts) -> Facts:
    """Change the right robot: `camera={'image_size': 96}`, `wants__actions={...}`."""
    facts = RIGHT
    for path, values in parts.items():
        facts = _with(facts, path.split('__'), values)
    return facts


def view(index=0, **values) -> dict:
    """Give the change of one camera view."""
    views = list(RIGHT.camera.views)
    views[index] = replace(views[index], **values)
    return {'views': tuple(views)}


def finding(name, facts):
    """Give the finding of a name, None where there is none."""
    return next((each for each in compare(facts) if each.name == name), None)


def _with(whole, path, values):
    part = getattr(whole, path[0])
    if len(path) > 1:
        part = _with(part, path[1:], values)
    else:
        part = None if values is None else replace(part, **values)
    return replace(whole, **{path[0]: part})
