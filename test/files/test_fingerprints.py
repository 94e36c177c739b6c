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
"""Bags and checkpoints are told apart."""

import numpy as np

from vla_accel_ros.files.fingerprints import BLOCK, of_folder


def test_weights_that_differ_only_at_the_end_are_others(tmp_path):
    for name, last in (('one', 0), ('two', 1), ('three', 0)):
        (tmp_path / name).mkdir()
        values = np.zeros(20 * BLOCK + 3, dtype=np.uint8)
        values[-1] = last
        values.tofile(tmp_path / name / 'model.safetensors')
    one, two, three = (of_folder(tmp_path / name) for name in ('one', 'two', 'three'))
    assert one == three != two
