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

"""The two tiny fixtures of pi0 and pi0.5, loaded once."""

from functools import cache
from pathlib import Path

import torch

from vla_accel_ros.models.checkpoints.folder import load
from vla_accel_ros.models.parity.comparison import read_arrays
from vla_accel_ros.models.parity.pi0_inputs import Before, cases_of, original
from vla_accel_ros.models.parity.pi0_reference import Pi0Case
from vla_accel_ros.models.preprocess import with_cameras

FIXTURES = Path(__file__).parent.parent / 'fixtures'
NAMES = ('pi0_tiny', 'pi05_tiny')


@cache
def stored(name):
    """Give the arrays of inputs.npz and of outputs.npz."""
    return read_arrays(FIXTURES / name / 'inputs.npz'), read_arrays(
        FIXTURES / name / 'outputs.npz'
    )


@cache
def model_of(name, cameras=2):
    config = with_cameras(original(FIXTURES / name), cameras)
    return load(FIXTURES / name, 'cpu', torch.float32, config=config)


def ready(name, model=None, case=0):
    """Give a case, the first of two views and the second of three, ready to run."""
    folder, (inputs, _) = FIXTURES / name, stored(name)
    found = cases_of(folder, inputs)[case]
    before = Before(folder, original(folder), inputs)
    model = model_of(name, int(found.mask.sum())) if model is None else model
    return Pi0Case.make(found, model, before, inputs[f'noise_{found.name}'])
