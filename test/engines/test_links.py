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

"""A file of another entry is linked, or copied where there are no hard links."""

import os
from pathlib import Path

from vla_accel_ros.engines.links import share


def test_a_file_is_linked_and_where_that_cannot_be_copied(tmp_path, monkeypatch):
    file, one, other = tmp_path / 'weights', tmp_path / 'one', tmp_path / 'other'
    one.mkdir()
    other.mkdir()
    file.write_bytes(b'numbers')
    assert os.path.samefile(share(file, one), file)

    def refused(self, target):
        raise OSError('no hard links here')

    monkeypatch.setattr(Path, 'hardlink_to', refused)
    copy = share(file, other)
    assert copy.read_bytes() == b'numbers' and not os.path.samefile(copy, file)
