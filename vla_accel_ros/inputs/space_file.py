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

"""The action space that a robot's parameters name: one that is known, or a file's."""

from __future__ import annotations

import json
from pathlib import Path

from vla_accel_ros.action_space import KNOWN, ActionSpace


def read_space(text: str) -> ActionSpace:
    """Give the space of a known name, or that of a JSON file, as `ActionSpace.to_values` has it.

    Args:
        text: A name, or the path of a file that ends in .json.

    Raises:
        ValueError: When it is neither, or the file does not say a space; the message says why.
    """
    if text in KNOWN:
        return KNOWN[text]
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(f"action_space is '{text}': {error}") from None
    if path.suffix != '.json':
        raise ValueError(
            f"action_space is '{text}', expected one of {sorted(KNOWN)} or the path of a .json "
            'file'
        )
    try:
        return ActionSpace.from_values(json.loads(path.read_text(encoding='utf-8')))
    except OSError as error:
        raise ValueError(f'action_space {path}: {error.strerror}') from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f'action_space {path}: {error}') from None
