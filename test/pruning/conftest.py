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


"""What the pruning tests share."""

from pathlib import Path
import sys

import pytest

from vla_accel_ros.pruning.interface import Layout

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def layout() -> Layout:
    """OpenVLA: one camera, token by token."""
    return Layout(cameras=1, rows=16, columns=16, patch=14, layers=32)


@pytest.fixture
def two_cameras() -> Layout:
    """OpenVLA-OFT: two cameras, all actions in one pass."""
    return Layout(cameras=2, rows=16, columns=16, patch=14, layers=32, single_pass=True)


@pytest.fixture
def small() -> Layout:
    """The embedded model."""
    return Layout(cameras=2, rows=6, columns=6, patch=16, layers=3)
