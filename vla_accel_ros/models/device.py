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
"""The device that a model runs on, looked for before anything is read for it."""

from __future__ import annotations

from vla_accel_ros.devices import DeviceError, device_name


def check_device(name: str) -> None:
    """Refuse a device that is not in this machine.

    Raises:
        DeviceError: When the name is none, or torch does not see it.
    """
    import torch

    device_name(name)
    kind, _, number = name.partition(':')
    if kind == 'cuda':
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if not count:
            raise DeviceError(f"device '{name}' was asked for, torch sees no GPU")
        if int(number or 0) >= count:
            raise DeviceError(
                f"device '{name}' was asked for, torch sees {count} GPU(s): cuda:0 "
                f'to cuda:{count - 1}'
            )
    elif kind != 'cpu':
        there = {'mps': torch.backends.mps.is_available, 'xpu': torch.xpu.is_available}[kind]()
        if not there:
            raise DeviceError(f"device '{name}' was asked for, torch does not see it")
