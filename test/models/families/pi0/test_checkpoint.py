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

"""Folders of both publishers are read as they are, and what is wrong with one is said."""

import json
import shutil

import numpy as np
from pi0_fixture import FIXTURES
import pytest
from safetensors.torch import save_file
import torch

from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.families.pi0.config import PLAIN, STATE
from vla_accel_ros.models.heads.flow_config import SIGNED
from vla_accel_ros.models.normalisation import MEAN_STD, QUANTILES
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.preprocess import CameraCountError
from vla_accel_ros.models.tokenizer_file import TokenizerError
from vla_accel_ros.observations import Observation


@pytest.fixture
def folder(tmp_path):
    copy = tmp_path / 'copy'
    shutil.copytree(FIXTURES / 'pi0_tiny', copy)
    return copy


def change(folder, **values):
    file = folder / 'config.json'
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def write_processors(folder, columns=7, numbers=8):
    """Write the statistics as LeRobot's processors have them, padded or not."""
    for name, step in (('preprocessor', 'normalizer'), ('postprocessor', 'unnormalizer')):
        state = f'policy_{name}_step_5_{step}_processor.safetensors'
        steps = [
            {'registry_name': 'rename_observations_processor', 'config': {}},
            {'registry_name': f'{step}_processor', 'config': {}, 'state_file': state},
        ]
        (folder / f'policy_{name}.json').write_text(json.dumps({'name': name, 'steps': steps}))
        tensors = {}
        for part, width in (('observation.state', numbers), ('action', columns)):
            tensors[f'{part}.mean'] = torch.arange(width) / 10
            tensors[f'{part}.std'] = torch.ones(width)
        save_file(tensors, folder / state)


def write_openpi(folder, adaptive, asset='physical-intelligence/libero'):
    """Make a folder of what openpi's converter writes; of the weights the names alone."""
    stats = (FIXTURES / 'pi0_tiny' / 'norm_stats.json').read_text()
    (folder / 'assets' / asset).mkdir(parents=True)
    (folder / 'assets' / asset / 'norm_stats.json').write_text(stats)
    (folder / 'config.json').write_text(
        json.dumps(
            {
                'action_dim': 32,
                'action_horizon': 10,
                'paligemma_variant': 'gemma_2b',
                'action_expert_variant': 'gemma_300m',
                'precision': 'bfloat16',
            }
        )
    )
    name = 'time_mlp_in.weight' if adaptive else 'action_time_mlp_in.weight'
    save_file({name: torch.zeros(1)}, folder / 'model.safetensors')


def test_lerobots_processors_say_how_numbers_are_scaled(folder):
    write_processors(folder)
    config = read_config(folder)
    assert list(config.norm_stats) == ['copy']
    assert config.norm_stats['copy']['action']['mean'] == pytest.approx(np.arange(7) / 10)
    assert (config.action_dims, config.proprio) == (7, 8)
    assert (config.head.state_scaling, config.head.action_scaling) == (MEAN_STD, MEAN_STD)
    assert (config.head.state_added, config.head.action_added) == (1e-8, 0.0)
    # Without antialiasing and with counted times, as LeRobot has it.
    assert (config.resize, config.head.times, config.head.clean) == (
        'pad-linear',
        'counted',
        False,
    )


def test_the_data_set_is_named_by_what_was_trained_on(folder):
    write_processors(folder)
    (folder / 'train_config.json').write_text(json.dumps({'dataset': {'repo_id': 'me/cups'}}))
    assert list(read_config(folder).norm_stats) == ['cups']


def test_padded_statistics_are_cut_to_the_robots_columns(folder):
    write_processors(folder, columns=32, numbers=32)
    config = read_config(folder)
    assert (config.action_dims, config.proprio) == (7, 8)
    assert len(config.norm_stats['copy']['proprio']['mean']) == 8


JOINTS = ['waist', 'shoulder', 'elbow', 'roll', 'pitch', 'wrist', 'left_Gripper']


