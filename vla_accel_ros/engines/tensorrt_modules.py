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

"""The names of TensorRT's modules; nothing is imported to see which of them are there."""

from importlib.util import find_spec

# TensorRT's, and two of TensorRT for RTX.
MODULES = ('tensorrt', 'tensorrt_rtx', 'tensorrt_rtx_bindings')


def installed() -> tuple[str, ...]:
    """Give the names of the modules that are there, the preferred one first."""
    return tuple(name for name in MODULES if find_spec(name) is not None)
