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

from vla_accel_ros.models.action_tokens import select_statistics
from vla_accel_ros.models.action_units import in_si
from vla_accel_ros.models.checkpoints.config_file import read_config


def largest_step(folder: str | Path, unnorm_key: str | None = None) -> tuple[float, float]:
    """Give the longest displacement that a checkpoint's statistics allow.

    Args:
        folder: The checkpoint's.
        unnorm_key: Data set whose statistics hold; None where there is only one.

    Returns:
        Lengths of the translation, m, and of the rotation vector, rad, per policy step.

    Raises:
        CheckpointError: When the folder's configuration or statistics cannot be used.
        UnnormKeyError: When the key is missing or wrong; the message lists the keys.
    """
    key, statistics = select_statistics(read_config(folder).norm_stats, unnorm_key)
    return in_si(key, statistics).largest_step()
