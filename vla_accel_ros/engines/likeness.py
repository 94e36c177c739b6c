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

"""In what a stored entry differs from the one that is asked for: why it is of no use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
import re

# What an entry is made with, by name in its key. Keys that differ in other facts, or in more of
# these, are of different things.
_VERSIONS = {'code', 'opset', 'torch', 'onnx', 'onnxscript', 'openvino', 'runtime'}
_MADE_WITH = _VERSIONS | {'weights', 'device', 'abilities', 'name', 'capability', 'driver'}
_FEW = 3
_DIGEST = re.compile(r'[0-9a-f]{32,}')


def nearest(keys: Iterable[Mapping[str, str]], wanted: Mapping[str, str]) -> str:
    """Say in what the key that is most like another one differs from it.

    Args:
        keys: Of entries that are there.
        wanted: Of the one that is not.

    Returns:
        Name, wanted value and present value of each fact that differs; empty where no key is of
        the same thing.
    """
    best: list[str] = []
    for other in keys:
        if other.keys() != wanted.keys() or other.get('kind') != wanted.get('kind'):
            continue
        differ = [name for name in wanted if wanted[name] != other[name]]
        if not _MADE_WITH.issuperset(differ) or len(differ) > _FEW:
            continue
        if not best or len(differ) < len(best):
            best = [
                f'{name} is {_brief(wanted[name])}, there is one of {_brief(other[name])}'
                for name in differ
            ]
    return '; '.join(best)


def supersedes(key: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Say whether a key is of the same thing as another one, made by other versions alone."""
    if key.keys() != other.keys():
        return False
    differ = {name for name in key if key[name] != other[name]}
    return bool(differ) and differ <= _VERSIONS


def _brief(value: str) -> str:
    """Give a value for a line of text; a digest by its first digits."""
    return f'{value[:8]}…' if _DIGEST.fullmatch(value) else value
