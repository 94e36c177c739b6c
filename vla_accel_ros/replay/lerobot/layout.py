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

"""LeRobot's dataset format, version 3: which file holds what, and what is checked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import json
from math import isfinite
from pathlib import Path

VERSION = 'v3.0'
INFO, STATS, TASKS = 'meta/info.json', 'meta/stats.json', 'meta/tasks.parquet'
EPISODES = 'meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet'
# Ours: what the columns of the action are. Others ignore it.
SPACE = 'meta/action_space.json'
DATA = 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet'
VIDEO = 'videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4'
ACTION, STATE, IMAGES = 'action', 'observation.state', 'observation.images.'
# What each row has beside its features, with its type in numpy.
INDEX = {
    'timestamp': 'float32',
    'frame_index': 'int64',
    'episode_index': 'int64',
    'index': 'int64',
    'task_index': 'int64',
}
PICTURES = ('image', 'video')


class DatasetError(ValueError):
    """The dataset will not do; the message names the file, the value and what was expected."""


@dataclass(frozen=True)
class Info:
    """What `meta/info.json` says.

    Attributes:
        fps: Frames a second.
        episodes: How many.
        frames: How many in all of them.
        features: By name: `dtype`, `shape`, `names`.
        data_path: Pattern of the data files.
        video_path: Pattern of the video files, None without.
    """

    fps: float
    episodes: int
    frames: int
    features: Mapping[str, Mapping]
    data_path: str
    video_path: str | None

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of the features that are pictures, in their order."""
        return tuple(k for k, v in self.features.items() if v['dtype'] in PICTURES)

    def names(self, feature: str) -> tuple[str, ...]:
        """Return the names of a vector's columns, empty where the dataset does not say."""
        names = self.features[feature].get('names')
        if isinstance(names, dict):
            # Older tools nest them below a word such as `motors`.
            names = next(iter(names.values()), None)
        if not isinstance(names, list) or len(names) != self.width(feature):
            return ()
        return tuple(map(str, names))

    def width(self, feature: str) -> int:
        """Return how many columns a vector has."""
        return self.features[feature]['shape'][0]


def is_dataset(path: Path) -> bool:
    """Say whether a folder is a LeRobot dataset, of whatever version."""
    return (path / INFO).is_file()


def read_info(folder: Path) -> Info:
    """Read `meta/info.json`.

    Raises:
        DatasetError: When it is missing, is no JSON, is of another version, or lacks something.
    """
    file = folder / INFO
    try:
        found = json.loads(file.read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise DatasetError(f'{file} is missing, expected a LeRobot dataset {VERSION}') from None
    except (OSError, ValueError) as error:
        raise DatasetError(f'{file} cannot be read: {error}') from error
    if not isinstance(found, dict):
        raise DatasetError(f'{file} is a {type(found).__name__}, expected a mapping')
    version = found.get('codebase_version')
    if version != VERSION:
        raise DatasetError(
            f'{file}: codebase_version is {version!r}, expected {VERSION!r}; LeRobot converts '
            'older datasets'
        )
    return Info(
        float(_number(file, found, 'fps', 0.1, 1000)),
        int(_number(file, found, 'total_episodes', 1, 1e9)),
        int(_number(file, found, 'total_frames', 1, 1e12)),
        _features(file, found.get('features')),
        _pattern(file, found, 'data_path', DATA),
        _pattern(file, found, 'video_path', ''),
    )


def _number(file: Path, found: Mapping, key: str, low: float, high: float) -> float:
    value = found.get(key)
    fine = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    if not fine or not low <= value <= high:
        raise DatasetError(f'{file}: {key} is {value!r}, expected a number of {low:g} to {high:g}')
    return value


def _pattern(file: Path, found: Mapping, key: str, default: str) -> str:
    value = found.get(key) or default
    if not isinstance(value, str) or value.startswith('/') or '..' in Path(value).parts:
        raise DatasetError(f'{file}: {key} is {value!r}, expected a path below the dataset')
    try:
        value.format(video_key='', chunk_index=0, file_index=0)
    except (KeyError, IndexError, AttributeError, ValueError):
        raise DatasetError(
            f'{file}: {key} is {value!r}, expected a pattern with chunk_index, file_index and '
            'video_key alone'
        ) from None
    return value


def _features(file: Path, found: object) -> Mapping[str, Mapping]:
    if not isinstance(found, dict):
        raise DatasetError(f'{file}: features is {found!r}, expected a mapping')
    for name, feature in found.items():
        shape = feature.get('shape') if isinstance(feature, dict) else None
        whole = isinstance(shape, list) and shape and all(isinstance(n, int) for n in shape)
        if not whole or not isinstance(feature.get('dtype'), str):
            raise DatasetError(
                f'{file}: the feature {name!r} is {feature!r}, expected dtype and shape'
            )
    if not any(feature['dtype'] in PICTURES for feature in found.values()):
        raise DatasetError(f'{file}: no feature is an image or a video, expected one or more')
    return found
