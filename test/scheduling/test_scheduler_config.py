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

from dataclasses import fields

import pytest

from vla_accel_ros.options import options_of
from vla_accel_ros.scheduling.config import SchedulerConfig
from vla_accel_ros.scheduling.predictors import HoldPredictor, RidgePredictor
from vla_accel_ros.scheduling.rules.interface import RULES, Planar, Velocity
from vla_accel_ros.scheduling.rules.trust import Trust


def test_the_defaults_are_what_serves_best():
    config = SchedulerConfig()
    assert isinstance(config.make_predictor(), HoldPredictor)
    assert config.make_rule() == Trust(0.06, 0.6, 0.3, 3, 0, 0.2)
    assert not config.gripper_guard and config.prefetch_rows == 2
    assert config.make_bridge() is None


def test_what_the_paper_says_is_the_default_of_its_rule():
    config = SchedulerConfig(rule='velocity', predictor='ridge')
    assert config.capacity == 6
    assert config.tau == 0.5
    assert config.ridge_penalty == 1e-4
    assert isinstance(config.make_predictor(), RidgePredictor)
    assert config.make_rule() == Velocity(0.16, 0.75, 3.5, tau=0.5)


def test_names_choose_the_parts():
    config = SchedulerConfig(predictor='hold', rule='planar', bridge='ridge', step_skip=1)
    assert isinstance(config.make_predictor(), HoldPredictor)
    assert isinstance(config.make_bridge(), RidgePredictor)
    assert config.make_rule() == Planar(step_skip=1)


def test_a_rule_that_is_added_is_built_from_the_fields_of_its_options_names(monkeypatch):
    class Toy:
        def __init__(self, tau=0.0, ratio=0.0, patience=5):
            self.given = tau, ratio, patience

    monkeypatch.setitem(RULES, 'toy', Toy)
    assert SchedulerConfig(tau=0.3)._make_rule('toy').given == (0.3, 0.0, 5)


def test_every_field_is_declared():
    assert set(options_of(SchedulerConfig)) == {item.name for item in fields(SchedulerConfig)}


@pytest.mark.parametrize(
    'options, message',
    [
        ({'policy_step_s': 0}, 'policy_step_s is 0.0, expected a number from 0.001 to 10.0 s'),
        ({'policy_step_s': float('nan')}, 'policy_step_s is nan'),
        ({'max_staleness_s': float('inf')}, 'max_staleness_s is inf'),
        ({'answer_timeout_s': -1}, 'answer_timeout_s is -1.0'),
        ({'max_chunk_age_s': 0}, 'max_chunk_age_s is 0'),
        ({'pause_s': 0}, 'pause_s is 0'),
        ({'pause_s': 0.05}, 'pause_s is 0.05, expected above policy_step_s 0.05'),
        ({'max_bridge_steps': -1}, 'max_bridge_steps is -1, expected a whole number'),
        ({'prefetch_rows': -1}, 'prefetch_rows is -1, expected a whole number from 0 to 64'),
        ({'seam_translation': -0.1}, 'seam_translation is -0.1, expected a number'),
        ({'seam_rotation': float('nan')}, 'seam_rotation is nan, expected a number from 0.0'),
        ({'fine_linear': -1}, 'fine_linear is -1.0, expected a number from 0.0'),
        ({'fine_angular': float('inf')}, 'fine_angular is inf'),
        ({'min_actions': 1}, 'min_actions is 1, expected a whole number from 2 to 32'),
        ({'capacity': 2}, 'min_actions is 3, expected at most the capacity, 2'),
        ({'step_skip': 7}, 'step_skip is 7, expected at most the capacity, 6'),
        ({'min_from_vla': 0}, 'min_from_vla is 0, expected a whole number from 1'),
        ({'predictor': 'lasso'}, "predictor is 'lasso'"),
        ({'bridge': 'jump'}, "bridge is 'jump'"),
        ({'rule': 'mood'}, "rule is 'mood'"),
        ({'change': 'bend'}, "change is 'bend'"),
        ({'fit': 'gripper'}, "fit is 'gripper'"),
        ({'ridge_penalty': -1.0}, 'ridge_penalty is -1.0'),
        ({'max_translation_step': 0}, 'max_translation_step is 0'),
        ({'max_rotation_step': -1}, 'max_rotation_step is -1'),
        ({'v_min': 2.0}, 'v_min is 2.0 m/s, expected at most v_max, 0.75 m/s'),
        ({'tau': 2}, 'tau is 2'),
        ({'planar_ratio': 0}, 'planar_ratio is 0'),
        ({'z_max': 0}, 'z_max is 0'),
        ({'trust_linear': 0}, 'trust_linear is 0'),
        ({'trust_longest': -1}, 'trust_longest is -1.0'),
    ],
)
def test_a_value_out_of_range_is_refused_even_where_not_in_use(options, message):
    with pytest.raises(ValueError, match=message):
        SchedulerConfig(**options)
