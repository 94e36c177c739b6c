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

"""LeRobot datasets: written and read again, atomic, and named when they are bad."""

import json

import cv2
import numpy as np
import pyarrow as pa
from pyarrow import parquet
import pytest

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.replay.lerobot import film, layout
from vla_accel_ros.replay.lerobot.layout import DatasetError
from vla_accel_ros.replay.lerobot.reader import Dataset
from vla_accel_ros.replay.lerobot.writer import DatasetWriter

VECTORS = {layout.ACTION: END_EFFECTOR.names, layout.STATE: ('shoulder', 'elbow')}
TASKS = ('pick up the red cube', 'push the block')


def made(path, episodes=2, length=3):
    """Write a dataset; return what went in."""
    rng, frames = np.random.default_rng(0), []
    with DatasetWriter(path, 20, {'main': (4, 6, 3)}, VECTORS, 'arm') as writer:
        for episode in range(episodes):
            for number in range(length):
                image = rng.integers(0, 256, (4, 6, 3), np.uint8)
                action = rng.uniform(-0.05, 0.05, 7).astype(np.float32)
                state = rng.uniform(-1, 1, 2).astype(np.float32)
                frames.append((episode, number, image, action, state))
                vectors = {layout.ACTION: action, layout.STATE: state}
                writer.frame({'main': image}, vectors, TASKS[episode % 2])
            writer.end_episode()
    return frames


@pytest.fixture
def folder(tmp_path):
    made(tmp_path / 'data')
    return tmp_path / 'data'


def info(folder, **changes):
    file = folder / layout.INFO
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def read(folder):
    return list(Dataset(folder).frames())


def test_what_is_written_is_read_again_to_the_bit(tmp_path):
    frames = made(tmp_path / 'data')
    found = read(tmp_path / 'data')
    assert len(found) == len(frames)
    for frame, (episode, number, image, action, state) in zip(found, frames, strict=True):
        assert (frame.episode, frame.number, frame.task) == (episode, number, TASKS[episode % 2])
        np.testing.assert_array_equal(frame.images['observation.images.main'], image)
        np.testing.assert_array_equal(frame.action, action)
        np.testing.assert_array_equal(frame.state, state)


