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


"""The configuration of a checkpoint folder, read without torch."""

from __future__ import annotations

import json
from pathlib import Path

from .config import VLAConfig
from .public import public_config

CONFIG = 'config.json'
STATISTICS = 'dataset_statistics.json'


class CheckpointError(ValueError):
    """A checkpoint folder that cannot be used, with the reason."""


def read_json(path: Path) -> dict:
    """Read a JSON object.

    Raises:
        CheckpointError: When it is missing, unreadable or no object.
    """
    try:
        value = json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise CheckpointError(f'{path} is missing') from None
    except (ValueError, OSError) as error:
        raise CheckpointError(f'{path} cannot be read: {error}') from error
    if not isinstance(value, dict):
        raise CheckpointError(f'{path} holds a {type(value).__name__}, expected an object')
    return value


def read_config(folder: str | Path) -> VLAConfig:
    """Read a folder's configuration, ours or a public OpenVLA's.

    `dataset_statistics.json` replaces the configuration's `norm_stats` where present.

    Raises:
        CheckpointError: When a file is missing or does not say what is needed.
    """
    folder = Path(folder)
    values = read_json(folder / CONFIG)
    if (folder / STATISTICS).exists():
        values['norm_stats'] = read_json(folder / STATISTICS)
    try:
        if 'vla_accel' in values:
            own = dict(values['vla_accel'], norm_stats=values.get('norm_stats') or {})
            return VLAConfig.from_dict(own)
        processor = folder / 'preprocessor_config.json'
        return public_config(
            values, read_json(processor) if processor.exists() else None, folder.resolve().name)
    except CheckpointError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f'{folder / CONFIG}: {error}') from error
