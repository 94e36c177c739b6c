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

"""The parameters of the scheduler: the fields of `SchedulerConfig`, seconds without `_s`."""

from __future__ import annotations

from vla_accel_ros.ros.base import REAL_TIME, Setting
from vla_accel_ros.scheduling.config import PARAMETERS, STOP, SchedulerConfig
from vla_accel_ros.scheduling.predictors import PREDICTORS
from vla_accel_ros.scheduling.rules.interface import RULES

DEFAULT = SchedulerConfig()


def _field(name: str, description: str, **options) -> Setting:
    return Setting(name, getattr(DEFAULT, PARAMETERS[name]), description, **options)


SETTINGS = (
    Setting(
        'instruction',
        '',
        'What to do, in words, until one comes on vla/instruction; empty waits for one',
    ),
    Setting(
        'frame_id',
        'base_link',
        'Frame that actions are expressed in: that of arm_command',
        when='configure',
    ),
    Setting(
        'silence',
        0.5,
        'After so long without a frame the node reports `no_frame`',
        unit='s',
        range=(0.1, 60.0),
    ),
    _field(
        'policy_step',
        'Duration of one action: the step that the checkpoint was trained at',
        unit='s',
        range=(0.02, 1.0),
    ),
    # -- intuitive or deliberative ---------------------------------------------------------------
    _field(
        'rule',
        'Which steps are intuitive: by speed (the paper), smooth planar motion (its '
        'code), as many as the predictor was measured to be good for (trust; goes with predictor '
        'hold and gripper_guard false, see the preset fast), all up to tau, or none, which is the '
        'unaccelerated policy',
        choices=tuple(sorted(RULES)),
    ),
    _field(
        'v_min',
        'Rule velocity: slowest intuitive speed; slow motion is precise motion',
        unit='m/s',
        range=(0.0, 5.0),
    ),
    _field('v_max', 'Rule velocity: fastest intuitive speed', unit='m/s', range=(0.0, 10.0)),
    _field(
        'w_max', 'Rule velocity: fastest intuitive angular speed', unit='rad/s', range=(0.0, 50.0)
    ),
    _field(
        'tau',
        'Share of the buffer that the VLA must have generated; higher calls it more often',
        range=(0.0, 1.0),
    ),
    _field('step_skip', 'Rule planar: last actions that must be smooth', range=(1, 32)),
    _field(
        'planar_ratio',
        'Rule planar: largest vertical over horizontal motion',
        range=(0.001, 100.0),
    ),
    _field('z_max', 'Rule planar: fastest vertical motion', unit='m/s', range=(0.0001, 10.0)),
    _field(
        'min_from_vla', 'Rule planar: actions in the buffer that the VLA generated', range=(1, 32)
    ),
    _field(
        'trust_linear',
        'Rule trust: error of the predictor that is tolerated at any speed; '
        'higher calls the VLA less often',
        unit='m/s',
        range=(0.0001, 10.0),
    ),
    _field(
        'trust_angular',
        'Rule trust: likewise of its angular velocity',
        unit='rad/s',
        range=(0.0001, 100.0),
    ),
    _field(
        'trust_share',
        "Rule trust: tolerated share of the VLA's own velocity, where it is more",
        range=(0.0, 10.0),
    ),
    _field(
        'trust_least',
        'Rule trust: steps without a look at least while the error is tolerated; '
        'fewer on a new course, the more it differs',
        range=(0, 32),
    ),
    _field(
        'trust_flip',
        'Rule trust: steps without a look after the gripper opened or closed; with '
        '0 that is repeated only once the VLA has confirmed it',
        range=(0, 32),
    ),
    _field(
        'trust_most',
        'Rule trust: steps without a look in a row at most, whatever was measured',
        range=(0, 32),
    ),
    _field(
        'gripper_guard',
        'Ask the VLA while the gripper changed within the buffer: grasps are never linear',
    ),
    # -- the predictor --------------------------------------------------------------------------
    _field('capacity', 'Actions in the buffer (n of SP-VLA)', range=(2, 32)),
    _field(
        'predictor',
        'Who takes intuitive steps and drafts for the VLA; hold repeats the last action',
        choices=tuple(sorted(PREDICTORS)),
    ),
    _field(
        'fit',
        'What the ridge fits; the rest repeats the last action',
        choices=('translation', 'translation_rotation'),
    ),
    _field(
        'ridge_penalty', 'Lambda of the ridge; larger trusts the trend less', range=(1e-9, 1000.0)
    ),
    _field('min_actions', 'Fewest buffered actions that the ridge fits to', range=(2, 32)),
    _field(
        'change',
        'What becomes of a prediction that changes faster than the buffer did',
        choices=('clip', 'ignore', 'reject'),
    ),
    _field(
        'max_translation_step',
        'Largest predicted displacement of a step',
        unit='m',
        range=(0.0001, 1.0),
    ),
    _field(
        'max_rotation_step',
        'Largest predicted rotation of a step',
        unit='rad',
        range=(0.0001, 3.1416),
    ),
    # -- waiting for the VLA --------------------------------------------------------------------
    _field(
        'bridge',
        'What is sent while a call is in flight past its step: nothing, or a prediction',
        choices=(STOP, *sorted(PREDICTORS)),
    ),
    _field(
        'max_bridge_steps',
        'Bridged steps between two answers at most; then the arm waits',
        range=(0, 100),
    ),
    _field(
        'max_staleness',
        'An answer that took longer is discarded: the world has moved on',
        unit='s',
        range=(0.01, 60.0),
    ),
    _field(
        'answer_timeout',
        'After it a request counts as lost and the VLA is asked afresh',
        unit='s',
        range=(0.01, 120.0),
    ),
    _field(
        'max_chunk_age',
        'Queued actions of an older observation are dropped',
        unit='s',
        range=(0.01, 60.0),
    ),
    _field(
        'prefetch_rows',
        'Ask the VLA already when fewer actions than this are queued',
        range=(0, 64),
    ),
    Setting(
        'replan_on_fine',
        True,
        'Ask the VLA afresh in mid-chunk when the arm slows down to fine work (SpecPrune-VLA)',
    ),
    _field(
        'fine_linear',
        'Below this speed, and not rising, work is fine',
        unit='m/s',
        range=(0.0, 10.0),
    ),
    _field('fine_angular', 'Below this angular speed, too', unit='rad/s', range=(0.0, 100.0)),
    _field(
        'seam_translation',
        'Where one chunk takes over from another the displacement of a step '
        'changes by no more than inside the two, and this',
        unit='m',
        range=(0.0, 1.0),
    ),
    _field('seam_rotation', 'Likewise the rotation', unit='rad', range=(0.0, 3.1416)),
    _field(
        'pause',
        'After a longer gap between frames the past is forgotten',
        unit='s',
        range=(0.05, 60.0),
    ),
    REAL_TIME,
)
