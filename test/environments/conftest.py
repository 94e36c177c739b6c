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

"""What the tests of environments share."""

import pytest
from reach_config import reach_config

from vla_accel_ros.environments.simpler_import import check_driver, require_assets

__all__ = ['reach_config']


@pytest.fixture(scope='session')
def vulkan():
    """Give a driver that draws for SAPIEN."""
    try:
        check_driver()
    except ValueError as error:
        pytest.skip(str(error))


@pytest.fixture(scope='session')
def assets_of():
    """Give what asks for the assets of one of SimplerEnv's tasks."""

    def ask(task):
        try:
            require_assets(task)
        except ValueError as error:
            pytest.skip(str(error))

    return ask
