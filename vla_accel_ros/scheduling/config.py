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
from math import inf

from vla_accel_ros.scheduling.controller import FINE_ANGULAR, FINE_LINEAR
from vla_accel_ros.scheduling.predictors import Predictor, Validity, make_predictor
from vla_accel_ros.scheduling.rules.interface import RULES, Rule, make_rule

STOP = 'stop'


@dataclass(frozen=True)
class SchedulerConfig:
    """Everything the pilot and its scheduler can be told; flat, each is one ROS parameter.

    Attributes:
        policy_step_s: Seconds of one action, the step that the checkpoint was trained at.
        capacity: Actions in the buffer (SP-VLA, n).
        predictor: Who takes intuitive steps and drafts for the VLA: `ridge` or `hold`.
        fit: What the ridge fits: `translation_rotation` or `translation`.
        ridge_penalty: The ridge's lambda.
        min_actions: Fewest buffered actions that the ridge fits to.
        change: A prediction that changes faster than the past is `clip`ped, `reject`ed, or
            the change is `ignore`d.
        max_translation_step: Largest predicted displacement, metres per step.
        max_rotation_step: Largest predicted rotation, radians per step.
        rule: What is intuitive: `velocity`, `planar`, `trust`, `always` (up to `tau`) or
            `never`.
        v_min: Rule `velocity`: slowest intuitive speed, m/s.
        v_max: Rule `velocity`: fastest intuitive speed, m/s.
        w_max: Rule `velocity`: fastest intuitive angular speed, rad/s.
        tau: Rules `velocity`, `always`: generated share that the buffer must exceed.
        step_skip: Rule `planar`: last actions looked at.
        planar_ratio: Rule `planar`: bound on vertical over horizontal motion.
        z_max: Rule `planar`: bound on the vertical speed, m/s.
        min_from_vla: Rule `planar`: generated actions that the buffer must hold.
        trust_linear: Rule `trust`: error of the predictor that is tolerated at any speed, m/s.
        trust_angular: Rule `trust`: likewise of its angular velocity, rad/s.
        trust_share: Rule `trust`: tolerated share of the VLA's own velocity, where it is more.
        trust_least: Rule `trust`: steps without a look at least while the error is tolerated;
            fewer, the larger it is.
        trust_flip: Rule `trust`: steps without a look after the gripper opened or closed.
        trust_most: Rule `trust`: steps without a look in a row at most.
        gripper_guard: Never intuitive while the buffer holds an opening or a closing.
        bridge: What is sent while a call is in flight past its step: `stop` sends nothing,
            any predictor's name sends its prediction.
        max_bridge_steps: Bridged steps between two answers at most; then nothing is sent.
        max_staleness_s: Older answers (from request to answer) are discarded.
        answer_timeout_s: After it a request counts as lost and the VLA is asked afresh.
        max_chunk_age_s: Queued rows are dropped once their observation is older than this.
        prefetch_rows: The VLA is asked already when fewer rows than this are queued.
        seam_translation: Where one chunk takes over from another, the displacement may change by
            so much more than it does inside the two, metres per step.
        seam_rotation: Likewise the rotation, radians per step.
        pause_s: A longer gap between frames, or a stamp back by more, starts afresh.
        replan_on_fine: Ask afresh in mid-chunk when the arm slows down to fine work.
        fine_linear: Below this speed, and not rising, work is fine, m/s.
        fine_angular: Below this angular speed, too, rad/s.

    Raises:
        ValueError: When a value is outside its range.
    """

    policy_step_s: float = 0.05
    capacity: int = 6
    predictor: str = 'ridge'
    fit: str = 'translation_rotation'
    ridge_penalty: float = 1e-4
    min_actions: int = 3
    change: str = 'clip'
    max_translation_step: float = 0.05
    max_rotation_step: float = 0.3
    rule: str = 'velocity'
    v_min: float = 0.16
    v_max: float = 0.75
    w_max: float = 3.5
    tau: float = 0.5
    step_skip: int = 2
    planar_ratio: float = 1.0
    z_max: float = 0.3
    min_from_vla: int = 4
    trust_linear: float = 0.06
    trust_angular: float = 0.6
    trust_share: float = 0.3
    trust_least: int = 3
    trust_flip: int = 0
    trust_most: int = 4
    gripper_guard: bool = True
    bridge: str = STOP
    max_bridge_steps: int = 2
    max_staleness_s: float = 1.0
    answer_timeout_s: float = 2.0
    max_chunk_age_s: float = 2.0
    prefetch_rows: int = 0
    seam_translation: float = 0.02
    seam_rotation: float = 0.1
    pause_s: float = 1.0
    replan_on_fine: bool = False
    fine_linear: float = FINE_LINEAR
    fine_angular: float = FINE_ANGULAR

    def __post_init__(self) -> None:
        for name in (
            'policy_step_s',
            'max_staleness_s',
            'answer_timeout_s',
            'max_chunk_age_s',
            'pause_s',
        ):
            value = getattr(self, name)
            if not 0 < value < inf:
                raise ValueError(f'{name} is {value}, expected above 0 and finite')
        for name in ('max_bridge_steps', 'prefetch_rows'):
            value = getattr(self, name)
            if value < 0:
                raise ValueError(f'{name} is {value}, expected at least 0')
        for name in ('seam_translation', 'seam_rotation'):
            value = getattr(self, name)
            if not value >= 0:
                raise ValueError(f'{name} is {value}, expected at least 0')
        for name in ('fine_linear', 'fine_angular'):
            value = getattr(self, name)
            if not 0 <= value < inf:
                raise ValueError(f'{name} is {value}, expected at least 0')
        if not 2 <= self.min_actions <= self.capacity:
            raise ValueError(
                f'min_actions is {self.min_actions}, expected 2 to the capacity {self.capacity}'
            )
        for name in ('step_skip', 'min_from_vla'):
            value = getattr(self, name)
            if not 1 <= value <= self.capacity:
                raise ValueError(f'{name} is {value}, expected 1 to the capacity {self.capacity}')
        if self.pause_s <= self.policy_step_s:
            raise ValueError(
                f'pause_s is {self.pause_s}, expected above policy_step_s {self.policy_step_s}'
            )
        # The parts check what is theirs, whichever of them is in use.
        self.make_predictor()
        self.make_bridge()
        for rule in RULES:
            self._make_rule(rule)
        self.make_rule()

    @property
    def seam_limit(self) -> tuple[float, float]:
        """How much more may change at a seam than inside the chunks, metres and radians."""
        return self.seam_translation, self.seam_rotation

    def make_predictor(self) -> Predictor:
        """Build the predictor of intuitive steps and drafts."""
        return self._make_predictor(self.predictor)

    def make_bridge(self) -> Predictor | None:
        """Build the predictor that bridges, None where bridging sends nothing."""
        return None if self.bridge == STOP else self._make_predictor(self.bridge)

    def make_rule(self) -> Rule:
        """Build the rule."""
        return self._make_rule(self.rule)

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
        for option in signature(RULES[name]).parameters if name in RULES else ():
            field = f'{name}_{option}' if f'{name}_{option}' in mine else option
            if field in mine:
                options[option] = mine[field]
        return make_rule(name, **options)


PARAMETERS = {field.name.removesuffix('_s'): field.name for field in fields(SchedulerConfig)}
