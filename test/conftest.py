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

"""What every test of the suite runs in."""

import atexit
import os
from pathlib import Path
import shutil
import sys
import tempfile

import pytest

# The test tree is no package (its name is the standard library's), so helpers come by path.
sys.path.insert(0, str(Path(__file__).parent / 'helpers'))

# Two suites on one network do not hear each other.
os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
os.environ.setdefault('MPLBACKEND', 'agg')
# Two cores are shared by several processes in the ROS tests.
os.environ.setdefault('OMP_NUM_THREADS', '1')
# What the user of this machine has built must not decide what runs.
if 'VLA_ACCEL_ENGINES' not in os.environ:
    os.environ['VLA_ACCEL_ENGINES'] = tempfile.mkdtemp(prefix='vla-accel-engines-')
    atexit.register(shutil.rmtree, os.environ['VLA_ACCEL_ENGINES'], ignore_errors=True)

from hypothesis import settings

# Examples are drawn the same way in each run, and a slow machine is no failure.
settings.register_profile('suite', deadline=None, derandomize=True)
settings.load_profile('suite')


def pytest_collection_modifyitems(items):
    """Skip what needs a GPU where there is none, and say so."""
    marked = [item for item in items if item.get_closest_marker('gpu')]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason='torch sees no CUDA device'))


@pytest.fixture(scope='session')
def random_checkpoint(tmp_path_factory):
    """Give a policy with random weights, in a folder."""
    from random_checkpoints import write_random

    from vla_accel_ros.sim.tasks import all_instructions

    return write_random(tmp_path_factory.mktemp('random'), all_instructions())


@pytest.fixture
def declared(tmp_path, monkeypatch):
    """Give what declares families or engines of another package, here and in new processes."""
    from toy_family import ENTRY_POINT, declare

    def declare_here(entry_point=ENTRY_POINT):
        folder = declare(tmp_path / 'site', entry_point)
        monkeypatch.syspath_prepend(folder)
        monkeypatch.setenv(
            'PYTHONPATH', f'{folder}{os.pathsep}{Path(__file__).parent / "helpers"}'
        )

    return declare_here


@pytest.fixture
def toy_checkpoint(declared, tmp_path):
    """Give a policy of the toy family with random weights, in a folder."""
    from checkpoints import random_checkpoint
    from toy_family import ToyConfig

    declared()
    return random_checkpoint(tmp_path / 'toy', head=ToyConfig(largest=0.75))
