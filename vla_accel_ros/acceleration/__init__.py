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

"""How a policy is run, one truth for nodes, eval, replay, bench and tune.

`find('none,hold+jacobi')` reads methods, `method_of` makes one of a node's parameters, and
`apply_method` has a policy run by it. Nothing here imports torch before it is needed.
"""

from vla_accel_ros.acceleration.apply import apply_method, check_method
from vla_accel_ros.acceleration.components import BASELINE
from vla_accel_ros.acceleration.grammar import find, parse
from vla_accel_ros.acceleration.method import Method
from vla_accel_ros.acceleration.node_parameters import method_of
from vla_accel_ros.acceleration.presets import write_preset

__all__ = [
    'BASELINE',
    'Method',
    'apply_method',
    'check_method',
    'find',
    'method_of',
    'parse',
    'write_preset',
]
