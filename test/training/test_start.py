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

import pytest
import torch

from vla_accel_ros.models.checkpoints import folder as checkpoint
from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.depth import without
from vla_accel_ros.models.families.oft.config import OFTConfig
from vla_accel_ros.models.families.openvla.model import OpenVLA
from vla_accel_ros.models.families.registry import build
from vla_accel_ros.models.presets import embedded, scaled
from vla_accel_ros.models.tokenizer import vocabulary, write_tokenizer
from vla_accel_ros.paths import checkpoint_folder
from vla_accel_ros.sim.tasks import all_instructions
from vla_accel_ros.training.start import (
    BY_TOKEN,
    DECODER,
    SIGHT,
    check_words,
    statistics_of,
    take_weights,
)

SHAPE = {
    'image_size': 32,
    'patch': 16,
    'tower_width': 64,
    'tower_blocks': 1,
    'width': 48,
    'layers': 2,
    'heads': 2,
}


@pytest.fixture
def reader(tmp_path):
    """Return a model of another form, and its checkpoint."""
    torch.manual_seed(0)
    model = OpenVLA(embedded(12, **SHAPE))
    checkpoint.save(model, tmp_path)
    return model, tmp_path


def test_the_decoder_is_taken_and_nothing_else(reader):
    source, folder = reader
    model = build(scaled(12, **SHAPE))
    before = {k: v.clone() for k, v in model.state_dict().items()}
    assert take_weights(model, str(folder)) == (DECODER,)
    for name, weight in model.state_dict().items():
        expected = source.state_dict()[name] if name.startswith(DECODER) else before[name]
        assert torch.equal(weight, expected), name


def test_towers_of_the_same_shape_are_taken_too_and_heads_stay(tmp_path):
    source = build(scaled(12, **SHAPE))
    checkpoint.save(source, tmp_path)
    model = build(scaled(12, cameras=2, head=OFTConfig(chunk=3), **SHAPE))
    head = {k: v.clone() for k, v in model.action_head.state_dict().items()}
    assert take_weights(model, str(tmp_path)) == (DECODER, *SIGHT)
    for name, weight in source.state_dict().items():
        assert torch.equal(model.state_dict()[name], weight), name
    assert all(torch.equal(v, head[k]) for k, v in model.action_head.state_dict().items())


def test_what_a_word_is_to_the_start_is_taken_by_the_word(tmp_path):
    theirs, ours = ['<unk>', '<s>', 'cup', 'put'], ['<unk>', '<s>', 'bin', 'put', 'take']
    source = build(scaled(len(theirs), **SHAPE))
    checkpoint.save(source, tmp_path)
    write_tokenizer(theirs, tmp_path)
    model = build(scaled(len(ours), **SHAPE))
    before = {name: model.state_dict()[name].clone() for name in BY_TOKEN}
    assert take_weights(model, str(tmp_path), ours) == (DECODER, *SIGHT)
    for name in BY_TOKEN:
        given, taken = source.state_dict()[name], model.state_dict()[name]
        assert torch.equal(taken[ours.index('put')], given[theirs.index('put')])
        for new in ('bin', 'take'):
            assert torch.equal(taken[ours.index(new)], before[name][ours.index(new)])
        # The bins are behind the words, as many in each.
        assert torch.equal(taken[len(ours) :], given[len(theirs) :])


def test_a_start_whose_words_cannot_be_told_is_refused(reader):
    model = build(scaled(12, **SHAPE))
    with pytest.raises(ValueError, match=r'tokenizer\.json cannot be read'):
        take_weights(model, str(reader[1]), ['<unk>', 'put'])


def test_a_decoder_of_another_shape_is_refused_by_name(reader):
    model = build(scaled(12, **{**SHAPE, 'width': 96}))
    with pytest.raises(ValueError, match='width of its decoder is 48, expected 96'):
        take_weights(model, str(reader[1]))


def test_layers_may_be_left_out_of_what_is_taken_but_not_added(reader):
    source, folder = reader
    shorter = OpenVLA(without(source.config, (1,)))
    assert take_weights(shorter, str(folder)) == (DECODER, *SIGHT)
    for name, weight in shorter.state_dict().items():
        assert torch.equal(weight, source.state_dict()[name]), name
    checkpoint.save(shorter, folder)
    with pytest.raises(ValueError, match=r'drop_attention of its decoder is \(1,\), expected \('):
        take_weights(source, str(folder))


def test_a_start_whose_ids_mean_other_words_is_refused_by_them(tmp_path):
    words = vocabulary(all_instructions())
    check_words('tabletop-s', words)
    with pytest.raises(ValueError, match="other words than this recipe's world: mug, red"):
        check_words('tabletop-s', ['mug' if word == 'red' else word for word in words])
    with pytest.raises(ValueError, match='another order'):
        check_words('tabletop-s', words[::-1])
    (tmp_path / 'config.json').write_text('{}')
    with pytest.raises(ValueError, match=r'tokenizer\.json cannot be read'):
        check_words(str(tmp_path), words)


def test_bins_may_be_those_of_the_start():
    stats = statistics_of('tabletop-s')
    shipped = read_config(checkpoint_folder('tabletop-s')).norm_stats
    assert shipped == {'tabletop-s': stats} and len(stats['action']['q99']) == 7
    with pytest.raises(FileNotFoundError, match='nowhere'):
        statistics_of('nowhere/at/all')


def test_one_of_the_same_shape_with_other_heads_is_refused(reader):
    model = build(scaled(12, **{**SHAPE, 'heads': 4}))
    with pytest.raises(ValueError, match='heads of its decoder is 2, expected 4'):
        take_weights(model, str(reader[1]))


def test_what_is_no_checkpoint_is_refused_by_name(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere'):
        take_weights(build(scaled(12, **SHAPE)), str(tmp_path / 'nowhere'))
