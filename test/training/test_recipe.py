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
from vla_accel_ros.training import recipe, recipe_yaml
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
    with pytest.raises(recipe.RecipeError) as error:
        recipe_yaml.from_dict(broken(values, path, value))
    assert said in str(error.value)


def test_each_task_of_a_suite_must_get_a_chunk():
    shipped = recipe_yaml.load(share_file('config/training/libero-object-s.yaml'))
    few = {'demos': replace(shipped.data['demos'], frames=4500)}
    with pytest.raises(recipe.RecipeError, match=r'4500 frames in chunks of 500, .* of 10 instr'):
        replace(shipped, data=few)


def test_a_missing_name_is_said(values):
    del values['stages'][0]['rate']
    with pytest.raises(recipe.RecipeError, match=r"stages\[0\]: missing \['rate'\]"):
        recipe_yaml.from_dict(values)


def test_numbers_that_yaml_takes_for_words_are_numbers(values):
    values['stages'][0]['rate'] = '2e-3'
    assert recipe_yaml.from_dict(values).stages[0].rate == 2e-3


def test_the_file_is_named_in_the_error(tmp_path):
    file = tmp_path / 'odd.yaml'
    file.write_text('name: [1]\n')
    with pytest.raises(recipe.RecipeError, match=r'odd\.yaml: recipe: missing'):
        recipe_yaml.load(file)
    with pytest.raises(recipe.RecipeError, match='cannot be read'):
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
