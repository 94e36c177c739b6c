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

"""Which comparison with an original is whose: found by the family of a fixture's folder."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.checkpoints.file_names import CONFIG
from vla_accel_ros.models.checkpoints.json_file import read_json
from vla_accel_ros.models.families import registry as families
from vla_accel_ros.models.parity.compare import CROPS
from vla_accel_ros.models.parity.comparison import Comparison, FixtureError

_OPENVLA = 'vla_accel_ros.models.parity.compare:verify'
# By family the function that compares a folder. What OFT adds is compared when it is asked for.
REFERENCES = {
    'openvla': _OPENVLA,
    'oft': _OPENVLA,
    'pi0': 'vla_accel_ros.models.parity.pi0_compare:verify',
    'smolvla': 'vla_accel_ros.models.parity.smolvla_compare:verify',
    'cogact': 'vla_accel_ros.models.parity.cogact_reference:verify_cogact',
}
# Files of arrays that a fixture may do without.
OPTIONAL = {'openvla': (CROPS,), 'oft': (CROPS,)}
Compare = Callable[[Path], list[Comparison]]


def reference_of(family: str) -> Compare:
    """Give the comparison of a family.

    Returns:
        Called with a fixture's folder, gives one comparison an array. It raises `CheckpointError`
        or `FixtureError` where the folder cannot be compared with.

    Raises:
        FixtureError: When there is none of it.
    """
    if family not in REFERENCES:
        raise FixtureError(
            f"there is no comparison for the family '{family}', expected one of "
            f'{", ".join(sorted(REFERENCES))}'
        )
    module, _, name = REFERENCES[family].partition(':')
    found: Compare = getattr(import_module(module), name)
    return found


def verify(folder: str | Path) -> tuple[list[Comparison], list[str]]:
    """Run a fixture folder through this package, in float32 on the CPU.

    Args:
        folder: A checkpoint of any family, with the inputs and outputs of its original.

    Returns:
        One comparison an array, and the files of arrays that the folder lacks and can do without.

    Raises:
        CheckpointError: When the checkpoint does not load.
        FixtureError: When a file of arrays is missing or corrupt, or nothing is compared.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FixtureError(f'{folder} is no folder')
    family = families.of_folder(folder, read_json(folder / CONFIG))
    # What is wrong with the configuration goes before what is wrong with the arrays.
    read_config(folder)
    missing = [
        name
        for name in OPTIONAL.get(family.name, ())
        if not ((folder / name).exists() or (folder / name).is_symlink())
    ]
    return reference_of(family.name)(folder), missing
