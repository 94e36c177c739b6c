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

"""Why an engine cannot run on this machine, as far as that is known without loading a library."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
import os
from pathlib import Path
import shutil
import sys

from vla_accel_ros import extras
from vla_accel_ros.engines.tensorrt_modules import installed

# Where a driver shows a GPU: a desktop's or server's, and a Jetson's.
GPU_FILES = (Path('/dev/nvidiactl'), Path('/dev/nvhost-gpu'), Path('/dev/nvgpu'))


def package(*names: str) -> Callable[[], str | None]:
    """Give a probe for packages of the extra `engines`."""

    def probe() -> str | None:
        for name in names:
            if find_spec(name) is None:
                return f'{name} is not installed: {extras.remedy("engines")}'
        return None

    return probe


def gpu() -> str | None:
    """Say why no NVIDIA GPU can be used, None where one can."""
    torch = sys.modules.get('torch')
    if torch is not None:
        return None if torch.cuda.is_available() else 'torch sees no NVIDIA GPU on this machine'
    if any(file.exists() for file in GPU_FILES):
        return None
    return 'no NVIDIA GPU, or no driver for one, on this machine'


def compiler() -> str | None:
    """Say why no C++ compiler can be used, None where one can."""
    named = os.environ.get('CXX')
    for each in (named,) if named else ('c++', 'g++', 'clang++'):
        if shutil.which(each):
            return None
    return f'no C++ compiler{f" {named}" if named else ""} on this machine: apt install g++'


def tensorrt() -> str | None:
    """Say why TensorRT cannot be used, None where it can."""
    if not installed():
        return 'neither tensorrt nor tensorrt-rtx is installed: see docs/engines-tensorrt.md'
    return gpu()


def nothing() -> str | None:
    """Say that nothing is in the way."""
    return None
