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

"""The models that can be measured, by name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch

from vla_accel_ros.bench.scenes import Scene, simulated, synthetic
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import Engine
from vla_accel_ros.evaluation.seeds import RANGES
from vla_accel_ros.files import fingerprints
from vla_accel_ros.layers.cache import CacheLender
from vla_accel_ros.models import presets
from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.checkpoints.folder import Progress, load, resolve
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.device import check_device
from vla_accel_ros.models.families import registry
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.random_weights import random_model
from vla_accel_ros.models.self_test import OF_THE_ARM, understood
from vla_accel_ros.models.tokenizer import FixedPrompt, PromptEncoder
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.paths import checkpoint_folder, shipped_checkpoints

# Tokens of "In: What action should the robot take to ...?\nOut:", BOS included.
PROMPT = 24
DTYPES = {'float32': torch.float32, 'bfloat16': torch.bfloat16, 'float16': torch.float16}


@dataclass(frozen=True)
class Subject:
    """A model and what it is asked.

    Attributes:
        name: As on the command line.
        model: Shared by all policies.
        encode: From an instruction to token ids.
        scene: What is looked at.
        unnorm_key: Data set whose statistics hold.
        weights: Where they come from.
        engine: What runs the model's programs.
        engine_name: As `--engines` has it.
        fingerprint: Of the checkpoint's folder; empty for random weights.
    """

    name: str
    model: VLA
    encode: PromptEncoder
    scene: Scene
    unnorm_key: str | None
    weights: str
    engine: Engine = EAGER
    engine_name: str = EAGER.name
    fingerprint: str = ''

    @cached_property
    def caches(self) -> CacheLender:
        """Memory for keys and values, lent to one policy after the other."""
        # Of a full-size model dozens of caches would not fit beside the weights.
        return CacheLender(self.model.new_cache)

    def policy(self) -> Policy:
        """Give a policy with a state of its own over the shared model, memory aside."""
        policy = Policy(self.model, self.encode, self.unnorm_key, self.caches)
        policy.set_engine(self.engine)
        return policy

    def about(self) -> dict[str, Any]:
        """Give what is to be known of it, as plain values."""
        config, model = self.model.config, self.model
        return {
            'name': self.name,
            'weights': self.weights,
            'fingerprint': self.fingerprint,
            'parameters': sum(p.numel() for p in model.parameters()),
            'layers': config.decoder.layers,
            'width': config.decoder.width,
            'views': config.cameras,
            'visual_tokens': config.visual_tokens,
            'prompt_tokens': len(self.encode(self.scene.instruction)),
            'answer': config.head.answer(config.action_dims),
            'scene': self.scene.about,
        }


def names() -> list[str]:
    """List the names that `--model` knows, besides folders."""
    return [*shipped_checkpoints(), *presets.MID_SIZE, *presets.FULL_SIZE]


def find(
    name: str,
    device: str = 'cpu',
    dtype: str | None = None,
    random: bool = False,
    seed: int = 0,
    unnorm_key: str | None = None,
    progress: Progress | None = None,
) -> Subject:
    """Make or load a model.

    Args:
        name: One of `names`, or a checkpoint folder.
        device: As torch names it.
        dtype: One of `DTYPES`; float32 on the CPU and bfloat16 elsewhere when None.
        random: Whether to make random weights where the name has a size only.
        seed: Of random weights and of the scene.
        unnorm_key: Data set whose statistics hold; None where there is only one.
        progress: Told how far loading is.

    Raises:
        DeviceError: When torch has no such device.
        CheckpointError: When the folder is not there, or does not hold a model.
        ValueError: When name or type is unknown, or the name has no weights here.
    """
    check_device(device)
    if dtype is not None and dtype not in DTYPES:
        raise ValueError(f"dtype is '{dtype}', expected one of {', '.join(DTYPES)}")
    kind = DTYPES[dtype or ('float32' if device == 'cpu' else 'bfloat16')]
    if name in presets.MID_SIZE:
        return of_config(name, presets.MID_SIZE[name](), device, kind, seed)
    if name in presets.FULL_SIZE:
        if not random:
            raise ValueError(
                f'{name} has no weights here: give the folder of a checkpoint, or '
                f'--random-weights, which take as long'
            )
        return of_config(name, presets.FULL_SIZE[name](), device, kind, seed)
    try:
        folder = checkpoint_folder(name)
    except FileNotFoundError:
        raise ValueError(
            f"model is '{name}', expected one of {', '.join(names())}, or a checkpoint folder"
        ) from None
    if random:
        return of_config(name, read_config(folder), device, kind, seed)
    model = load(resolve(folder), device, kind, progress)
    encode = registry.of(model.config).prompts(folder, model.config)
    instruction = understood(encode)
    scene = (
        simulated(model.config, RANGES['reporting'].start + seed)
        if folder in shipped_checkpoints().values() and instruction == OF_THE_ARM
        else synthetic(model.config, seed=seed, instruction=instruction)
    )
    print_of = fingerprints.of_folder(folder)
    return Subject(folder.name, model, encode, scene, unnorm_key, 'trained', fingerprint=print_of)


def of_config(
    name: str, config: VLAConfig, device: str, dtype: torch.dtype, seed: int = 0
) -> Subject:
    """Make a model of a configuration with random weights and statistics that fit it."""
    key = 'random'
    columns = config.action_dims
    stats = {
        'action': {
            'q01': [-0.03] * columns,
            'q99': [0.03] * columns,
            'mask': [True] * (columns - 1) + [False],
            'mean': [0.0] * columns,
            'std': [0.03] * columns,
        }
    }
    if config.proprio:
        numbers = config.proprio
        stats['proprio'] = {
            'q01': [-1.0] * numbers,
            'q99': [1.0] * numbers,
            'mean': [0.0] * numbers,
            'std': [1.0] * numbers,
        }
    config = replace(config, norm_stats={key: stats})
    last_word = config.tokenizer_vocab - config.bins
    words = np.random.default_rng(seed).integers(3, last_word, PROMPT - 1).tolist()
    return Subject(
        name,
        random_model(config, device, dtype, seed),
        FixedPrompt([1, *words]),
        synthetic(config, seed=seed),
        key,
        f'random, seed {seed}',
    )
