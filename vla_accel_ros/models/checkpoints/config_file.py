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
from pathlib import Path

from vla_accel_ros.files.kinds import FieldError, Object, take
from vla_accel_ros.models.action_tokens import moving_statistics
from vla_accel_ros.models.checkpoints import own_config
from vla_accel_ros.models.checkpoints.conventions import read_conventions
from vla_accel_ros.models.checkpoints.file_names import CONFIG, OWN, STATISTICS
from vla_accel_ros.models.checkpoints.json_file import named, read_json
from vla_accel_ros.models.checkpoints.norm_stats import check as check_norm_stats
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families import registry
from vla_accel_ros.models.families.interface import Family


def read_config(folder: str | Path, family: Family | None = None) -> VLAConfig:
    """Read a folder's configuration, ours or a public one of a known family.

    `dataset_statistics.json` replaces the configuration's `norm_stats` where present.

    Args:
        folder: The checkpoint's.
        family: That a folder which is not ours is read as; the first that claims it when None.

    Raises:
        CheckpointError: When a file is missing or does not say what is needed.
    """
    folder = Path(folder)
    values = read_json(folder / CONFIG)
    stats = _norm_stats(folder, values)
    if OWN in values:
        with named(folder / CONFIG):
            own = dict(Object().read(values[OWN], OWN), norm_stats=stats)
            return own_config.read(own, OWN)
    if family is None:
        with named(folder / CONFIG):
            family = registry.of_folder(folder, values)
            if not family.claims(folder, values):
                raise FieldError(
                    f"model_type is '{values.get('model_type')}' and type is "
                    f"'{values.get('type')}', expected those of a family that is known: "
                    f'{", ".join(registry.names())}'
                )
    return family.read(folder, {**values, 'norm_stats': stats})


def _norm_stats(folder: Path, values: Mapping) -> Mapping:
    """Read the statistics from their own file, or from the configuration where there is none."""
    own = folder / STATISTICS
    if own.exists() or own.is_symlink():
        stats = read_json(own)
        with named(own):
            _check(stats, '', folder)
        return stats
    with named(folder / CONFIG):
        stats = take(values, 'norm_stats', Object(), {})
        _check(stats, 'norm_stats.', folder)
        return stats


def _check(stats: Mapping, prefix: str, folder: Path) -> None:
    check_norm_stats({f'{prefix}{key}': entry for key, entry in stats.items()})
    # Of several the one that is chosen is checked when it is.
    if len(stats) == 1:
        space = read_conventions(folder).actions
        for key, entry in stats.items():
            moving_statistics(entry, f'{prefix}{key}', space)
