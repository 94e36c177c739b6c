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

"""Two hosts on this machine with a bad link between them, for the tests that need them."""

import os
from pathlib import Path
import sys

import pytest

# What the fault tests are made of.
sys.path.insert(0, str(Path(__file__).parents[1] / 'faults'))
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope='session')
def checkpoint(tmp_path_factory):
    """Give a policy whose arm wanders about, where two hosts can be had."""
    from benchmarks.network.link import missing

    if not os.environ.get('VLA_ACCEL_NETWORK'):
        pytest.skip('starts two hosts and takes minutes: make test-network')
    if lacks := missing():
        pytest.skip(lacks)
    from wandering import write_wanderer

    return write_wanderer(tmp_path_factory.mktemp('checkpoint'))


@pytest.fixture(scope='session')
def rig(checkpoint, tmp_path_factory):
    """Give the robot's side on one host and inference on another, active."""
    from linked import two_hosts

    with two_hosts(checkpoint, tmp_path_factory.mktemp('logs')) as made:
        yield made


@pytest.fixture
def served(checkpoint, tmp_path):
    """Give the same, found through a discovery server."""
    from linked import two_hosts

    with two_hosts(checkpoint, tmp_path, server=True) as made:
        yield made
