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

"""LIBERO by its protocol, where LIBERO is installed."""

from dataclasses import replace
import json

import numpy as np
import pytest

from vla_accel_ros.cli import main
from vla_accel_ros.environments import libero_protocol as protocol
from vla_accel_ros.environments.libero_env import LiberoKind
from vla_accel_ros.environments.offscreen import Offscreen
from vla_accel_ros.environments.rehearsal import rehearse
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.observations import Observation
from vla_accel_ros.paths import checkpoint_folder

pytest.importorskip('libero', reason='LIBERO is not installed: make libero')

OBJECT = LiberoKind('libero_object')
SOUP = 'pick up the alphabet soup and place it in the basket'
STILL = np.zeros(7)


@pytest.fixture(scope='module')
def soup():
    environment = LiberoKind('libero_object', (0,)).make(224, None)
    yield environment
    environment.close()


@pytest.fixture
def drawn(monkeypatch):
    """List the cameras that are drawn."""
    cameras, draw = [], Offscreen.render

    def count(self, model, data, camera, size):
        cameras.append(camera)
        return draw(self, model, data, camera, size)

    monkeypatch.setattr(Offscreen, 'render', count)
    return cameras


def test_the_shipped_policy_brings_a_fixed_state_of_the_suite_to_its_end(soup):
    policy = Policy.load(checkpoint_folder('libero-object-s'), threads=1)
    soup.reset(0, SOUP)
    done = None
    while done is None or not done.done:
        view = soup.observe()
        seen = Observation(view.images, SOUP, proprio=view.proprio)
        for action in policy.predict(seen).chunk_values:
            done = soup.step(action)
            if done.done:
                break
    assert done.success


def test_chosen_tasks_take_turns_in_the_order_that_they_are_named_in():
    kind = LiberoKind('libero_object', (3, 0))
    instructions = kind.instructions('all')
    assert instructions == (OBJECT.instructions('all')[3], SOUP)
    environment = kind.make(224, None)
    environment.reset(5, SOUP)
    with pytest.raises(ValueError, match='with seed 6'):
        environment.reset(6, SOUP)
    environment.close()


def test_a_suite_has_its_tasks_in_its_order():
    instructions = OBJECT.instructions('all')
    assert len(instructions) == 10 and instructions[0] == SOUP
    assert LiberoKind('libero_object', (0,)).instructions(SOUP) == (SOUP,)
    with pytest.raises(ValueError, match='use --env libero:libero_object/1'):
        OBJECT.instructions(instructions[1])
    with pytest.raises(ValueError, match='no task 10, expected 0 to 9'):
        LiberoKind('libero_object', (10,)).instructions('all')


def test_an_episode_starts_from_its_state_settled_and_shows_what_checkpoints_saw(soup):
    soup.reset(0, SOUP)
    view = soup.observe()
    assert [image.shape for image in view.images] == [(256, 256, 3)] * 2
    assert view.proprio.shape == (8,)
    # Ten steps of an opening gripper have passed, and the arm has not gone anywhere.
    assert view.proprio[6] - view.proprio[7] > 0.07
    # Mirrored, left for right, to what stands upright, and through JPEG.
    upright = soup.picture()
    mirrored = np.ascontiguousarray(upright[:, ::-1])
    assert np.array_equal(view.images[0], protocol.through_jpeg(mirrored))
    assert not np.array_equal(view.images[0], mirrored)


def test_the_policy_sees_lanczos_of_the_jpeg_and_nine_tenths_of_its_area(soup):
    from vla_accel_ros.models.preprocess import fit
    from vla_accel_ros.models.presets import embedded
    from vla_accel_ros.models.resample import centre_crop, lanczos

    config = replace(embedded(8, 2, image_size=64), centre_crop=0.9)
    soup.reset(0, SOUP)
    view, size = soup.observe().images[0], config.image_size
    seen = fit(view, config)
    assert np.array_equal(seen, centre_crop(lanczos(view, size, size), 0.9, size))
    assert not np.array_equal(seen, lanczos(view, size, size))


def test_settling_is_ten_steps_of_the_simulator(soup):
    soup.reset(0, SOUP)
    assert soup._env.env.timestep == protocol.SETTLE_STEPS
    assert soup._env.env.control_freq == protocol.CONTROL_HZ


def test_states_differ_by_seed_and_come_again(soup):
    tools = []
    for seed in (0, 1, 0):
        soup.reset(seed, SOUP)
        soup.step(np.array([0.02, 0, 0, 0, 0, 0, 1.0]))
        tools.append(soup._env.sim.get_state().flatten())
    assert np.array_equal(tools[0], tools[2]) and not np.array_equal(tools[0], tools[1])


