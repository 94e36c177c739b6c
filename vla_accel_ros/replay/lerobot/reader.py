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

"""Reading a LeRobot dataset, version 3, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vla_accel_ros.replay.lerobot import layout
from vla_accel_ros.replay.lerobot.layout import DatasetError, read_info
from vla_accel_ros.replay.lerobot.videos import Videos

BATCH = 64


@dataclass(frozen=True, eq=False)
class Frame:
    """A row of the dataset.

    Attributes:
        episode: Number of its episode.
        number: Its own in the episode.
        task: The instruction.
        images: By camera uint8 [h, w, 3], RGB.
        action: float64 [columns]; None where the dataset has none.
        state: Likewise.
    """

    episode: int
    number: int
    task: str
    images: dict[str, np.ndarray]
    action: np.ndarray | None
    state: np.ndarray | None


class Dataset:
    """A LeRobot dataset on disk.

    Args:
        folder: With `meta`, `data` and, where pictures are videos, `videos`.

    Raises:
        DatasetError: When a file is missing or says what cannot be.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.info = folder, read_info(folder)
        self._tasks = self._read_tasks()
        self._episodes = self._read_episodes()

    def frames(self) -> Iterator[Frame]:
        """Yield every frame, episode by episode.

        Raises:
            DatasetError: When a file is missing, a row is bad, or there are not as many as
                `meta/info.json` promises.
        """
        info, count = self.info, 0
        videos = Videos(self.folder, info, self._episodes)
        last = (-1, -1)
        for file in self._data_files():
            for row in self._rows(file):
                episode, number = int(row['episode_index']), int(row['frame_index'])
                here = f'{file}: episode {episode}, frame {number}'
                follows = (last[0], last[1] + 1) if episode == last[0] else (last[0] + 1, 0)
                if (episode, number) != follows:
                    raise DatasetError(f'{here}, expected episode {follows[0]}, {follows[1]}')
                last, count = (episode, number), count + 1
                yield self._frame(row, here, episode, number, videos)
        if count != info.frames:
            raise DatasetError(
                f'{self.folder}: {count} frames, expected total_frames of {layout.INFO}, '
                f'{info.frames}'
            )

    # -- inside ----------------------------------------------------------------------------------

    def _frame(self, row: dict, here: str, episode: int, number: int, videos: Videos) -> Frame:
        task = self._tasks.get(int(row['task_index']))
        if task is None:
            raise DatasetError(
                f'{here}: task_index is {row["task_index"]}, expected one of {layout.TASKS}, '
                f'{sorted(self._tasks)}'
            )
        images = {}
        for camera in self.info.cameras:
            if self.info.features[camera]['dtype'] == 'video':
                images[camera] = videos.picture(camera, episode, number)
            else:
                images[camera] = _picture(row[camera], f'{here}: {camera}')
        return Frame(
            episode,
            number,
            task,
            images,
            self._vector(row, layout.ACTION, here),
            self._vector(row, layout.STATE, here),
        )

    def _vector(self, row: dict, feature: str, here: str) -> np.ndarray | None:
        if feature not in self.info.features:
            return None
        values = np.array(row[feature], dtype=np.float64).reshape(-1)
        if len(values) != self.info.width(feature) or not np.isfinite(values).all():
            raise DatasetError(
                f'{here}: {feature} is {values.tolist()}, expected {self.info.width(feature)} '
                'finite values'
            )
        return values

    def _data_files(self) -> list[Path]:
        found = []
        for episode in self._episodes:
            where = {k: int(episode[f'data/{k}']) for k in ('chunk_index', 'file_index')}
            file = self.folder / self.info.data_path.format(**where)
            if file not in found:
                found.append(file)
        return found

    def _rows(self, file: Path) -> Iterator[dict]:
        wanted = [*self.info.cameras, layout.ACTION, layout.STATE, *layout.INDEX]
        in_file = [
            name
            for name in wanted
            if name in layout.INDEX
            or (name in self.info.features and self.info.features[name]['dtype'] != 'video')
        ]
        parquet = _open(file)
        missing = sorted(set(in_file) - set(parquet.schema_arrow.names))
        if missing:
            raise DatasetError(f'{file} has no {", ".join(missing)}, expected {in_file}')
        for batch in parquet.iter_batches(BATCH, columns=in_file):
            yield from batch.to_pylist()

    def _read_tasks(self) -> dict[int, str]:
        file = self.folder / layout.TASKS
        rows = _open(file).read().to_pylist()
        # The instruction is the index of a pandas table, which may have no name of its own.
        found = {}
        for row in rows:
            texts = [v for k, v in row.items() if k != 'task_index' and isinstance(v, str)]
            if not isinstance(row.get('task_index'), int) or len(texts) != 1:
                raise DatasetError(f'{file}: a row is {row}, expected task_index and a text')
            found[row['task_index']] = texts[0]
        return found

    def _read_episodes(self) -> list[dict]:
        files = sorted((self.folder / 'meta' / 'episodes').glob('*/*.parquet'))
        if not files:
            raise DatasetError(f'{self.folder / "meta" / "episodes"} has no file, expected one')
        rows: list[dict] = []
        for file in files:
            parquet = _open(file)
            names = [n for n in parquet.schema_arrow.names if not n.startswith('stats/')]
            wanted = {'episode_index', 'data/chunk_index', 'data/file_index'}
            if lacking := sorted(wanted - set(names)):
                raise DatasetError(f'{file} has no {", ".join(lacking)}')
            rows += parquet.read(columns=names).to_pylist()
        if len(rows) != self.info.episodes:
            raise DatasetError(
                f'{self.folder}: {len(rows)} episodes, expected total_episodes of {layout.INFO}, '
                f'{self.info.episodes}'
            )
        return sorted(rows, key=lambda row: row['episode_index'])


def _open(file: Path):
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(file)
    except FileNotFoundError:
        raise DatasetError(f'{file} is missing') from None
    except (OSError, pa.ArrowException) as error:
        raise DatasetError(f'{file} is no parquet file: {error}') from error


def _picture(value: object, here: str) -> np.ndarray:
    import cv2

    data = value.get('bytes') if isinstance(value, dict) else None
    if not data:
        raise DatasetError(f'{here} has no bytes, expected a picture inside the file')
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise DatasetError(f'{here} is no picture: {len(data)} bytes that OpenCV cannot decode')
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
