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

"""Start from weights that can already read and act, as OpenVLA starts from Llama."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
import json

import torch
from torch import Tensor

from vla_accel_ros.models.checkpoints import folder as checkpoint
from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.tokenizer_file import TOKENIZER
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.paths import checkpoint_folder
from vla_accel_ros.training.recipe_checks import short

DECODER = 'language_model.'
# A row a token.
BY_TOKEN = (f'{DECODER}model.embed_tokens.weight', f'{DECODER}lm_head.weight')
SIGHT = ('vision_backbone.', 'projector.')


@torch.no_grad()
def take_weights(model: VLA, start: str, words: Sequence[str] = ()) -> tuple[str, ...]:
    """Copy a checkpoint's decoder into a model, and its towers where they have the same shape.

    The decoder is taken with embeddings and output head, the towers with the projector or not at
    all. What only the model has, such as OpenVLA-OFT's heads, stays as it is.

    Args:
        model: Changed in place.
        start: Folder of a checkpoint, or the name of a shipped one.
        words: The model's vocabulary before the action bins. What a word is to the checkpoint is
            then taken by the word, and words that it does not know stay as they are. Without
            them the vocabularies have to be of one size, and are held to be the same.

    Returns:
        Beginnings of the names that were taken.

    Raises:
        FileNotFoundError: When there is no such checkpoint.
        CheckpointError: When it cannot be read.
        ValueError: When its decoder is another one than the model's, or words are given and the
            checkpoint's own cannot be told.
    """
    source = checkpoint.load(checkpoint_folder(start), 'cpu', torch.float32)
    # Shapes are not enough: as wide a decoder may have other heads, and turn by another base.
    theirs, ours = asdict(source.config.decoder), asdict(model.config.decoder)
    for name, value in ours.items():
        # An output layer that is not wanted stays where it is.
        if (name == 'logits' and not value) or (name == 'vocab' and words):
            continue
        # A layer may be left out of what is taken.
        fits = {*theirs[name]} <= {*value} if name.startswith('drop_') else theirs[name] == value
        if not fits:
            raise ValueError(
                f'start {start}: {name} of its decoder is {theirs[name]}, expected {value}'
            )
    given, own = source.state_dict(), model.state_dict()
    taken = (DECODER, *SIGHT) if _alike(own, given, SIGHT) else (DECODER,)
    rows, whence = _rows(start, words, ours['vocab'], theirs['vocab']) if words else ((), ())
    for name, weight in own.items():
        if words and name in BY_TOKEN:
            weight[list(rows)] = given[name][list(whence)]
        elif name.startswith(taken):
            weight.copy_(given[name])
    return taken


def _rows(
    start: str, words: Sequence[str], ours: int, theirs: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the rows of tokens that both vocabularies have, the model's and the checkpoint's."""
    known = _words_of(start)
    pairs = [(row, known[word]) for row, word in enumerate(words) if word in known]
    # The bins are the last, and count from the end.
    bins = range(1, 1 + min(ours - len(words), theirs - len(known)))
    pairs += [(ours - each, theirs - each) for each in bins]
    return tuple(mine for mine, _ in pairs), tuple(other for _, other in pairs)


def check_words(start: str, words: list[str]) -> None:
    """Refuse a checkpoint whose token ids mean other words: as many of them fit all the same.

    Args:
        start: Folder of a checkpoint, or the name of a shipped one.
        words: Those that the model to be trained has; a word's place is its id.

    Raises:
        FileNotFoundError: When there is no such checkpoint.
        ValueError: When its tokeniser is another one, or cannot be read.
    """
    theirs = _words_of(start)
    ours = {word: index for index, word in enumerate(words)}
    if theirs != ours:
        other = sorted({*theirs} ^ {*ours})
        raise ValueError(
            f"start {start} has other words than this recipe's world: "
            f'{short(", ".join(other) or "the same ones in another order")}'
        )


def _words_of(start: str) -> dict[str, int]:
    """Return the ids of a checkpoint's words."""
    file = checkpoint_folder(start) / TOKENIZER
    try:
        return dict(json.loads(file.read_text(encoding='utf-8'))['model']['vocab'])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f'start {start}: its {TOKENIZER} cannot be read: {error}') from error


def statistics_of(start: str) -> dict:
    """Give the statistics that un-normalise a checkpoint's actions.

    Args:
        start: Folder of a checkpoint of one data set, or the name of a shipped one.

    Raises:
        FileNotFoundError: When there is no such checkpoint.
        CheckpointError: When it cannot be read.
        ValueError: When it has statistics of none or several.
    """
    stats = read_config(checkpoint_folder(start)).norm_stats
    if len(stats) != 1:
        raise ValueError(f'start {start} has statistics of {sorted(stats)}, expected of one set')
    return next(iter(stats.values()))


def _alike(own: dict[str, Tensor], given: dict[str, Tensor], prefixes: tuple[str, ...]) -> bool:
    mine, theirs = (
        {name: weight.shape for name, weight in side.items() if name.startswith(prefixes)}
        for side in (own, given)
    )
    return mine == theirs
