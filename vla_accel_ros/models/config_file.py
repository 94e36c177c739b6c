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

from collections.abc import Mapping
import json
from pathlib import Path

from .config import VLAConfig
from .public import public_config

CONFIG = 'config.json'
STATISTICS = 'dataset_statistics.json'
# Where our own configuration stands in config.json.
OWN = 'vla_accel'


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


def read_config(
    folder: str | Path, sides: Mapping[str, Path] | None = None,
) -> VLAConfig:
    """Read a folder's configuration, ours or a public OpenVLA's or OpenVLA-OFT's.

    `dataset_statistics.json` replaces the configuration's `norm_stats` where present.

    Args:
        folder: The checkpoint's.
        sides: Side files by kind that make it an OFT; found by their public names when None.

    Raises:
        CheckpointError: When a file is missing or does not say what is needed.
    """
    from .oft_public import oft_public_config
    from .side_files import find

    folder = Path(folder)
    values = read_json(folder / CONFIG)
    if (folder / STATISTICS).exists():
        values['norm_stats'] = read_json(folder / STATISTICS)
    try:
        if OWN in values:
            own = dict(values[OWN], norm_stats=values.get('norm_stats') or {})
            return VLAConfig.from_dict(own)
        processor = folder / 'preprocessor_config.json'
        config = public_config(
            values, read_json(processor) if processor.exists() else None, folder.resolve().name)
        sides = find(folder) if sides is None else sides
        return oft_public_config(config, values, sides)
    except CheckpointError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f'{folder / CONFIG}: {error}') from error
