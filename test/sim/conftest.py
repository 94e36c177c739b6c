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


"""Environments shared by the tests of one file: making one compiles the model."""

import pytest

from vla_accel_ros.sim.env import TabletopEnv


@pytest.fixture(scope='module')
def blind():
    """Give an environment without cameras: physics only, fast."""
    env = TabletopEnv(cameras=())
    yield env
    env.close()


@pytest.fixture(scope='module')
def seeing():
    """Give an environment with both cameras."""
    env = TabletopEnv(render_mode='rgb_array')
    yield env
    env.close()
