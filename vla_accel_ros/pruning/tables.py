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

"""The tables of `docs/methods.md`, so that it cannot say otherwise than the code."""

from __future__ import annotations

from vla_accel_ros import options
from vla_accel_ros.pruning.parameters import Parameters
from vla_accel_ros.pruning.registry import parameters_of

COMMON = options.options_of(Parameters)


def table(method: str) -> str:
    """Give the parameters that a method has of its own as a Markdown table.

    Raises:
        ValueError: When there is no such method.
    """
    return options.table(
        each for name, each in parameters_of(method).items() if name not in COMMON
    )


def common_table() -> str:
    """Give the parameters that all methods share as a Markdown table."""
    return options.table(COMMON.values())
