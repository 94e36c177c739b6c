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

"""The settings of the scheduler and of its pilot, checked as a whole."""

from __future__ import annotations

from dataclasses import dataclass, fields
from inspect import signature

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.options import check_options, option, shared
from vla_accel_ros.scheduling.controller import FINE_ANGULAR, FINE_LINEAR
from vla_accel_ros.scheduling.ensemble import Ensemble
from vla_accel_ros.scheduling.horizon import Horizon
from vla_accel_ros.scheduling.predictors import (
    PREDICTORS,
    Predictor,
    RidgePredictor,
    Validity,
    make_predictor,
)
from vla_accel_ros.scheduling.rules.interface import RULES, Planar, Rule, Velocity, make_rule
from vla_accel_ros.scheduling.rules.trust import Trust
from vla_accel_ros.scheduling.seam import FADE, LIMIT, NONE, Seam

STOP = 'stop'
QUEUE, ENSEMBLE = CHUNKS = ('queue', 'ensemble')


@dataclass(frozen=True)
class SchedulerConfig:
    """Everything the pilot and its scheduler can be told; flat, each is one ROS parameter.

    The defaults are what serves the embedded arm best; the preset sp_vla has the paper's.

    Raises:
        ValueError: When a value is outside its range, or some do not fit together.
    """

    policy_step_s: float = option(
        0.05,
        'Duration of one action: the step that the checkpoint was trained at',
        unit='s',
        range=(0.001, 10.0),
    )
    # -- intuitive or deliberative ---------------------------------------------------------------
    rule: str = option(
        'trust',
        'Which steps are intuitive: by speed (velocity, the paper), smooth planar motion (its '
        'code), as many as the predictor was measured to be good for (trust; goes with predictor '
        'hold and gripper_guard false), all up to tau, or none, which is the unaccelerated policy',
        choices=tuple(sorted(RULES)),
    )
    v_min: float = shared(Velocity, 'v_min')
    v_max: float = shared(Velocity, 'v_max')
    w_max: float = shared(Velocity, 'w_max')
    w_min: float = shared(Velocity, 'w_min')
    tau: float = shared(Velocity, 'tau')
    step_skip: int = shared(Planar, 'step_skip')
    planar_ratio: float = shared(Planar, 'ratio')
    z_max: float = shared(Planar, 'z_max')
    min_from_vla: int = shared(Planar, 'min_from_vla')
    trust_linear: float = shared(Trust, 'linear')
    trust_angular: float = shared(Trust, 'angular')
    trust_share: float = shared(Trust, 'share')
    trust_least: int = shared(Trust, 'least')
    trust_flip: int = shared(Trust, 'flip')
    trust_longest: float = shared(Trust, 'longest')
    gripper_guard: bool = option(
        False, 'Ask the VLA while the gripper changed within the buffer: grasps are never linear'
    )
    # -- the predictor ---------------------------------------------------------------------------
    capacity: int = option(6, 'Actions in the buffer (n of SP-VLA)', range=(2, 32))
    predictor: str = option(
        'hold',
        'Who takes intuitive steps and drafts for the VLA; hold repeats the last action',
        choices=tuple(sorted(PREDICTORS)),
    )
    fit: str = shared(RidgePredictor, 'fit')
    ridge_penalty: float = shared(RidgePredictor, 'penalty')
    min_actions: int = shared(Validity, 'min_actions')
    change: str = shared(Validity, 'change')
    max_translation_step: float = shared(Validity, 'max_translation')
    max_rotation_step: float = shared(Validity, 'max_rotation')
    # -- waiting for the VLA ---------------------------------------------------------------------
    bridge: str = option(
        STOP,
        'What is sent while a call is in flight past its step: nothing, or a prediction',
        choices=(STOP, *sorted(PREDICTORS)),
    )
    max_bridge_steps: int = option(
        2, 'Bridged steps between two answers at most; then the arm waits', range=(0, 100)
    )
    max_staleness_s: float = option(
        1.0,
        'An answer that took longer is discarded: the world has moved on',
        unit='s',
        range=(0.01, 60.0),
    )
    answer_timeout_s: float = option(
        2.0,
        'After it a request counts as lost and the VLA is asked afresh',
        unit='s',
        range=(0.01, 120.0),
    )
    max_chunk_age_s: float = option(
        2.0, 'Queued actions of an older observation are dropped', unit='s', range=(0.01, 60.0)
    )
    execute: str = shared(Horizon, 'execute')
    execute_rows: int = shared(Horizon, 'execute_rows')
    prefetch_rows: int = shared(Horizon, 'prefetch_rows')
    overlap: bool = shared(Horizon, 'overlap')
    chunks: str = option(
        QUEUE,
        'How chunks are executed: row by row until a new one comes (queue), or the VLA is asked '
        'at every step and what the last chunks say of it is averaged (ensemble, as CogACT does)',
        choices=CHUNKS,
    )
    ensemble_horizon: int = option(
        7,
        'Chunks that the ensemble averages at most; CogACT has 7 for WidowX, 2 for the Google '
        'robot',
        range=(1, 64),
    )
    ensemble_alpha: float = option(
        0.1,
        'How much more a chunk counts in the ensemble that points the way of the newest one',
        range=(0.0, 100.0),
    )
    ensemble_gripper: bool = option(
        True, 'Open or shut the gripper after averaging, by 0.5; the original sends the mean'
    )
    replan_on_fine: bool = option(
        False,
        'Ask the VLA afresh in mid-chunk when the arm slows down to fine work (SpecPrune-VLA)',
    )
    fine_linear: float = option(
        FINE_LINEAR,
        'Below this speed, and not rising, work is fine',
        unit='m/s',
        range=(0.0, 10.0),
    )
    fine_angular: float = option(
        FINE_ANGULAR, 'Below this angular speed, too', unit='rad/s', range=(0.0, 100.0)
    )
    seam: str = option(
        LIMIT,
        'Where one chunk takes over from another: changes are limited (limit), what is between '
        'the two fades out over seam_rows (fade), or the new one begins as it is (none)',
        choices=(LIMIT, FADE, NONE),
    )
    seam_rows: int = option(4, 'Rows over which a seam fades out', range=(1, 100))
    seam_translation: float = option(
        0.02,
        'At a limited seam the displacement of a step changes by no more than inside the two '
        'chunks, and this',
        unit='m',
        range=(0.0, 1.0),
    )
    seam_rotation: float = option(0.1, 'Likewise the rotation', unit='rad', range=(0.0, 3.1416))
    pause_s: float = option(
        1.0,
        'After a longer gap between frames the past is forgotten',
        unit='s',
        range=(0.05, 60.0),
    )

    def __post_init__(self) -> None:
        check_options(self)
        for name in ('min_actions', 'step_skip', 'min_from_vla'):
            value = getattr(self, name)
            if value > self.capacity:
                raise ValueError(
                    f'{name} is {value}, expected at most the capacity, {self.capacity}'
                )
        if self.pause_s <= self.policy_step_s:
            raise ValueError(
                f'pause_s is {self.pause_s}, expected above policy_step_s {self.policy_step_s}'
            )
        # The rules check what of theirs has to fit together, whichever of them is in use.
        for rule in RULES:
            self._make_rule(rule)

    def make_seam(self) -> Seam:
        """Build what joins two chunks."""
        return Seam(self.seam, self.seam_translation, self.seam_rotation, self.seam_rows)

    def make_horizon(self) -> Horizon:
        """Build what says how much of a chunk is executed."""
        return Horizon(self.execute, self.execute_rows, self.prefetch_rows, self.overlap)

    def make_predictor(self) -> Predictor:
        """Build the predictor of intuitive steps and drafts."""
        return self._make_predictor(self.predictor)

    def make_bridge(self) -> Predictor | None:
        """Build the predictor that bridges, None where bridging sends nothing."""
        return None if self.bridge == STOP else self._make_predictor(self.bridge)

    def make_rule(self) -> Rule:
        """Build the rule."""
        return self._make_rule(self.rule)

    def make_ensemble(self, space: ActionSpace) -> Ensemble | None:
        """Build what averages chunks, None where nothing does.

        Args:
            space: What the columns of the actions are.
        """
        if self.chunks != ENSEMBLE:
            return None
        grippers = tuple(space.grippers.tolist()) if self.ensemble_gripper else ()
        return Ensemble(self.ensemble_horizon, self.ensemble_alpha, grippers)

    def _make_predictor(self, name: str) -> Predictor:
        validity = Validity(
            max_translation=self.max_translation_step,
            max_rotation=self.max_rotation_step,
            change=self.change,
            min_actions=self.min_actions,
        )
        options = {'penalty': self.ridge_penalty, 'fit': self.fit} if name == 'ridge' else {}
        return make_predictor(name, validity, **options)

    def _make_rule(self, name: str) -> Rule:
        """Build a rule; its option `x` is the field `<rule>_x` here, else the field `x`."""
        mine, options = vars(self), {}
        for key in signature(RULES[name]).parameters:
            field = f'{name}_{key}' if f'{name}_{key}' in mine else key
            if field in mine:
                options[key] = mine[field]
        return make_rule(name, **options)


PARAMETERS = {field.name.removesuffix('_s'): field.name for field in fields(SchedulerConfig)}
