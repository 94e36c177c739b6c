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

"""Which rows of SmolVLA's prefix are which."""

from __future__ import annotations

from vla_accel_ros.models.rows import Slices
from vla_accel_ros.pruning.interface import Rows


def prefix_rows(text: int) -> Slices:
    """Say which rows of the prefix are which: the state is the row that stands for the action.

    Args:
        text: Tokens of the prompt.
    """
    return {
        Rows.ALL: slice(None, -1),
        Rows.TEXT: slice(-1 - text, -1),
        Rows.LAST: slice(-2, -1),
        Rows.ACTION: slice(-1, None),
    }
