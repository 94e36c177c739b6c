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

import pytest

from vla_accel_ros.models.presets import embedded
from vla_accel_ros.models.tokenizer import (
    PromptEncoder,
    build_prompt,
    end_prompt,
    load_prompt_encoder,
    vocabulary,
    write_tokenizer,
)
from vla_accel_ros.models.tokenizer_file import TokenizerError

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


def test_a_tail_is_appended_even_where_the_prompt_ends_with_it():
    encode = PromptEncoder(lambda text: [1, 5, 7, 8], end=None, tail=(7, 8))
    assert encode('go') == [1, 5, 7, 8, 7, 8]
