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

"""Under which name SROS 2 knows a process; without SROS 2 it means nothing."""

from __future__ import annotations

from vla_accel_ros.ros.parameter_check import full_name

# Beside the nodes: whoever may enable the arm, and whoever only looks on.
OPERATOR, VIEWER = 'operator', 'viewer'


def arguments(name: str, namespace: str = '') -> list[str]:
    """Return the arguments behind `--ros-args` that name the enclave.

    Args:
        name: Of the node, or one of those above.
        namespace: Of the node.
    """
    return ['--enclave', full_name(name, namespace)]
