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

"""Prompts as the checkpoints were trained with them."""

import json

import pytest

from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.presets import embedded
from vla_accel_ros.models.tokenizer import (
    PromptEncoder,
    TokenizerError,
    build_prompt,
    end_prompt,
    load_prompt_encoder,
    vocabulary,
    write_tokenizer,
)

WORDS = vocabulary(['pick up the red cube'])


@pytest.fixture
def folder(tmp_path):
    write_tokenizer(WORDS, tmp_path)
    return tmp_path


def test_prompt_of_todays_checkpoints():
    assert build_prompt('Pick up the RED cube') == (
        'In: What action should the robot take to pick up the red cube?\nOut:'
    )


def test_chat_prompt_of_the_first_checkpoints():
    assert build_prompt('Open it', 'v0.1') == (
        'A chat between a curious user and an artificial intelligence assistant. The assistant '
        "gives helpful, detailed, and polite answers to the user's questions. USER: What action "
        'should the robot take to open it? ASSISTANT:'
    )


@pytest.mark.parametrize(
    ('instruction', 'style', 'message'),
    [('  ', 'v0.2', 'empty'), ('go', 'v7', "'v7' is not one of")],
)
def test_refuses_an_empty_instruction_and_an_unknown_style(instruction, style, message):
    with pytest.raises(ValueError, match=message):
        build_prompt(instruction, style)


def test_the_end_token_is_appended_once():
    assert end_prompt([1, 5], 29871) == [1, 5, 29871]
    assert end_prompt([1, 29871], 29871) == [1, 29871]
    assert end_prompt([1, 5], None) == [1, 5]


def test_encoder_passes_the_prompt_and_ends_it():
    seen = []
    encoder = PromptEncoder(lambda text: seen.append(text) or [1, 7])
    assert encoder('Go') == [1, 7, 29871]
    assert seen == [build_prompt('go')]


def test_word_level_ids_are_the_places_of_the_words(folder):
    ids = load_prompt_encoder(folder, embedded(len(WORDS)))('Pick up the red cube')
    assert [WORDS[i] for i in ids] == [
        '<s>',
        'In',
        ':',
        'What',
        'action',
        'should',
        'the',
        'robot',
        'take',
        'to',
        'pick',
        'up',
        'the',
        'red',
        'cube',
        '?',
        'Out',
        ':',
    ]


def test_unknown_words_are_named(folder):
    encoder = load_prompt_encoder(folder, embedded(len(WORDS)))
    with pytest.raises(TokenizerError, match=r"\['purple', 'sphere'\]"):
        encoder('pick up the purple sphere')


@pytest.mark.parametrize(
    ('instruction', 'named'),
    [
        ('PICK UP THE RED CUBE.', r"\['\.'\]"),
        ('pick up the red cube?', r"\['\?'\]"),
        ('pick up the (red) cube!', r"\['!', '\(', '\)'\]"),
        ('.', r"\['\.'\]"),
    ],
)
def test_the_prompts_own_punctuation_is_not_blamed(folder, instruction, named):
    encoder = load_prompt_encoder(folder, embedded(len(WORDS)))
    with pytest.raises(TokenizerError, match=f'does not know the words {named}$'):
        encoder(instruction)


def test_a_long_list_of_unknown_words_is_cut(folder):
    encoder = load_prompt_encoder(folder, embedded(len(WORDS)))
    with pytest.raises(TokenizerError, match=r"'b0', 'b1',.* and 12 more$"):
        encoder(' '.join(f'b{i}' for i in range(20)))


@pytest.mark.parametrize(
    ('instruction', 'message'),
    [
        ('red ' * 10000, 'has 40000 characters, expected at most 1000'),
        ('\u200b', 'is empty'),
        ('pick\x00 up', r'U\+0000'),
        ('pick up the \ud800 cube', r'U\+D800'),
    ],
)
def test_what_is_no_instruction_is_refused_before_it_is_encoded(folder, instruction, message):
    encoder = load_prompt_encoder(folder, embedded(len(WORDS)))
    with pytest.raises(TokenizerError, match=message):
        encoder(instruction)


def test_a_tokeniser_of_another_checkpoint_is_told_by_the_prompts_own_words(tmp_path):
    write_tokenizer([word for word in WORDS if word != 'robot'], tmp_path)
    encoder = load_prompt_encoder(tmp_path, embedded(len(WORDS)))
    with pytest.raises(TokenizerError, match=r"\['robot'\], which stand in the prompt itself"):
        encoder('pick up the red cube')


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


def test_llamas_own_file_is_read_without_another_package(cogact_reference, tmp_path):
    config = read_config(cogact_reference)
    ids = load_prompt_encoder(cogact_reference, config)('open the drawer')
    assert ids[0] == 1 and ids[-2:] == [29871, 2]
    (tmp_path / 'tokenizer.model').write_bytes(b'no model')
    with pytest.raises(TokenizerError, match=r'tokenizer\.model cannot be read: it is no'):
        load_prompt_encoder(tmp_path, embedded(60))


def test_a_tail_is_appended_even_where_the_prompt_ends_with_it():
    encode = PromptEncoder(lambda text: [1, 5, 7, 8], end=None, tail=(7, 8))
    assert encode('go') == [1, 5, 7, 8, 7, 8]


def test_llama_style_tokeniser_gets_its_bos(tmp_path):
    from tokenizers import Tokenizer, models

    vocab = {'<s>': 0, 'a': 1}
    Tokenizer(models.BPE(vocab, [], unk_token=None)).save(str(tmp_path / 'tokenizer.json'))
    ids = load_prompt_encoder(tmp_path, embedded(60))('a')
    assert ids[0] == 0