@pytest.mark.parametrize('word', ['relative_actions_processor', 'delta_actions_processor'])
@pytest.mark.parametrize(
    ('said', 'columns'),
    [
        ({'enabled': False, 'exclude_joints': []}, ()),
        ({'enabled': True, 'exclude_joints': ['gripper']}, (0, 1, 2, 3, 4, 5, 6)),
        (
            {'enabled': True, 'exclude_joints': ['gripper'], 'action_names': JOINTS},
            tuple(range(6)),
        ),
        (
            {'enabled': True, 'exclude_joints': ['roll'], 'action_names': JOINTS[:5]},
            (0, 1, 2, 4, 5, 6),
        ),
    ],
)
def test_differences_from_the_state_are_those_of_lerobots_preprocessor(
    folder, word, said, columns
):
    write_processors(folder)
    file = folder / 'policy_preprocessor.json'
    values = json.loads(file.read_text())
    values['steps'].insert(1, {'registry_name': word, 'config': said})
    file.write_text(json.dumps(values))
    assert read_config(folder).head.relative == columns


def test_without_a_preprocessors_word_the_configuration_says_what_is_a_difference(folder):
    change(
        folder,
        use_relative_actions=True,
        relative_exclude_joints=['gripper'],
        action_feature_names=JOINTS,
    )
    assert read_config(folder).head.relative == tuple(range(6))


def test_differences_are_added_to_the_state_in_the_answer(folder):
    image, state = np.zeros((224, 224, 3), np.uint8), np.linspace(-0.5, 0.5, 8)

    def answer():
        policy = Policy.load(folder, cameras=1)
        return policy.predict(Observation((image,), 'pick', proprio=state)).chunk_values

    plain = answer()
    change(folder, use_relative_actions=True, action_feature_names=JOINTS)
    change(folder, relative_exclude_joints=['shoulder', 'gripper'])
    moved = answer() - plain
    expected = np.where([True, False, *[True] * 4, False], state[:7], 0)
    np.testing.assert_allclose(moved, np.tile(expected, (10, 1)), atol=1e-9)


def test_options_of_aloha_are_refused_and_not_passed_over(folder):
    change(folder, adapt_to_pi_aloha=True)
    with pytest.raises(
        CheckpointError, match=r'config\.json: adapt_to_pi_aloha is true, expected'
    ):
        read_config(folder)


def test_the_way_of_scaling_is_read_and_never_assumed(folder):
    change(
        folder,
        normalization_mapping={'VISUAL': 'IDENTITY', 'STATE': 'QUANTILES', 'ACTION': 'MEAN_STD'},
    )
    head = read_config(folder).head
    assert (head.state_scaling, head.action_scaling) == (QUANTILES, MEAN_STD)


@pytest.mark.parametrize('adaptive', [False, True])
def test_openpis_folders_are_read(tmp_path, adaptive):
    write_openpi(tmp_path, adaptive, 'somebody/cups')
    config = read_config(tmp_path)
    assert list(config.norm_stats) == ['cups']
    assert config.head.title == ('pi0.5' if adaptive else 'pi0')
    assert config.head.prompt == (STATE if adaptive else PLAIN)
    assert config.head.prompt_length == (200 if adaptive else 48)
    assert config.head.action_scaling == (QUANTILES if adaptive else MEAN_STD)
    assert (config.decoder.width, config.head.expert.width) == (2048, 1024)
    assert (config.cameras, config.resize, config.head.times) == (3, 'pad', 'added')


def test_openpis_pi05_of_libero_has_no_state_in_its_prompt(tmp_path):
    write_openpi(tmp_path, adaptive=True)
    config = read_config(tmp_path)
    assert (config.head.prompt, config.proprio) == (PLAIN, 0)


