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

"""Files of tokenisers, whole and broken."""

import json

import pytest

from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.presets import embedded
from vla_accel_ros.models.tokenizer import load_prompt_encoder, vocabulary, write_tokenizer
from vla_accel_ros.models.tokenizer_file import TokenizerError

WORDS = vocabulary(['pick up the red cube'])


@pytest.fixture
def folder(tmp_path):
    write_tokenizer(WORDS, tmp_path)
    return tmp_path


def test_a_token_beyond_the_models_vocabulary_is_refused(folder):
    with pytest.raises(TokenizerError, match='do not belong together'):
        load_prompt_encoder(folder, embedded(3, bins=2))


def edit(folder, change):
    file = folder / 'tokenizer.json'
    values = json.loads(file.read_text())
    change(values)
    file.write_text(json.dumps(values))


def test_a_tokeniser_without_a_beginning_is_refused(folder):
    edit(folder, lambda values: values['model']['vocab'].pop('<s>'))
    with pytest.raises(TokenizerError, match="has no token '<s>'"):
        load_prompt_encoder(folder, embedded(len(WORDS)))


def test_a_prompt_is_neither_cut_nor_filled_up(folder):
    whole = load_prompt_encoder(folder, embedded(len(WORDS)))('pick up the red cube')
    edit(
        folder,
        lambda values: values.update(
            truncation={
                'direction': 'Right',
                'max_length': 3,
                'strategy': 'LongestFirst',
                'stride': 0,
            }
        ),
    )
    assert load_prompt_encoder(folder, embedded(len(WORDS)))('pick up the red cube') == whole


@pytest.mark.parametrize('name', ['tokenizer.json', 'tokenizer.model'])
def test_a_git_lfs_pointer_is_said_to_be_one(tmp_path, name):
    (tmp_path / name).write_text('version https://git-lfs.github.com/spec/v1\n')
    with pytest.raises(TokenizerError, match=f'{name} is a git-lfs pointer.*git lfs pull'):
        load_prompt_encoder(tmp_path, embedded(60))


def test_a_folder_without_tokeniser_is_an_error(tmp_path):
    with pytest.raises(TokenizerError, match=r'neither tokenizer\.json nor tokenizer\.model'):
        load_prompt_encoder(tmp_path, embedded(60))


def test_a_corrupt_tokeniser_is_named(tmp_path):
    (tmp_path / 'tokenizer.json').write_text('{"model":')
    with pytest.raises(TokenizerError, match=r'tokenizer\.json cannot be read'):
        load_prompt_encoder(tmp_path, embedded(60))


def test_llamas_own_file_is_read(cogact_reference, tmp_path):
    config = read_config(cogact_reference)
    ids = load_prompt_encoder(cogact_reference, config)('open the drawer')
    assert ids[0] == 1 and ids[-2:] == [29871, 2]
    (tmp_path / 'tokenizer.model').write_bytes(b'no model')
    with pytest.raises(TokenizerError, match=r'tokenizer\.model is no SentencePiece model'):
        load_prompt_encoder(tmp_path, embedded(60))
    # The library quotes these bytes in its message, which is no text then.
    sound = (cogact_reference / 'tokenizer.model').read_bytes()
    (tmp_path / 'tokenizer.model').write_bytes(sound.replace(b'<0x41>', b'~\xe3{lB>', 1))
    with pytest.raises(TokenizerError, match=r'tokenizer\.model is no SentencePiece model'):
        load_prompt_encoder(tmp_path, config)


def test_llama_style_tokeniser_gets_its_bos(tmp_path):
    from tokenizers import Tokenizer, models

    vocab = {'<s>': 0, 'a': 1}
    Tokenizer(models.BPE(vocab, [], unk_token=None)).save(str(tmp_path / 'tokenizer.json'))
    ids = load_prompt_encoder(tmp_path, embedded(60))('a')
    assert ids[0] == 0
