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

import json

import numpy as np
import pytest

from benchmarks.scheduling_rules import Spoilt, Vla, episode, main
from vla_accel_ros.scheduling.config import SchedulerConfig
from vla_accel_ros.sim.env import TabletopEnv

LIFT = {'task': 'pick up the red cube'}


@pytest.fixture(scope='module')
def env():
    return TabletopEnv(image_size=32, cameras=())


def answers(env, spoilt, count=200):
    env.reset(seed=1_000_000, options=LIFT)
    vla = Vla(env, 1_000_000, spoilt)
    return np.array([vla.step() for _ in range(count)])


def test_what_is_wrong_with_an_answer_depends_on_the_seed_and_the_step_alone(env):
    once = answers(env, Spoilt('', 1.0, 0.1))
    assert np.array_equal(once, answers(env, Spoilt('', 1.0, 0.1)))
    assert np.ptp(once[:, :6], axis=0).min() > 0


def test_answers_are_spoilt_as_much_as_told(env):
    exact = answers(env, Spoilt('', 0.0))
    assert np.ptp(exact, axis=0).max() == 0
    errors = answers(env, Spoilt('', 2.0), 2000) - exact[0]
    assert errors[:, :3].std(axis=0) == pytest.approx([0.5e-3, 0.5e-3, 1.4e-3], rel=0.2)
    glitched = np.abs(answers(env, Spoilt('', 0.0, 0.25), 2000) - exact[0]).max(axis=1) > 0
    assert glitched.mean() == pytest.approx(0.25, abs=0.04)


def test_fewer_calls_do_not_cost_the_task(env):
    every = episode(env, SchedulerConfig(rule='never'), 1_000_000, Spoilt('', 0.0))
    trust = SchedulerConfig(rule='trust', predictor='hold', gripper_guard=False)
    fewer = episode(env, trust, 1_000_000, Spoilt('', 0.0))
    assert every[0] and fewer[0]
    assert every[2] == every[1]
    assert fewer[2] < 0.5 * every[2]


def test_the_comparison_is_written_for_programs_and_for_people(tmp_path, capsys):
    arguments = ['--episodes', '1', '--seed', '1000000', '--workers', '1', '--only']
    assert main([*arguments, '--rule', 'hold', '--out', str(tmp_path)]) == 0
    found = json.loads((tmp_path / 'scheduling_rules.json').read_text(encoding='utf-8'))
    assert found['seeds'] == 'tuning'
    for rows in found['conditions'].values():
        assert [row['rule'] for row in rows] == ['SP-VLA, velocity band', 'hold']
        assert all(row['episodes'] == 1 for row in rows)
    text = (tmp_path / 'scheduling_rules.md').read_text(encoding='utf-8')
    assert text in capsys.readouterr().out


def test_what_others_made_is_not_overwritten(tmp_path, capsys):
    (tmp_path / 'scheduling_rules.json').write_text('{}')
    with pytest.raises(SystemExit):
        main(['--out', str(tmp_path)])
    assert 'a file that is there already' in capsys.readouterr().err
    assert (tmp_path / 'scheduling_rules.json').read_text() == '{}'
