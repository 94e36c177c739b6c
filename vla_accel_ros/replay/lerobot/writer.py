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

"""Writing a LeRobot dataset, version 3: whole, or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import json
import os
from pathlib import Path
import shutil
import tempfile

import numpy as np

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.replay.demo.writer import check_new
from vla_accel_ros.replay.lerobot import layout
from vla_accel_ros.replay.lerobot.film import Film
from vla_accel_ros.replay.lerobot.stats import FeatureStats

CHUNK = {'chunk_index': 0, 'file_index': 0}
# Every so many rows go to the file, so that no episode has to fit into memory as pictures.
ROWS = 256


class DatasetWriter:
    """Writes frames, episode by episode, with pictures as PNG inside the data file, or as videos.

    Args:
        path: Of the folder, which appears there only once it is whole.
        fps: Frames a second.
        cameras: By name the shape of its pictures, [h, w, 3].
        vectors: By feature the names of its columns.
        robot: What the robot is called.
        video: Whether pictures go to a video a camera, with losses.
        space: What the columns of the action are; a file beside LeRobot's own says it.

    Raises:
        FileExistsError: When there is something of that name.
        DatasetError: When pictures have a size that no video has.
    """

    def __init__(
        self,
        path: Path,
        fps: float,
        cameras: Mapping[str, Sequence[int]],
        vectors: Mapping[str, Sequence[str]],
        robot: str = 'unknown',
        video: bool = False,
        space: ActionSpace | None = None,
    ) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        check_new(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._pa, self._parquet = pa, parquet
        self._path, self._fps, self._robot, self._space = path, fps, robot, space
        self._cameras = {f'{layout.IMAGES}{name}': list(cameras[name]) for name in cameras}
        self._vectors = {name: list(names) for name, names in vectors.items()}
        self._beside = Path(tempfile.mkdtemp(prefix='.vla-accel-', dir=path.parent))
        self._films: dict[str, Film] = {}
        self._rows: list[dict] = []
        self._tasks: dict[str, int] = {}
        self._episodes: list[dict] = []
        self._count = self._in_episode = 0
        self._stats = {
            name: FeatureStats() for name in (*self._vectors, *self._cameras, *layout.INDEX)
        }
        self._of_episode: dict[str, FeatureStats] = {}
        try:
            for key, shape in self._cameras.items() if video else ():
                self._films[key] = Film(self._film(key), shape, fps)
            self._data = parquet.ParquetWriter(self._file(layout.DATA), self._schema())
        except BaseException:
            self._discard()
            raise

    def __enter__(self) -> DatasetWriter:
        return self

    def __exit__(self, kind, *_) -> None:
        try:
            if kind is not None:
                self._data.close()
                return
            self.end_episode()
            if not self._count:
                raise layout.DatasetError(f'{self._path}: there is no frame, expected one or more')
            self._finish()
            check_new(self._path)
            os.rename(self._beside, self._path)
        finally:
            self._discard()

    def frame(
        self, images: Mapping[str, np.ndarray], vectors: Mapping[str, np.ndarray], task: str
    ) -> None:
        """Write a frame of the episode under way.

        Args:
            images: By camera uint8 [h, w, 3], RGB.
            vectors: By feature its values, finite.
            task: The instruction.

        Raises:
            DatasetError: When a shape differs from what was declared, or a value is not finite.
        """
        row: dict = {}
        for key, shape in self._cameras.items():
            pixels = images[key.removeprefix(layout.IMAGES)]
            if list(pixels.shape) != shape or pixels.dtype != np.uint8:
                raise layout.DatasetError(
                    f'{key} is {pixels.dtype} {list(pixels.shape)}, expected uint8 {shape}'
                )
            if key in self._films:
                self._films[key].add(pixels)
            else:
                row[key] = {'bytes': _png(pixels), 'path': f'frame-{self._count:06d}.png'}
            self._note(key, pixels.reshape(-1, shape[-1]) / 255.0)
        for key, names in self._vectors.items():
            values = np.asarray(vectors[key], dtype=np.float32)
            if values.shape != (len(names),) or not np.isfinite(values).all():
                raise layout.DatasetError(
                    f'{key} is {values.tolist()}, expected {len(names)} finite values'
                )
            row[key] = values.tolist()
            self._note(key, values[None])
        index = {
            'timestamp': self._in_episode / self._fps,
            'frame_index': self._in_episode,
            'episode_index': len(self._episodes),
            'index': self._count,
            'task_index': self._tasks.setdefault(task, len(self._tasks)),
        }
        for key, value in index.items():
            self._note(key, np.array([[value]]))
        self._rows.append({**row, **index})
        self._count, self._in_episode = self._count + 1, self._in_episode + 1
        if len(self._rows) >= ROWS:
            self._flush()

    def end_episode(self) -> None:
        """End the episode under way; without a frame there is none."""
        if not self._in_episode:
            return
        self._flush()
        number, length = len(self._episodes), self._in_episode
        tasks = [t for t, k in self._tasks.items() if k in self._of_episode['task_index'].seen]
        self._episodes.append(
            {
                'episode_index': number,
                'tasks': tasks,
                'length': length,
                'data/chunk_index': 0,
                'data/file_index': 0,
                **self._filmed(self._count - length),
                'dataset_from_index': self._count - length,
                'dataset_to_index': self._count,
                'meta/episodes/chunk_index': 0,
                'meta/episodes/file_index': 0,
                **{
                    f'stats/{name}/{what}': values
                    for name, stats in self._of_episode.items()
                    for what, values in stats.facts(name in self._cameras).items()
                },
            }
        )
        self._of_episode, self._in_episode = {}, 0

    @property
    def totals(self) -> tuple[int, int]:
        """How many episodes and frames have been written."""
        return len(self._episodes), self._count

    # -- inside ----------------------------------------------------------------------------------

    def _note(self, key: str, values: np.ndarray) -> None:
        for stats in (self._stats[key], self._of_episode.setdefault(key, FeatureStats())):
            stats.add(values, key == 'task_index')

    def _discard(self) -> None:
        for film in self._films.values():
            film.discard()
        shutil.rmtree(self._beside, ignore_errors=True)

    def _film(self, key: str) -> Path:
        return self._file(layout.VIDEO, video_key=key)

    def _filmed(self, first: int) -> dict:
        """Say where an episode's pictures are in the videos, from its first frame on."""
        facts = {
            **CHUNK,
            'from_timestamp': first / self._fps,
            'to_timestamp': self._count / self._fps,
        }
        return {f'videos/{key}/{k}': v for key in self._films for k, v in facts.items()}

    def _schema(self):
        pa = self._pa
        picture = pa.struct([('bytes', pa.binary()), ('path', pa.string())])
        fields = [(key, picture) for key in self._cameras if key not in self._films]
        fields += [(k, pa.list_(pa.float32(), len(n))) for k, n in self._vectors.items()]
        fields += [(key, getattr(pa, kind)()) for key, kind in layout.INDEX.items()]
        return pa.schema(fields)

    def _flush(self) -> None:
        if self._rows:
            self._data.write_table(
                self._pa.Table.from_pylist(self._rows, schema=self._data.schema)
            )
            self._rows.clear()

    def _file(self, pattern: str, **names: str) -> Path:
        file = self._beside / pattern.format(**CHUNK, **names)
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def _finish(self) -> None:
        pa = self._pa
        self._data.close()
        for film in self._films.values():
            film.close()
        episodes = pa.Table.from_pylist(self._episodes)
        self._parquet.write_table(episodes, self._file(layout.EPISODES))
        tasks = pa.table({'task_index': list(self._tasks.values()), 'task': list(self._tasks)})
        self._parquet.write_table(
            tasks.replace_schema_metadata({'pandas': json.dumps(_INDEXED)}),
            self._file(layout.TASKS),
        )
        stats = {n: s.facts(n in self._cameras) for n, s in self._stats.items()}
        self._file(layout.STATS).write_text(json.dumps(stats, indent=4), encoding='utf-8')
        self._file(layout.INFO).write_text(json.dumps(self._info(), indent=4), encoding='utf-8')
        if self._space is not None:
            said = json.dumps(self._space.to_values(), indent=4)
            self._file(layout.SPACE).write_text(said, encoding='utf-8')

    def _info(self) -> dict:
        features: dict[str, dict] = {
            key: {'dtype': 'image', 'shape': shape, 'names': ['height', 'width', 'channels']}
            for key, shape in self._cameras.items()
        }
        for key, film in self._films.items():
            features[key] |= {'dtype': 'video', 'info': film.facts()}
        features |= {
            key: {'dtype': 'float32', 'shape': [len(names)], 'names': names}
            for key, names in self._vectors.items()
        }
        features |= {
            key: {'dtype': kind, 'shape': [1], 'names': None} for key, kind in layout.INDEX.items()
        }
        fps = round(self._fps)
        return {
            'codebase_version': layout.VERSION,
            'robot_type': self._robot,
            'total_episodes': len(self._episodes),
            'total_frames': self._count,
            'total_tasks': len(self._tasks),
            'chunks_size': 1000,
            'data_files_size_in_mb': 100,
            'video_files_size_in_mb': 200,
            'fps': fps if fps == self._fps else self._fps,
            'splits': {'train': f'0:{len(self._episodes)}'},
            'data_path': layout.DATA,
            'video_path': layout.VIDEO if self._films else None,
            'features': features,
        }


# What pandas, which LeRobot reads this file with, takes as the index of the table.
_INDEXED = {
    'index_columns': ['task'],
    'column_indexes': [],
    'columns': [
        {
            'name': 'task_index',
            'field_name': 'task_index',
            'pandas_type': 'int64',
            'numpy_type': 'int64',
            'metadata': None,
        },
        {
            'name': 'task',
            'field_name': 'task',
            'pandas_type': 'unicode',
            'numpy_type': 'object',
            'metadata': None,
        },
    ],
    'pandas_version': '2.0.0',
}


def _png(pixels: np.ndarray) -> bytes:
    import cv2

    return cv2.imencode('.png', cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1].tobytes()