def test_what_a_folder_does_not_say_is_said_beside_it(tmp_path):
    write_openpi(tmp_path, adaptive=False)
    said = {'relative': [0, 1, 2], 'gripper': SIGNED, 'cameras': 2}
    (tmp_path / 'vla_accel.json').write_text(json.dumps(said))
    config = read_config(tmp_path)
    assert (config.head.relative, config.head.gripper, config.cameras) == ((0, 1, 2), SIGNED, 2)
    (tmp_path / 'vla_accel.json').write_text('{"colour": 1}')
    with pytest.raises(
        CheckpointError, match=r'vla_accel\.json: colour is unknown, expected some'
    ):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ('values', 'said'),
    [
        ({'chunk_size': 0}, 'chunk_size is 0, expected'),
        ({'action_expert_variant': 'gemma_9b', '_tiny': {}}, 'action_expert_variant is'),
        ({'normalization_mapping': {'STATE': 'ODD'}}, 'normalization_mapping.STATE is'),
        ({'image_resolution': [224, 200]}, 'image_resolution is'),
    ],
)
def test_a_configuration_with_a_bad_value_is_refused(folder, values, said):
    change(folder, **values)
    with pytest.raises(CheckpointError, match=f'config.json: {said}'):
        read_config(folder)


@pytest.mark.parametrize('kind', [['pi0'], {}, None, 7])
def test_a_type_that_is_no_name_is_nobodys(folder, kind):
    change(folder, type=kind)
    with pytest.raises(CheckpointError, match=r'config\.json'):
        read_config(folder)


def test_statistics_with_nan_are_refused(folder):
    file = folder / 'norm_stats.json'
    stats = json.loads(file.read_text())
    stats['norm_stats']['actions']['mean'][2] = float('nan')
    file.write_text(json.dumps(stats))
    with pytest.raises(CheckpointError, match=r'norm_stats.json: norm_stats.actions.mean\[2\] is'):
        read_config(folder)


def test_a_folder_without_statistics_says_so(folder):
    (folder / 'norm_stats.json').unlink()
    with pytest.raises(ValueError, match='statistics of no data set'):
        Policy.load(folder)


def test_a_missing_tensor_is_named_as_it_is_stored(folder):
    change(folder, chunk_size=10)
    from safetensors.torch import load_file

    tensors = load_file(folder / 'model.safetensors')
    del tensors['action_in_proj.weight']
    tensors['state_proj.bias'] = torch.zeros(3)
    save_file(tensors, folder / 'model.safetensors')
    with pytest.raises(
        CheckpointError, match=r'1 tensors are missing: action_in_proj\.weight'
    ) as why:
        Policy.load(folder)
    assert 'state_proj.bias [3] for [32]' in str(why.value)


def test_the_tokeniser_is_asked_for_by_name(folder):
    for file in folder.glob('tokenizer.*'):
        file.unlink()
    with pytest.raises(TokenizerError, match=r"put PaliGemma's tokenizer\.model"):
        Policy.load(folder)


def test_the_two_forms_of_the_tokeniser_agree(folder):
    ids = Policy.load(folder).tokens_of('pick up the black bowl')
    (folder / 'tokenizer.json').unlink()
    assert Policy.load(folder).tokens_of('pick up the black bowl') == ids


def test_actions_of_any_width_are_answered(folder):
    stats = {'mean': [0.0] * 14, 'std': [2.0] * 14}
    state = json.loads((folder / 'norm_stats.json').read_text())['norm_stats']['state']
    (folder / 'norm_stats.json').write_text(
        json.dumps({'norm_stats': {'actions': stats, 'state': state}})
    )
    change(folder, output_features={'action': {'type': 'ACTION', 'shape': [14]}})
    policy = Policy.load(folder, cameras=1)
    image = np.zeros((224, 224, 3), np.uint8)
    answer = policy.predict(Observation((image,), 'pick', proprio=np.zeros(8)))
    assert answer.chunk_values.shape == (10, 14) and policy.space is None


def test_a_robot_has_as_many_views_as_there_are_places_at_most():
    with pytest.raises(CameraCountError, match='got 4 images, the checkpoint wants 1 to 3 views'):
        Policy.load(FIXTURES / 'pi0_tiny', cameras=4)
