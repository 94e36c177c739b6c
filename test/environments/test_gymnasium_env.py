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

"""An environment of gymnasium that is not ours, through the adapter."""

import numpy as np
import pytest

from vla_accel_ros.environments import registry
from vla_accel_ros.environments.gymnasium_env import GymnasiumKind
from vla_accel_ros.environments.settings import Settings, from_dict

ACTIONS = {'translation': 0.05, 'rotation': 0.5, 'gripper': [-1, 1], 'binary_gripper': True}
OPEN = np.zeros(7)


def reach(name='reach:Reach-v0', **settings):
    return GymnasiumKind.find(name, from_dict({'actions': ACTIONS, **settings}))


def home(dot):
    """Return the action that brings the dot to the middle as fast as may be."""
    return np.array([*np.clip(-dot, -0.05, 0.05), 0, 0, 0, 0, 1.0])


def test_what_is_not_said_is_found_out():
    kind = reach()
    assert kind.cameras == ('views.front', 'views.hand')
    assert kind.default_task == 'bring the dot to the middle'
    assert kind.settings.step_s == pytest.approx(0.05)


def test_an_episode_ends_with_success_and_the_environment_is_told_its_own_units():
    kind = reach(proprio=['state'])
    environment = kind.make(48, None)
    environment.reset(3, kind.default_task)
    outcome, steps = None, 0
    while outcome is None or not outcome.done:
        outcome = environment.step(home(environment.observe().proprio))
        steps += 1
    assert outcome.success and steps < 10
    told = environment.env.unwrapped.told
    assert told[0].dtype == np.float32 and np.abs(told[0][:2]).max() == 1.0
    assert told[0][6] == 1.0


def test_the_same_seed_is_the_same_start():
    environment = reach().make(48, None)
    pictures = []
    for seed in (3, 4, 3):
        environment.reset(seed, 'bring the dot to the middle')
        pictures.append(environment.observe().images[0])
    assert np.array_equal(pictures[0], pictures[2])
    assert not np.array_equal(pictures[0], pictures[1])


def test_an_episode_is_cut_off_where_it_is_said_or_registered():
    limits = ((reach(), 4, 4), (reach(max_steps=6), None, 6), (reach(), None, 30))
    for kind, given, limit in limits:
        environment = kind.make(48, given)
        environment.reset(3, kind.default_task)
        outcomes = [environment.step(OPEN) for _ in range(limit)]
        assert [outcome.done for outcome in outcomes] == [False] * (limit - 1) + [True]
        assert not outcomes[-1].success


def test_settling_does_not_count_and_moves_nothing():
    environment = reach(settle_steps=3).make(48, 1)
    environment.reset(3, 'bring the dot to the middle')
    told = environment.env.unwrapped.told
    assert len(told) == 3 and told[0].tolist() == [0, 0, 0, 0, 0, 0, -1]
    assert environment.step(OPEN).done


def test_views_may_be_turned_and_rendered():
    plain = reach(images=['views.front']).make(48, None)
    drawn = {'render_mode': 'rgb_array'}
    turned = reach(images=['render'], rotate=True, make=drawn).make(48, None)
    for environment in (plain, turned):
        environment.reset(3, 'bring the dot to the middle')
    assert np.array_equal(turned.observe().images[0], np.rot90(plain.observe().images[0], 2))
    assert turned.picture().shape == plain.picture().shape == (48, 48, 3)


def test_the_embedded_arm_is_one_of_gymnasiums_too():
    name = 'vla_accel_ros.sim.env:vla_accel_ros/Tabletop-v0'
    settings = from_dict({'make': {'image_size': 32}, 'task_option': 'task'})
    kind = GymnasiumKind.find(name, settings)
    assert kind.cameras == ('agent', 'wrist')
    environment = kind.make(32, 2)
    environment.reset(5, 'pick up the red cube')
    assert len(environment.observe().images) == 2
    assert [environment.step(OPEN).done for _ in range(2)] == [False, True]


def test_an_environment_that_draws_its_own_task_must_be_told_which():
    kind = GymnasiumKind.find('vla_accel_ros.sim.env:vla_accel_ros/Tabletop-v0', Settings())
    environment = kind.make(32, 2)
    with pytest.raises(ValueError, match=r'the policy is told .*task_option in --env-config'):
        for seed in range(5):
            environment.reset(seed, 'pick up the red cube')


def test_other_words_for_the_task_that_it_has_are_the_users_affair():
    environment = reach().make(48, None)
    environment.reset(3, 'into the middle with the dot')
    assert environment.observe().images


@pytest.mark.parametrize(
    ('name', 'settings', 'said'),
    [
        ('nowhere:Reach-v0', {}, 'nowhere is not installed'),
        ('reach:Walk-v0', {}, r"no environment 'reach:Walk-v0': .*reach has .*Reach-v0"),
        ('Walk-v0', {}, "no environment 'Walk-v0'"),
        ('reach:Reach-v0', {'make': {'wings': 2}}, "with {'wings': 2}: .*wings"),
        ('reach:FourColumns-v0', {}, r'of shape \[4\], expected \[7\]: x y z roll'),
        ('reach:NoImage-v0', {}, r'shows no uint8 \[h, w, 3\] image'),
        ('reach:Reach-v0', {'actions': None}, 'reach 1 in x, y, z: no m a step'),
    ],
)
def test_an_environment_that_does_not_fit_is_refused(name, settings, said):
    with pytest.raises(ValueError, match=said):
        reach(name, **settings)


def test_pictures_smaller_than_the_policys_are_refused():
    kind = reach()
    environment = kind.make(64, None)
    environment.reset(3, kind.default_task)
    with pytest.raises(ValueError, match=r"'views\.front' is 48 x 48 pixels, the policy sees 64"):
        environment.observe()


def test_an_image_that_is_not_there_is_refused_by_the_ones_there_are():
    environment = reach(images=['views.top']).make(48, None)
    environment.reset(3, 'bring the dot to the middle')
    with pytest.raises(ValueError, match=r"no 'views.top', it has: \['front', 'hand'\]"):
        environment.observe()


def test_without_an_instruction_one_is_asked_for():
    kind = reach(make={'words': ' '})
    assert kind.default_task == ''
    with pytest.raises(ValueError, match='has no instruction: give one by --task'):
        kind.instructions(kind.default_task)
    assert kind.instructions(' go ') == ('go',)


def test_a_policy_of_one_camera_gets_the_first():
    kind = registry.with_views(reach(), 1)
    environment = kind.make(48, None)
    environment.reset(3, kind.default_task)
    assert kind.cameras == ('views.front',) and len(environment.observe().images) == 1
    with pytest.raises(ValueError, match=r'wants 3 cameras, reach:Reach-v0 has 2: views\.front'):
        registry.with_views(reach(), 3)
