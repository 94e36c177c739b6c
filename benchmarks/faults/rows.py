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

"""All rows of the fault matrix, in the order of the page."""

from __future__ import annotations

from benchmarks.faults import around_it, below_it, in_the_graph, joints
from benchmarks.faults.fault import Fault

PARTS = (
    'camera',
    'scheduler',
    'inference',
    'arm_command',
    'network',
    'clocks',
    'parameters',
    'checkpoints',
    'disk',
    'memory',
    'engines',
    'operators',
    'joints',
    'goals',
    'servers',
)
ROWS: tuple[Fault, ...] = tuple(
    sorted(
        (*in_the_graph.ROWS, *around_it.ROWS, *below_it.ROWS, *joints.ROWS),
        key=lambda row: PARTS.index(row.part),
    )
)
