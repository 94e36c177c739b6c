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

"""Which worlds there are, by the name that recipes have for them."""

from __future__ import annotations

from vla_accel_ros.training.recipe_parts import LIBERO, TABLETOP
from vla_accel_ros.training.world import World


def world_of(name: str) -> World:
    """Return a world by the name that recipes have for it.

    Raises:
        ValueError: When there is none, or what it needs is not installed; says what to do.
    """
    if name == TABLETOP:
        from vla_accel_ros.training.tabletop import Tabletop

        return Tabletop()
    from vla_accel_ros.training.libero import Libero

    return Libero(name.removeprefix(LIBERO))
