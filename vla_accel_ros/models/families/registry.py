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

"""The families there are: those of this package, and those that other packages declare.

A package declares a family as an entry point, `NAME = module:Class` in the group
`vla_accel_ros.families`. Every process that reads a checkpoint finds it there. A checkpoint gives
a name only: what code stands behind it is said by what is installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from vla_accel_ros import declared
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.families.cogact.family import CogACTFamily
from vla_accel_ros.models.families.interface import Family
from vla_accel_ros.models.families.oft.family import OFTFamily
from vla_accel_ros.models.families.openvla.family import OpenVLAFamily
from vla_accel_ros.models.families.pi0.family import Pi0Family

if TYPE_CHECKING:
    from vla_accel_ros.models.vla import VLA

GROUP = 'vla_accel_ros.families'
# What a configuration of ours that names none is of.
FIRST = OpenVLAFamily()
# An OFT's folder is an OpenVLA's with further files, so it is asked first.
OWN: dict[str, Family] = {
    family.name: family for family in (CogACTFamily(), OFTFamily(), FIRST, Pi0Family())
}


class FamilyError(ValueError):
    """A family that is not there, or that is declared and cannot be used."""


def names() -> list[str]:
    """List the names of all families, those of this package first."""
    return declared.names(GROUP, OWN)


@cache
def find(name: str) -> Family:
    """Give a family.

    Raises:
        FamilyError: When there is none of the name, or what is declared is none.
    """
    if name in OWN:
        return OWN[name]
    found: Family = declared.load(
        GROUP, name, 'family', Family, FamilyError, names(), lambda family: family()
    )
    return found


def of(config: VLAConfig) -> Family:
    """Give the family of a configuration.

    Raises:
        FamilyError: When it is not installed.
    """
    return find(config.head.family)


def of_folder(folder: Path, values: Mapping) -> Family:
    """Give the family of a checkpoint folder that this package did not write.

    Args:
        folder: The folder.
        values: What its `config.json` holds.

    Returns:
        The first that claims it; OpenVLA, whose reading says what is wrong, where none does.

    Raises:
        CheckpointError: When the folder is a family's and cannot be used.
        FamilyError: When a declared family cannot be loaded.
    """
    for name in OWN:
        if OWN[name].claims(folder, values):
            return OWN[name]
    others = (find(name) for name in names() if name not in OWN)
    return next((family for family in others if family.claims(folder, values)), FIRST)


def build(config: VLAConfig) -> VLA:
    """Build the model that a configuration asks for, with random weights."""
    return of(config).build(config)
