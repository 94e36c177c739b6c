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
"""Any value in any of a checkpoint's JSON files is taken, or refused by file and key, at once."""

from copy import deepcopy
import json
import shutil

import pytest

from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.checkpoints.folder import CheckpointError, load, save
from vla_accel_ros.models.tokenizer import load_prompt_encoder
from vla_accel_ros.models.tokenizer_file import TokenizerError
from vla_accel_ros.paths import checkpoint_folder

ABSENT = object()
BAD = (
    ABSENT,
    None,
    True,
    'false',
    [],
    {},
    [None],
    {'a': 1},
    0,
    -1,
    1.5,
    -0.5,
    1e9,
    1e308,
    float('nan'),
    float('inf'),
    10**6,
    2**63,
    10**400,
    'x' * 1000,
)


def paths(value, path=()):
    """List the paths of all values; of a list's the last alone."""
    if path:
        yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, (*path, name))
    elif isinstance(value, list) and value:
        yield from paths(value[-1], (*path, len(value) - 1))


def replaced(value, path, bad):
    value = deepcopy(value)
    inner = value
    for name in path[:-1]:
        inner = inner[name]
    if bad is ABSENT:
        del inner[path[-1]]
    else:
        inner[path[-1]] = bad
    return value


def try_all(file, attempt, named, chosen=lambda path: True):
    """Put a third of the bad values at each path, each of them somewhere; count the refusals."""
    good = json.loads(file.read_text())
    refused = 0
    for number, path in enumerate(filter(chosen, paths(good))):
        for bad in BAD[number % 3 :: 3]:
            file.write_text(json.dumps(replaced(good, path, bad)))
            try:
                attempt()
            except named as error:
                refused += 1
                assert '\n' not in str(error), (path, bad)
    file.write_text(json.dumps(good))
    return refused


@pytest.mark.parametrize('name', ['tabletop-s', 'tabletop-m-oft'])
def test_a_configuration_of_ours(name, tmp_path):
    shutil.copy(checkpoint_folder(name) / 'config.json', tmp_path)
    assert try_all(tmp_path / 'config.json', lambda: read_config(tmp_path), CheckpointError) > 160


PUBLIC = {
    'model_type',
    'timm_model_ids',
    '_tiny_vit',
    'text_config',
    'norm_stats',
    'image_sizes',
    'llm_backbone_id',
    'pad_to_multiple_of',
    'image_resize_strategy',
    'n_action_bins',
    'use_fused_vision_backbone',
    'means',
    'stds',
    'architectures',
}


@pytest.mark.parametrize('name', ['config.json', 'preprocessor_config.json'])
def test_a_public_configuration(name, reference, tmp_path):
    for file in ('config.json', 'preprocessor_config.json'):
        shutil.copy(reference / file, tmp_path)
    values = json.loads((tmp_path / 'config.json').read_text())
    values['norm_stats'].pop('tiny_bridge')
    (tmp_path / 'config.json').write_text(json.dumps(values))
    assert (
        try_all(
            tmp_path / name,
            lambda: read_config(tmp_path),
            CheckpointError,
            lambda path: path[0] in PUBLIC and not {'mean', 'std', 'min', 'proprio'} & set(path),
        )
        > 16
    )


def test_a_tokeniser(tmp_path):
    shutil.copy(checkpoint_folder('tabletop-s') / 'tokenizer.json', tmp_path)
    config = read_config(checkpoint_folder('tabletop-s'))
    assert (
        try_all(
            tmp_path / 'tokenizer.json',
            lambda: load_prompt_encoder(tmp_path, config)('pick up the red cube'),
            TokenizerError,
            lambda path: path[:2] != ('model', 'vocab') or path[2:] in (('<s>',), ('red',)),
        )
        > 90
    )


def test_a_configuration_that_is_read_is_that_of_the_weights_or_refused(small, tmp_path):
    save(small, tmp_path)
    sizes = ('width', 'mlp', 'vocab', 'layers', 'kv_heads', 'registers', 'image_size', 'film')
    assert (
        try_all(
            tmp_path / 'config.json',
            lambda: load(tmp_path),
            CheckpointError,
            lambda path: path[-1] in sizes,
        )
        > 30
    )
