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

"""Files that torch pickled: read without running any code that is in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
import pickle
import zipfile

from vla_accel_ros.files.lfs import complaint
from vla_accel_ros.files.links import dangling
from vla_accel_ros.models.checkpoints.json_file import CheckpointError


def read_pickled(file: Path, expected: str) -> Mapping:
    """Read a dictionary that holds nothing but plain values and tensors.

    Args:
        file: The file; its tensors stay in it until they are used.
        expected: What should have been there, for the message.

    Raises:
        CheckpointError: When it is missing or corrupt, or holds anything else.
    """
    import torch

    if why := dangling(file) or complaint(file):
        raise CheckpointError(why)
    if not file.is_file():
        # A pipe would let torch wait for ever.
        raise CheckpointError(f'{file} is no file')
    try:
        stored = torch.load(
            file, map_location='cpu', weights_only=True, mmap=zipfile.is_zipfile(file)
        )
    except pickle.UnpicklingError as error:
        # Torch's own message goes on to advise loading it all the same.
        raise CheckpointError(
            f'{file} holds more than tensors, or is corrupt; it is not loaded, for a pickle may '
            f'run code. Expected {expected}'
        ) from error
    except Exception as error:  # of damaged bytes the library raises whatever it stumbles over
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise CheckpointError(f'{file} cannot be read: {reason}') from error
    if not isinstance(stored, Mapping):
        raise CheckpointError(f'{file} holds a {type(stored).__name__}, expected {expected}')
    return stored
