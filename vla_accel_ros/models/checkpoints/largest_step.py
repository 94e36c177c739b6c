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

"""How far a checkpoint can ask the arm to move in one policy step; read without torch."""

from __future__ import annotations

from pathlib import Path

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.files.kinds import FieldError
from vla_accel_ros.models.action_tokens import chosen_key, moving_statistics
from vla_accel_ros.models.action_units import in_si
from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.checkpoints.conventions import CONVENTIONS, read_conventions
from vla_accel_ros.models.checkpoints.json_file import CheckpointError


def largest_step(folder: str | Path, unnorm_key: str | None = None) -> tuple[float, float]:
    """Give the longest displacement that a checkpoint's statistics allow.

    Args:
        folder: The checkpoint's.
        unnorm_key: Data set whose statistics hold; None where there is only one.

    Returns:
        Lengths of the translation, m, and of the rotation vector, rad, per policy step; of joints
        the furthest. Absolute positions are no steps.

    Raises:
        CheckpointError: When the folder's configuration or statistics cannot be used, or nothing
            says what the columns are.
        UnnormKeyError: When the key is missing or wrong; the message lists the keys.
    """
    config, space = read_config(folder), read_conventions(folder).actions
    if space is None and config.action_dims == END_EFFECTOR.width:
        space = END_EFFECTOR
    if space is None:
        raise CheckpointError(
            f'the checkpoint answers actions of {config.action_dims} columns, and nothing says '
            f'what they are: expected "actions" in its {CONVENTIONS}'
        )
    key = chosen_key(config.norm_stats, unnorm_key)
    try:
        statistics = moving_statistics(config.norm_stats[key], key, space, config.head.ends)
    except FieldError as error:
        raise CheckpointError(f'statistics: {error}') from error
    return in_si(key, statistics, space).largest_step(space)
