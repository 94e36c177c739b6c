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

"""Public CogACT folders: sizes from shapes, and a line for each thing that does not fit."""

import json
import shutil

import pytest
from safetensors.torch import load_file, save_file

from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.checkpoints.folder import load
from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.families import registry


@pytest.fixture
def copy(cogact_reference, tmp_path):
    shutil.copytree(cogact_reference, tmp_path / 'copy')
    return tmp_path / 'copy'


def change(folder, **changes):
    """Change `config.json` at paths with two underscores between names."""
    file = folder / 'config.json'
    values = json.loads(file.read_text())
    for path, value in changes.items():
        *outer, last = path.split('__')
        inner = values
        for name in outer:
            inner = inner[name]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
    file.write_text(json.dumps(values))


def rename(folder, change):
    """Change the stored tensors."""
    file = folder / 'model.safetensors'
    tensors = load_file(file)
    save_file(change(tensors), file)


def test_the_family_is_found_and_its_sizes_are_read_off_the_shapes(cogact_reference):
    config = read_config(cogact_reference)
    assert registry.of(config).name == 'cogact'
    head = config.head
    assert (head.dit.width, head.dit.depth, head.dit.heads, head.dit.mlp) == (48, 3, 4, 192)
    assert (head.chunk, head.steps, head.guidance, config.action_dims) == (16, 10, 1.5, 7)
    assert (config.decoder.layers, config.decoder.rms_eps, config.decoder.logits) == (
        4,
        1e-5,
        False,
    )
    assert [tower.width for tower in config.towers] == [40, 32]


@pytest.mark.parametrize('prefix', ['', 'model.', 'vlm.'])
def test_names_may_have_a_prefix(copy, prefix):
    rename(copy, lambda tensors: {f'{prefix}{name}': t for name, t in tensors.items()})
    assert load(copy).action_model.config.width == 48


def test_what_never_runs_may_be_there_or_not(copy):
    def without(tensors):
        needless = ('history_embedder', 'attn_pool', 'featurizer.norm')
        return {name: t for name, t in tensors.items() if not any(n in name for n in needless)}

    rename(copy, without)
    load(copy)


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'vla__base_vlm': 'prism-other'}, "vla.base_vlm is 'prism-other', expected prism-dino"),
        ({'vla__past_action_window_size': 2}, 'past_action_window_size is 2, expected 0'),
        ({'vla__future_action_window_size': 7}, 'window_size is 7, expected 15: .* 17 tokens'),
        ({'_tiny__dit': None}, r'is 48 wide, expected one of \[384, 768, 1024\]'),
        ({'_tiny__dit__num_heads': 5}, 'width 48 of the action transformer is no multiple of'),
        ({'vla__image_resize_strategy': 'fold'}, "is 'fold', expected"),
    ],
)
def test_a_bad_configuration_is_refused_in_a_line(copy, changes, words):
    change(copy, **changes)
    with pytest.raises(CheckpointError, match=words) as caught:
        read_config(copy)
    assert 'config.json' in str(caught.value) and '\n' not in str(caught.value)


def test_a_tensor_that_is_missing_is_named(copy):
    name = 'action_model.net.positional_embedding'
    rename(copy, lambda tensors: {n: t for n, t in tensors.items() if n != name})
    with pytest.raises(CheckpointError, match=r'has no tensor action_model\.positional_embedding'):
        read_config(copy)


def test_a_tensor_of_another_shape_and_an_unknown_one_are_named(copy):
    def spoil(tensors):
        name = 'action_model.net.x_embedder.linear.weight'
        return {**tensors, name: tensors[name][:, :5].contiguous(), 'extra': tensors[name]}

    rename(copy, spoil)
    with pytest.raises(CheckpointError, match=r'not expected: extra.*\[48, 5\] for \[48, 7\]'):
        load(copy)


def test_statistics_that_are_not_finite_are_refused(copy):
    file = copy / 'dataset_statistics.json'
    file.write_text(file.read_text().replace('0.2760338048882065', 'NaN'))
    with pytest.raises(CheckpointError, match=r'dataset_statistics.json: tiny_bridge.action.q99'):
        read_config(copy)