def filmed(path, shape=(32, 48, 3), fps=20):
    """Write two episodes with a video; return its pictures, each of one grey."""
    pictures = [np.full(shape, 10 + 20 * k, np.uint8) for k in range(6)]
    with DatasetWriter(path, fps, {'main': shape}, VECTORS, video=True) as writer:
        for k, picture in enumerate(pictures):
            vectors = {layout.ACTION: np.full(7, k), layout.STATE: np.full(2, k)}
            writer.frame({'main': picture}, vectors, TASKS[k // 3])
            if k % 3 == 2:
                writer.end_episode()
    return pictures


def test_pictures_that_are_written_as_a_video_are_read_again_frame_by_frame(tmp_path):
    pictures = filmed(tmp_path / 'data')
    found = read(tmp_path / 'data')
    assert [f.action[0] for f in found] == list(range(6))
    for frame, picture in zip(found, pictures, strict=True):
        seen = frame.images['observation.images.main']
        assert seen.shape == picture.shape
        assert np.abs(seen.astype(int) - picture).max() <= 4
    facts = json.loads((tmp_path / 'data' / layout.INFO).read_text())
    assert facts['features']['observation.images.main']['dtype'] == 'video'
    rows = parquet.read_table(tmp_path / 'data/meta/episodes/chunk-000/file-000.parquet')
    begins = rows['videos/observation.images.main/from_timestamp'].to_pylist()
    assert begins == pytest.approx([0.0, 0.15])


def test_a_video_that_is_cut_off_is_named(tmp_path):
    filmed(tmp_path / 'data')
    (file,) = (tmp_path / 'data').rglob('*.mp4')
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(DatasetError, match=r'file-000\.mp4 gives 0 frames'):
        read(tmp_path / 'data')


def test_pictures_of_a_size_that_no_video_has_leave_no_dataset(tmp_path):
    with pytest.raises(DatasetError, match='pictures of 7x4, expected even numbers'):
        filmed(tmp_path / 'data', (4, 7, 3))
    assert list(tmp_path.iterdir()) == []


def test_a_video_that_cannot_be_written_is_named_and_leaves_no_dataset(tmp_path, monkeypatch):
    monkeypatch.setattr(film, 'CODEC', 'no_such_codec')
    with pytest.raises(DatasetError, match=r'^file-000\.mp4: ffmpeg ended with \d+: .*no_such_co'):
        filmed(tmp_path / 'data')
    assert list(tmp_path.iterdir()) == []


def test_a_rate_that_is_no_whole_number_keeps_pictures_at_their_frames(tmp_path):
    filmed(tmp_path / 'data', fps=100 / 3)
    (file,) = (each for each in (tmp_path / 'data/videos').rglob('*') if each.is_file())
    assert cv2.VideoCapture(str(file)).get(cv2.CAP_PROP_FPS) == pytest.approx(100 / 3, abs=1e-6)


def test_the_files_are_those_of_version_3(folder):
    files = sorted(str(f.relative_to(folder)) for f in folder.rglob('*') if f.is_file())
    assert files == [
        'data/chunk-000/file-000.parquet',
        'meta/episodes/chunk-000/file-000.parquet',
        'meta/info.json',
        'meta/stats.json',
        'meta/tasks.parquet',
    ]
    facts = json.loads((folder / layout.INFO).read_text())
    assert (facts['codebase_version'], facts['fps']) == ('v3.0', 20)
    assert (facts['total_episodes'], facts['total_frames'], facts['total_tasks']) == (2, 6, 2)
    assert facts['splits'] == {'train': '0:2'}
    assert facts['features']['action']['names'] == list(END_EFFECTOR.names)
    tasks = parquet.read_table(folder / layout.TASKS)
    assert json.loads(tasks.schema.metadata[b'pandas'])['index_columns'] == ['task']
    rows = parquet.read_table(folder / 'meta/episodes/chunk-000/file-000.parquet').to_pylist()
    assert [(r['dataset_from_index'], r['dataset_to_index'], r['tasks']) for r in rows] == [
        (0, 3, [TASKS[0]]),
        (3, 6, [TASKS[1]]),
    ]
    data = parquet.read_table(folder / 'data/chunk-000/file-000.parquet')
    assert data['index'].to_pylist() == list(range(6))
    assert data['timestamp'].to_pylist() == pytest.approx([0, 0.05, 0.1] * 2)


def test_statistics_are_those_of_the_frames(tmp_path):
    frames = made(tmp_path / 'data')
    stats = json.loads((tmp_path / 'data' / layout.STATS).read_text())
    actions = np.array([f[3] for f in frames], dtype=float)
    for name, values in (
        ('min', actions.min(0)),
        ('max', actions.max(0)),
        ('mean', actions.mean(0)),
        ('std', actions.std(0)),
    ):
        assert stats['action'][name] == pytest.approx(values.tolist(), abs=1e-9)
    images = np.array([f[2] for f in frames]) / 255
    found = stats['observation.images.main']
    assert np.shape(found['mean']) == (3, 1, 1)
    assert np.ravel(found['mean']) == pytest.approx(images.mean((0, 1, 2)))
    assert found['count'] == [6]


@pytest.mark.parametrize('what', ['nan', 'width', 'picture', 'interrupted', 'empty'])
def test_a_dataset_is_whole_or_not_there(tmp_path, what):
    image, action = np.zeros((4, 6, 3), np.uint8), np.zeros(7)
    vectors = {layout.ACTION: action, layout.STATE: np.zeros(2)}
    expected = {'nan': 'nan', 'width': '7 finite', 'picture': r'\[5, 6, 3\]', 'empty': 'no frame'}

    def write():
        with DatasetWriter(tmp_path / 'data', 20, {'main': (4, 6, 3)}, VECTORS) as writer:
            if what == 'empty':
                return
            writer.frame({'main': image}, vectors, 'x')
            if what == 'interrupted':
                raise KeyboardInterrupt
            bad = {'nan': [np.nan, *action[1:]], 'width': action[:6]}.get(what, action)
            wrong = np.zeros((5, 6, 3), np.uint8) if what == 'picture' else image
            writer.frame({'main': wrong}, {**vectors, layout.ACTION: bad}, 'x')

    if what == 'interrupted':
        with pytest.raises(KeyboardInterrupt):
            write()
    else:
        with pytest.raises(DatasetError, match=expected[what]):
            write()
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_is_not_replaced(folder):
    with pytest.raises(FileExistsError, match='is there already'):
        made(folder)
    assert len(read(folder)) == 6


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({'codebase_version': 'v2.1'}, "codebase_version is 'v2.1', expected 'v3.0'"),
        ({'fps': 0}, 'fps is 0, expected a number'),
        ({'total_frames': 7}, '6 frames, expected total_frames'),
        ({'total_episodes': 3}, '2 episodes, expected total_episodes'),
        ({'features': {}}, 'no feature is an image or a video'),
        ({'features': {'action': 7}}, "the feature 'action' is 7"),
        ({'data_path': '../x'}, 'expected a path below the dataset'),
        ({'data_path': 'data/{x}'}, 'expected a pattern with chunk_index'),
        ({'data_path': 'data/{chunk_index:q}'}, 'expected a pattern with chunk_index'),
    ],
)
def test_a_bad_description_is_named_with_its_value(folder, changes, said):
    info(folder, **changes)
    with pytest.raises(DatasetError, match=said):
        read(folder)


@pytest.mark.parametrize(
    'file', [layout.TASKS, 'data/chunk-000/file-000.parquet', layout.INFO], ids=lambda f: f[:6]
)
def test_a_file_that_is_missing_or_damaged_is_named(folder, file):
    (folder / file).write_bytes(b'no such thing')
    with pytest.raises(DatasetError, match=file.rpartition('/')[2]):
        read(folder)
    (folder / file).unlink()
    with pytest.raises(DatasetError, match='is missing'):
        read(folder)


@pytest.mark.parametrize(
    ('column', 'values', 'said'),
    [
        ('task_index', [9] * 6, 'task_index is 9, expected one of'),
        ('frame_index', [0, 2, 1, 0, 1, 2], 'frame 2, expected episode 0, 1'),
        ('action', [[float('nan')] * 7] * 6, 'action is .*nan.*, expected 7 finite'),
        ('observation.images.main', [{'bytes': b'x', 'path': ''}] * 6, 'is no picture: 1 bytes'),
        ('observation.state', None, 'has no observation.state'),
    ],
)
def test_a_bad_column_is_named(folder, column, values, said):
    file = folder / 'data/chunk-000/file-000.parquet'
    table = parquet.read_table(file)
    at, field = table.schema.get_field_index(column), table.schema.field(column)
    if values is None:
        table = table.remove_column(at)
    else:
        table = table.set_column(at, field, pa.array(values, field.type))
    parquet.write_table(table, file)
    with pytest.raises(DatasetError, match=said):
        read(folder)
