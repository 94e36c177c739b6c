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
"""A device is checked by its name, and by what torch sees."""

import pytest
import torch

from vla_accel_ros.devices import DeviceError
from vla_accel_ros.models.device import check_device
from vla_accel_ros.models.policy import Policy


@pytest.mark.parametrize('name', ['gpu0', '', 'CPU', 'cuda:', 'cuda:-1', 'cuda:x', 'meta', 'cpu '])
def test_a_name_that_is_no_devices_is_refused_before_any_file_is_read(name, tmp_path):
    with pytest.raises(DeviceError, match='expected cpu'):
        Policy.load(tmp_path / 'nowhere', device=name)


def test_a_gpu_beyond_those_there_is_named_with_how_many_there_are(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    check_device('cuda:1')
    with pytest.raises(DeviceError, match=r"'cuda:2' .* torch sees 2 GPU\(s\): cuda:0 to cuda:1"):
        check_device('cuda:2')
