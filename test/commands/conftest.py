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

"""What the tests of the commands share."""

import copy

import pytest
from reach_config import reach_config
from recipes import SMALL
from ros_fixtures import graph

__all__ = ['graph', 'reach_config']


@pytest.fixture
def values():
    """Give a recipe that trains within a second."""
    return copy.deepcopy(SMALL)


@pytest.fixture
def tune(tmp_path, random_checkpoint):
    """Run the command with a policy of random weights; results go to `out`."""
    from vla_accel_ros import cli

    def run(*words, out='out', cost='calls'):
        return cli.main(
            [
                'tune',
                '--checkpoint',
                str(random_checkpoint),
                '--out',
                str(tmp_path / out),
                '--cost',
                cost,
                '--workers',
                '1',
                *map(str, words),
            ]
        )

    return run


@pytest.fixture
def replay(tmp_path, random_checkpoint):
    """Run the command with a policy of random weights; results go to `out`."""
    from vla_accel_ros import cli

    def run(bag, *words, out='out', methods='none'):
        return cli.main(
            [
                'replay',
                str(bag),
                '--out',
                str(tmp_path / out),
                '--methods',
                methods,
                '--checkpoint',
                str(random_checkpoint),
                *map(str, words),
            ]
        )

    return run
