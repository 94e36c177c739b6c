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

"""Links that lead nowhere, as in a snapshot of a hub that was copied without its blobs."""

from __future__ import annotations

import os
from pathlib import Path


def dangling(path: str | Path) -> str | None:
    """Give what to say of a path that is a link to nothing, None where it is none."""
    path = Path(path)
    if not path.is_symlink() or path.exists():
        return None
    return (
        f'{path} is a link to {os.readlink(path)}, which is not there: copy the folder with '
        'what its links point at (cp -rL), or download it again'
    )
