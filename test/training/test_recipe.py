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
"""Recipes are read strictly: what cannot be followed is named."""

from dataclasses import replace

import pytest

from vla_accel_ros.models.tokenizer import vocabulary
from vla_accel_ros.paths import share_file
from vla_accel_ros.sim.tasks import all_instructions
from vla_accel_ros.training import recipe_yaml
from vla_accel_ros.training.recipe_checks import RecipeError
from vla_accel_ros.training.shapes import configure


def broken(values, path, value):
    place = values
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return values


@pytest.mark.parametrize(
    ('path', 'value', 'said'),
    [
        (['colour'], 1, "unknown ['colour']"),
        (['model', 'depth'], 3, "model: unknown ['depth']"),
        (['model'], 7, 'model is 7'),
        (['stages'], [], 'stages is empty'),
        (['stages', 1, 'rate'], 'fast', "stages[1].rate is 'fast'"),
        (['stages', 1, 'rate'], -1.0, "stages[1]: stage 'clone': rate is -1.0"),
        (['stages', 0, 'losses'], {'magic': 1}, "losses ['magic']"),
        (['stages', 0, 'mix'], {'nothing': 1}, "mixes ['nothing'], not in data"),
        (['stages', 0, 'images'], 0, 'images is 0'),
        (
            ['stages', 0, 'tokens'],
            7,
            "stage 'ground': tokens is 7, expected 0 or 8 to 8, as many in each of 2",
        ),
        (['data', 'demos', 'kind'], 'dream', "data.demos: kind is 'dream'"),
        (['data', 'demos', 'frames'], 1.5, 'data.demos.frames is 1.5'),
        (['data', 'demos', 'seed'], 400, "data 'wander' and 'demos' share seeds"),
        (['data', 'demos', 'seed'], 999_900, "data 'demos' takes seeds 999900 to 1000399"),
        (['point_layers'], [2], 'point_layers [2]'),
        (['batch'], True, 'batch is True'),
        (['asks'], 0, 'asks is 0'),
        (['stages', 0, 'asks'], -1, "stage 'ground': asks is -1"),
        (['cameras'], [], 'cameras is empty'),
        (['jpeg'], 'yes please', "jpeg is 'yes please'"),
        (['model', 'form'], 'round', "form is 'round'"),
        (['point_layers'], ['a'], "point_layers[0] is 'a', expected a whole number"),
        (['statistics'], [[1]], 'statistics[0] is [1], expected words'),
        (['instructions'], ['fly'], "instructions ['fly'] are unknown, expected some of: pick up"),
        (['instructions'], ['pick up the red cube'] * 2, "instructions has ['pick up the red cub"),
        (['cameras'], ['front'], "cameras ['front'] are unknown, expected some of: agent; wrist"),
        (['name'], '../elsewhere', "name is '../elsewhere', expected what a folder may be called"),
        (['data', '../demos'], {'kind': 'wander', 'frames': 1, 'seed': 9000}, 'name of data is'),
        (['data', 7], {}, 'data: [7] are no words'),
        (['stages', 1, 'name'], 'ground', "stages has ['ground'] more than once"),
        (['stages', 0, 'mix'], {7: 1}, 'stages[0].mix: [7] are no words'),
        (['stages', 0, 'mix'], {'wander': float('inf')}, 'mix.wander is inf, expected a finite'),
        (['stages', 0, 'evaluate'], -1, "stage 'ground': evaluate is -1, expected at least 0"),
        (['stages', 0, 'floor'], 1.5, "stage 'ground': floor is 1.5, expected 0 to 1"),
        (['stages', 0, 'losses'], {'action': -1}, 'losses.action is -1.0, expected at least 0'),
        (['stages', 0, 'rate'], True, 'stages[0].rate is True, expected a finite number'),
        (['model', 'patch'], 0, 'model: patch is 0, expected at least 1'),
        (['model', 'layers'], 0, 'model: layers is 0, expected at least 1'),
        (['model', 'image_size'], 33, 'image_size is 33, expected a multiple of patch, 16'),
        (['model', 'drop'], ['a'], "model.drop[0] is 'a', expected a whole number"),
        (['spread'], 0, 'spread is 0.0, expected above 0'),
        (['grasp_weight'], 0, 'grasp_weight is 0.0, expected above 0'),
        (['average'], 2, 'average is 2.0, expected 0 to 1'),
        (['decay'], -1, 'decay is -1.0, expected at least 0'),
        (['warmup'], -1, 'warmup is -1, expected at least 0'),
        (['episodes'], 0, 'episodes is 0, expected 1 to 1000000'),
        (['seed'], -1, 'seed is -1, expected 0 to 4294967295'),
        (['data', 'demos', 'disturbance'], {'keep': 0}, 'keep is 0.0, expected above 0'),
        (['data', 'demos', 'disturbance'], {'noise': -1}, 'noise is -1.0, expected at least 0'),
        (['data', 'demos', 'disturbance'], {'flip': 2}, 'flip is 2.0, expected 0 to 1'),
        (['data', 'wander', 'kind'], 'dagger', "stage 'ground' mixes ['wander'] of kind"),
        (['world'], 'moon', "world is 'moon', expected tabletop, or one as libero:object"),
        (['world'], 'libero:object', "data of libero:object has kinds ['wander']"),
        (['data', 'demos', 'task'], 'dance', "task is 'dance'"),
        (['data', 'demos', 'task'], 'stack', "data 'demos': no instruction of its task"),
        (
            ['data', 'demos', 'task'],
            'lift',
            "stage 'clone' mixes sets of different tasks ['', 'lift']",
        ),
        (['statistics'], ['dreams'], "statistics of 'dreams'"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused_by_name(values, path, value, said):
    with pytest.raises(RecipeError) as error:
        recipe_yaml.from_dict(broken(values, path, value))
    assert said in str(error.value)


def test_each_task_of_a_suite_must_get_a_chunk():
    shipped = recipe_yaml.load(share_file('config/training/libero-object-s.yaml'))
    few = {'demos': replace(shipped.data['demos'], frames=4500)}
    with pytest.raises(RecipeError, match=r'4500 frames in chunks of 500, .* of 10 instr'):
        replace(shipped, data=few)


def test_unknown_names_of_any_kind_are_said(values):
    values.update({1: 2, 'colour': 3})
    with pytest.raises(RecipeError, match=r'recipe: \[1\] are no words'):
        recipe_yaml.from_dict(values)


def test_a_frozen_prefix_is_not_thinned(values):
    values.update(start='tabletop-s', bins_of_start=True)
    values['model'].update(head='flow', chunk=2)
    values['stages'][0]['tokens'] = 8
    with pytest.raises(RecipeError, match="tokens is 8, expected 0 for head 'flow'"):
        recipe_yaml.from_dict(values)


def test_a_missing_name_is_said(values):
    del values['stages'][0]['rate']
    with pytest.raises(RecipeError, match=r"stages\[0\]: missing \['rate'\]"):
        recipe_yaml.from_dict(values)


def test_numbers_that_yaml_takes_for_words_are_numbers(values):
    values['stages'][0]['rate'] = '2e-3'
    assert recipe_yaml.from_dict(values).stages[0].rate == 2e-3


def test_the_file_is_named_in_the_error(tmp_path):
    file = tmp_path / 'odd.yaml'
    file.write_text('name: [1]\n')
    with pytest.raises(RecipeError, match=r'odd\.yaml: recipe: missing'):
        recipe_yaml.load(file)
    with pytest.raises(RecipeError, match='cannot be read'):
        recipe_yaml.load(tmp_path / 'none.yaml')


def test_the_shipped_recipe_can_be_followed():
    shipped = recipe_yaml.load(share_file('config/training/tabletop-s.yaml'))
    assert shipped.name == 'tabletop-s'
    tokens = 2 * (shipped.model.image_size // shipped.model.patch) ** 2
    assert tokens >= 72
    assert set(shipped.instructions) == set(all_instructions())


@pytest.mark.parametrize(
    ('name', 'cameras', 'chunk'), [('tabletop-m', 1, 0), ('tabletop-m-oft', 2, 8)]
)
def test_the_middle_size_has_openvlas_form_and_the_decoder_it_starts_from(name, cameras, chunk):
    shipped = recipe_yaml.load(share_file(f'config/training/{name}.yaml'))
    config = configure(shipped.model, vocabulary(shipped.instructions), len(shipped.cameras))
    assert config.image_towers == ((0, 1),) * cameras
    assert config.tokens_per_image == 256
    assert (config.head.chunk if config.head.single_pass else 0) == chunk
    start = recipe_yaml.load(share_file(f'config/training/{shipped.start}.yaml'))
    theirs = configure(start.model, vocabulary(start.instructions), len(start.cameras))
    assert config.decoder == theirs.decoder
    assert set(shipped.instructions) == set(all_instructions())


def test_a_set_of_one_task_is_labelled_for_its_instructions_only(values):
    values['instructions'] += list(all_instructions('stack'))
    values['data']['wander']['task'] = 'lift'
    values['stages'][1]['mix'] = {'demos': 1}
    made = recipe_yaml.from_dict(values)
    assert made.asked(made.data['wander']) == all_instructions('lift')
    assert made.asked(made.data['demos']) == made.instructions
