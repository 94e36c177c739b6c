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

"""Public pi0 and pi0.5 checkpoints: their configuration, from LeRobot's folders and openpi's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.files.kinds import (
    FieldError,
    Flag,
    Number,
    Object,
    Several,
    Whole,
    Word,
    kind_of,
    take,
)
from vla_accel_ros.layers.flow_names import ADDED, COUNTED
from vla_accel_ros.layers.shapes import DecoderConfig, TowerConfig
from vla_accel_ros.models.checkpoints.file_names import CONFIG
from vla_accel_ros.models.checkpoints.json_file import named, read_json
from vla_accel_ros.models.checkpoints.lerobot import (
    Features,
    features_of,
    modes_of,
    processor_statistics,
    relative_columns,
)
from vla_accel_ros.models.checkpoints.openpi import asset_statistics
from vla_accel_ros.models.checkpoints.weights import shards, stored_in
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.pi0.config import PLAIN, STATE, Pi0Config, gemma
from vla_accel_ros.models.families.pi0.names import plain
from vla_accel_ros.models.heads.flow_config import CLOSED_IS_ONE, SIGNED
from vla_accel_ros.models.normalisation import LEROBOT_ADDED, MEAN_STD, OPENPI_ADDED, QUANTILES

TYPES = {'pi0': False, 'pi05': True}
# The keys that openpi's converter writes, of which no other checkpoint has both.
OPENPI = ('action_horizon', 'paligemma_variant')
# Options of older exports, for ALOHA's joints.
ALOHAS = ('adapt_to_pi_aloha', 'use_delta_joint_actions_aloha')
# What a folder does not say may be said in a file beside it.
OWN_WORDS = 'vla_accel.json'
SAID = ('relative', 'gripper', 'prompt', 'prompt_numbers', 'clean')
VOCAB, POSITIONS = 257152, 2048
VARIANTS = {'gemma_300m': (1024, 18, 4096), 'gemma_2b': (2048, 18, 16384)}
_SIGLIP = {
    'hidden_size': 1152,
    'num_hidden_layers': 27,
    'num_attention_heads': 16,
    'intermediate_size': 4304,
    'patch_size': 14,
}
_PROMPT_LENGTH = {False: 48, True: 200}
# Below this a gripper's values are taken for a sign, not for a share.
_SIGNED_BELOW = -0.25


def claims(values: Mapping) -> bool:
    """Say whether a `config.json` is a public pi0's or pi0.5's."""
    # A list of names: what a file holds may be nothing that a dictionary can look for.
    return values.get('type') in list(TYPES) or all(key in values for key in OPENPI)


def read(folder: Path, values: Mapping) -> VLAConfig:
    """Read a public folder's configuration.

    Args:
        folder: The folder.
        values: What `config.json` holds.

    Raises:
        CheckpointError: When a file is missing or does not say what is needed.
    """
    with named(folder / CONFIG):
        for name in ALOHAS:
            if take(values, name, Flag(), False):
                raise FieldError(f'{name} is true, expected false: this form is not understood')
        kind = values.get('type')
        adaptive = TYPES[kind] if kind in list(TYPES) else _adaptive(folder)
        features = features_of(values)
        config = _shapes(values, adaptive, features)
    scaling, stats = _statistics(folder, values, features, adaptive)
    with named(folder / CONFIG):
        config = _with_statistics(config, scaling, stats, values, features)
    # Openpi's folders say nothing of it.
    relative = relative_columns(folder, values, config.action_dims) if stats else ()
    with named(folder / CONFIG):
        config = replace(config, head=replace(config.head, relative=relative))
    own = folder / OWN_WORDS
    if own.exists() or own.is_symlink():
        said = read_json(own)
        with named(own):
            config = _told(config, said)
    return config


def _adaptive(folder: Path) -> bool:
    return any(plain(name).startswith('time_mlp_in.') for name in stored_in(shards(folder)))


def _gemma(values: Mapping, name: str, part: str, vocab: int) -> DecoderConfig:
    where = f'_tiny.{part}'
    tiny = take(take(values, '_tiny', Object(), {}), part, Object(), None, '_tiny')
    if tiny is None:
        variant = take(values, name, Word(tuple(VARIANTS)))
        if variant is None:
            raise FieldError(f'{name} is missing, expected one of {", ".join(VARIANTS)}')
        return gemma(*VARIANTS[variant], vocab=vocab)
    sizes = {
        ours: take(tiny, theirs, kind_of(DecoderConfig, ours), default, where)
        for ours, theirs, default in (
            ('width', 'width', None),
            ('layers', 'depth', None),
            ('mlp', 'mlp_dim', None),
            ('heads', 'num_heads', 8),
            ('kv_heads', 'num_kv_heads', 1),
            ('head_size', 'head_dim', 256),
        )
    }
    for ours, value in sizes.items():
        if value is None:
            raise FieldError(f'{where} says nothing of the {ours}')
    return gemma(**sizes, vocab=vocab)


def _tower(values: Mapping) -> tuple[TowerConfig, int]:
    tiny = take(values, '_tiny', Object(), {})
    sizes = {**_SIGLIP, **take(tiny, 'vision', Object(), {}, '_tiny')}
    resolution = take(values, 'image_resolution', Several(Whole(1, 4096), 2, 2), (224, 224))
    if resolution[0] != resolution[1]:
        raise FieldError(f'image_resolution is {list(resolution)}, expected a square')
    where = '_tiny.vision'
    tower = TowerConfig(
        width=take(sizes, 'hidden_size', kind_of(TowerConfig, 'width'), None, where),
        depth=take(sizes, 'num_hidden_layers', kind_of(TowerConfig, 'depth'), None, where),
        heads=take(sizes, 'num_attention_heads', kind_of(TowerConfig, 'heads'), None, where),
        mlp=take(sizes, 'intermediate_size', kind_of(TowerConfig, 'mlp'), None, where),
        patch=take(sizes, 'patch_size', kind_of(TowerConfig, 'patch'), 14, where),
        feature_block=-1,
        activation='gelu_tanh',
        final_norm=True,
    )
    return tower, take(sizes, 'image_size', Whole(1, 4096), resolution[0], where)


def _shapes(values: Mapping, adaptive: bool, features: Features) -> VLAConfig:
    tiny = take(values, '_tiny', Object(), {})
    vocab = take(tiny, 'vocab_size', kind_of(DecoderConfig, 'vocab'), VOCAB, '_tiny')
    tower, image_size = _tower(values)
    lerobot = 'type' in values
    number = Number(1e-6, 1e6)
    head = Pi0Config(
        chunk=take(
            values, 'chunk_size' if lerobot else 'action_horizon', kind_of(Pi0Config, 'chunk'), 50
        ),
        numbers=take(
            values,
            'max_action_dim' if lerobot else 'action_dim',
            kind_of(Pi0Config, 'numbers'),
            32,
        ),
        steps=take(values, 'num_inference_steps', kind_of(Pi0Config, 'steps'), 10),
        times=COUNTED if lerobot else ADDED,
        prefix_rows=take(values, 'rtc_training_max_delay', kind_of(Pi0Config, 'prefix_rows'), 0),
        shortest_period=take(values, 'min_period', number, 0.004),
        longest_period=take(values, 'max_period', number, 4.0),
        expert=_gemma(values, 'action_expert_variant', 'expert', 1),
        adaptive=adaptive,
        state=0 if adaptive else state_columns(values),
        clean=adaptive or not lerobot,
        prompt_length=take(
            values,
            'tokenizer_max_length',
            kind_of(Pi0Config, 'prompt_length'),
            _PROMPT_LENGTH[adaptive],
        ),
        camera_names=features.cameras,
        places=max(3, len(features.cameras)),
    )
    cameras = len(features.cameras) or head.places
    return VLAConfig(
        towers=(tower,),
        decoder=replace(
            _gemma(values, 'paligemma_variant', 'vlm', vocab), max_positions=POSITIONS
        ),
        head=head,
        image_towers=((0,),) * cameras,
        image_size=image_size,
        resize='pad-linear' if lerobot else 'pad',
        projector_layers=1,
        tokenizer_vocab=vocab,
        bins=2,
        action_dims=features.actions or head.numbers,
        prompt_end=None,
        gripper_open_is_one=False,
    )


def state_columns(values: Mapping) -> int:
    """Give the columns that a public `config.json` pads the state to."""
    kind = Whole(1, 256)
    return take(values, 'max_state_dim', kind, take(values, 'action_dim', kind, 32))


def _statistics(
    folder: Path, values: Mapping, features: Features, adaptive: bool
) -> tuple[dict, dict]:
    """Read how numbers are scaled, and the statistics by data set."""
    of_model = QUANTILES if adaptive else MEAN_STD
    with named(folder / CONFIG):
        state, action = modes_of(values, of_model)
    found = processor_statistics(folder)
    if found:
        # LeRobot divides by a deviation with a little added, and multiplies by it as it is.
        added = {'state_added': LEROBOT_ADDED if state == MEAN_STD else 0.0, 'action_added': 0.0}
    else:
        found = asset_statistics(folder)
        added = {'state_added': OPENPI_ADDED, 'action_added': OPENPI_ADDED}
    return {'state_scaling': state, 'action_scaling': action, **added}, found


def _with_statistics(
    config: VLAConfig, scaling: dict, stats: dict, values: Mapping, features: Features
) -> VLAConfig:
    widths = {
        part: {len(entry[part][name]) for entry in stats.values() for name in entry.get(part, ())}
        for part in ('action', 'proprio')
    }
    actions, numbers = (
        _robots(widths[part], declared, most)
        for part, declared, most in (
            ('action', features.actions, config.head.numbers),
            ('proprio', features.state, config.head.state or 256),
        )
    )
    cut = {
        key: {
            part: {name: list(each)[:width] for name, each in entry[part].items()}
            for part, width in (('action', actions), ('proprio', numbers))
            if part in entry
        }
        for key, entry in stats.items()
    }
    plain_prompt = 'type' not in values and all(key.endswith('libero') for key in cut)
    by_state = config.head.adaptive and numbers and not plain_prompt
    head = replace(
        config.head,
        proprio=numbers if by_state or config.head.state else 0,
        prompt=STATE if by_state else PLAIN,
        gripper=_gripper(cut),
        **scaling,
    )
    return replace(config, head=head, action_dims=actions, norm_stats=cut)


def _robots(widths: set[int], declared: int, most: int) -> int:
    """Give the columns that are the robot's, not padding.

    Statistics of a width are those of the robot; the width that is declared may be the padded one.
    """
    if len(widths) > 1:
        raise FieldError(f'the statistics have {sorted(widths)} columns, expected one number')
    (found,) = widths or {declared or most}
    return min(found, declared) if declared else min(found, most)


def _gripper(stats: Mapping) -> str:
    (gripper,) = END_EFFECTOR.grippers.tolist()
    lowest = [
        entry['action'][name][gripper]
        for entry in stats.values()
        for name in ('min', 'q01')
        if len(entry.get('action', {}).get(name, ())) == END_EFFECTOR.width
    ]
    return SIGNED if lowest and min(lowest) < _SIGNED_BELOW else CLOSED_IS_ONE


def _told(config: VLAConfig, said: Mapping) -> VLAConfig:
    unknown = sorted(set(said) - {*SAID, 'cameras'})
    if unknown:
        raise FieldError(f'{unknown[0]} is unknown, expected some of {", ".join(SAID)}, cameras')
    own = {name: take(said, name, kind_of(Pi0Config, name)) for name in SAID if name in said}
    cameras = take(said, 'cameras', Whole(1, config.head.places), config.cameras)
    if own.get('prompt') == PLAIN and config.head.adaptive:
        own['proprio'] = 0
    return replace(config, head=replace(config.head, **own), image_towers=((0,),) * cameras)