def test_an_episode_in_a_scene_that_was_used_is_to_the_bit_that_of_a_new_one():
    # The cabinet's place is written to the model at each reset.
    kind = LiberoKind('libero_goal', (1,))
    used = kind.make(224, None)
    instruction = kind.tasks()[0].language
    for seed in (2_000_000, 2_000_001):
        fresh = kind.make(224, None)
        seen = []
        for environment in (used, fresh):
            environment.reset(seed, instruction)
            environment.step(np.array([0.02, 0, -0.01, 0, 0, 0.1, 1.0]))
            view = environment.observe()
            seen.append([environment._env.sim.get_state().flatten(), *view.images])
        fresh.close()
        for one, other in zip(*seen, strict=True):
            assert np.array_equal(one, other)
    used.close()


def test_a_scene_is_compiled_once_for_all_its_episodes(soup):
    soup.reset(0, SOUP)
    model = soup._env.sim.model._model
    soup.reset(1, SOUP)
    assert soup._env.sim.model._model is model


def test_the_gripper_is_told_open_below_the_middle_and_closed_above(soup):
    widths = []
    for gripper in (0.4, 0.6):
        soup.reset(0, SOUP)
        for _ in range(12):
            soup.step(np.array([0, 0, 0, 0, 0, 0, gripper]))
        fingers = soup.observe().proprio[6:]
        widths.append(fingers[0] - fingers[1])
    assert widths[0] > 0.07 and widths[1] < 0.01


@pytest.mark.parametrize('suite', sorted(protocol.HORIZONS))
def test_the_suites_horizon_ends_an_episode(suite):
    assert LiberoKind(suite).make(224, None)._max_steps == protocol.HORIZONS[suite]


def test_another_instruction_than_the_seeds_is_refused(soup):
    with pytest.raises(ValueError, match=f"asks '{SOUP}', the policy is told 'dance'"):
        soup.reset(0, 'dance')


def test_an_expert_episode_succeeds_and_draws_nothing(soup, drawn):
    outcome = rehearse(soup, 'expert', 3, SOUP)
    assert outcome.success and 60 < outcome.steps < protocol.HORIZONS['libero_object']
    assert drawn == []


@pytest.mark.parametrize('name', ['10/0', '90/46', 'goal/8', 'object/3', 'spatial/0'])
def test_the_expert_succeeds_in_each_suite(name):
    kind = LiberoKind.parse(name)
    environment = kind.make(224, None)
    assert rehearse(environment, 'expert', 0, kind.instructions('all')[0]).success
    environment.close()


def test_a_task_that_is_more_than_placing_has_no_expert_in_each_suite():
    kind = LiberoKind.parse('goal/0')
    environment = kind.make(224, None)
    with pytest.raises(ValueError, match=r"asks 'open the middle drawer .*no scripted expert"):
        rehearse(environment, 'expert', 0, kind.instructions('all')[0])
    environment.close()


def test_the_expert_takes_up_again_what_was_pushed_out_of_its_hand(soup):
    soup.reset(4, SOUP)
    random, outcome, disturbed = np.random.default_rng(0), None, 0
    while outcome is None or not outcome.done:
        action = soup.expert_action()
        # Once it has the can in the air, the fingers open for a moment; noise all along.
        if soup._scene.read().thing.low[2] > 0.06 and disturbed < 8:
            disturbed += 1
            action[6] = 0.0
        action[:3] += random.normal(0.0, 0.01, 3)
        outcome = soup.step(action)
    assert disturbed == 8 and outcome.success


def test_the_sampler_draws_layouts_that_are_no_states_of_the_test(soup):
    sampled = LiberoKind('libero_object', (0,), sampled=True).make(224, None)
    layouts = []
    for seed in (0, 1, 0):
        sampled.reset(seed, SOUP)
        layouts.append(sampled._env.sim.get_state().flatten()[8:])
    soup.reset(0, SOUP)
    fixed = soup._states[:, 1 + 9 :]
    sampled.close()
    assert np.array_equal(layouts[0], layouts[2]) and not np.allclose(layouts[0], layouts[1])
    assert sampled._states is None and fixed.shape[0] == 50


def test_a_policy_is_judged_and_a_skipped_call_draws_nothing(tmp_path, capsys, drawn):
    from random_checkpoints import write_random

    folder = write_random(tmp_path, [SOUP], key='libero_object')
    words = ['eval', '--env', 'libero:object/0', '--checkpoint', str(folder), '--json']
    words += ['--methods', 'none,hold@v_min=0,w_max=50']
    words += ['--episodes', '1', '--max-steps', '6', '--workers', '1']
    assert main(words) == 0
    plain, held = json.loads(capsys.readouterr().out)['methods']
    assert plain['steps'] == plain['model_calls'] == held['steps'] == 6
    assert held['model_calls'] < 6
    # Two views for each call, and for the one that is tried before anything is run.
    assert len(drawn) == 2 * (1 + plain['model_calls'] + held['model_calls'])


def test_a_scene_whose_thing_the_assets_lack_is_refused_with_the_file_that_is_missing(capsys):
    words = ['env', 'libero:object_with_red_stick/0', '--policy', 'expert', '--episodes', '1']
    assert main(words) == 2
    said = capsys.readouterr().err
    assert f"cannot build '{SOUP}': the installed assets lack " in said
    assert 'red_sticker.xml' in said
