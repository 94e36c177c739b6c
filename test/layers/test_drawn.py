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

"""Random numbers that weights begin with."""

import subprocess
import sys

from vla_accel_ros.layers.drawn import STD, drawn


def test_numbers_have_the_deviation_that_is_said():
    numbers = drawn(200, 100)
    assert numbers.shape == (200, 100)
    assert abs(float(numbers.std()) / STD - 1) < 0.05


def test_a_model_is_loaded_without_the_compiler():
    code = (
        'import sys\n'
        'from vla_accel_ros.models.checkpoints.folder import load\n'
        'from vla_accel_ros.paths import checkpoint_folder\n'
        "load(checkpoint_folder('tabletop-s'))\n"
        "assert 'torch._dynamo' not in sys.modules\n"
    )
    subprocess.run([sys.executable, '-c', code], check=True)
