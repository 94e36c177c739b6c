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


"""Names of the devices that a model runs on, known before anything is loaded."""

from __future__ import annotations

import argparse
from pathlib import Path
import platform
import re

_NAME = re.compile(r'(?:cpu|cuda|mps|xpu)(?::[0-9]{1,3})?')


class DeviceError(argparse.ArgumentTypeError, ValueError):
    """A name that is no device's; the command line shows it as it is."""


def device_name(text: str) -> str:
    """Return the name of a device as torch takes it; also the `type` of a `--device` option.

    Args:
        text: Without 'auto', which only the nodes know.

    Raises:
        DeviceError: When no device is called so; whether it is there, torch finds out.
    """
    if not _NAME.fullmatch(text):
        raise DeviceError(f'device {text!r} is none, expected cpu, cuda or cuda:1')
    return text


def device_or_auto(text: str) -> str:
    """Return the name of a device, or 'auto'.

    Raises:
        DeviceError: When it is neither.
    """
    if text != 'auto' and not _NAME.fullmatch(text):
        raise DeviceError(f'device {text!r} is none, expected auto, cpu, cuda or cuda:1')
    return text


def processor() -> str:
    """Return the name of this machine's processor."""
    try:
        text = Path('/proc/cpuinfo').read_text(encoding='utf-8')
    except FileNotFoundError:
        return platform.processor() or platform.machine()
    names = re.findall(r'^model name\s*:\s*(.+)$', text, re.MULTILINE)
    return names[0].strip() if names else platform.machine()
