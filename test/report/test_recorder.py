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

import numpy as np
import pytest

from vla_accel_ros.report.moments import Camera, Step
from vla_accel_ros.report.recorder import Recorder

CAMERAS = (Camera('agent', 4, 4), Camera('wrist', 2, 8))
IMAGES = [np.full((16, 16, 3), 90, np.uint8)] * 2


def add(recorder, frame, error=None, method='none', episode='one'):
    recorder.add_frame(frame, IMAGES)
    recorder.add_step(frame, method, Step(frame * 0.1, 'deliberative', error=error), episode)


def frames_of(shown, method='none'):
    return [
        round(step.time_s * 10)
        for episode in shown.episodes
        for step in episode.traces[method].steps
    ]


@pytest.fixture
def recorder(tmp_path):
    made = Recorder(tmp_path / 'moments.sqlite', CAMERAS, most=20)
    yield made
    made.close()


def test_every_frame_is_shown_up_to_the_limit(recorder):
    for frame in range(20):
        add(recorder, frame, error=1.0)
    assert frames_of(recorder.shown()) == list(range(20))
    assert recorder.shown().sampling == ''


def test_beyond_the_limit_frames_are_spread_evenly_and_the_worst_are_among_them(recorder):
    worst = {777, 1301}
    for frame in range(2000):
        add(recorder, frame, error=50.0 if frame in worst else 1.0 / (1 + frame))
    shown = recorder.shown()
    frames = frames_of(shown)
    assert worst <= set(frames)
    assert len(frames) == len(shown.pictures) <= 22
    even = np.array([frame for frame in frames if frame % 128 == 0])
    assert len(even) == 16
    assert '2000 frames' in shown.sampling


def test_the_file_stays_small_however_long_the_recording(tmp_path):
    sizes = []
    for many in (300, 3000):
        file = tmp_path / f'{many}.sqlite'
        recorder = Recorder(file, CAMERAS, most=20)
        for frame in range(many):
            recorder.add_frame(frame, IMAGES)
        recorder.close()
        sizes.append(file.stat().st_size)
    assert sizes[1] < 2 * sizes[0]


def test_steps_come_back_as_they_were(recorder):
    kept = (np.array([0, 5, 15]), np.array([7]))
    step = Step(0.25, 'verified', 'slow', 0.12, 0.125, 9.5, 1.75, kept)
    recorder.add_frame(0, IMAGES)
    recorder.add_step(0, 'fast', step, 'seed 3', 'pick up <the> cube')
    (episode,) = recorder.shown().episodes
    assert (episode.name, episode.instruction) == ('seed 3', 'pick up <the> cube')
    trace = episode.traces['fast']
    (back,) = trace.steps
    for name in ('time_s', 'kind', 'reason', 'speed', 'keep_ratio', 'latency_ms', 'error'):
        assert getattr(back, name) == getattr(step, name)
    assert [ids.tolist() for ids in back.kept] == [ids.tolist() for ids in kept]


def test_a_camera_without_tokens_comes_back_without_any(tmp_path):
    cameras = (Camera('scene'), Camera('agent', 4, 4))
    recorder = Recorder(tmp_path / 'moments.sqlite', cameras)
    recorder.add_frame(0, IMAGES)
    kept = (np.array([], int), np.array([3]))
    recorder.add_step(0, 'none', Step(0.0, 'deliberative', kept=kept), 'one')
    (step,) = recorder.shown().episodes[0].traces['none'].steps
    recorder.close()
    assert [ids.tolist() for ids in step.kept] == [[], [3]]


def test_methods_share_a_picture_whether_side_by_side_or_one_after_the_other(recorder):
    for method in ('none', 'fast'):
        for frame in range(10):
            add(recorder, frame, 0.5, method)
    shown = recorder.shown()
    traces = shown.episodes[0].traces
    assert len(shown.pictures) == 10
    assert traces['none'].pictures == traces['fast'].pictures == tuple(range(10))


def test_it_goes_on_where_it_was_left(tmp_path):
    file = tmp_path / 'moments.sqlite'
    for part in (range(300), range(300, 600)):
        recorder = Recorder(file, CAMERAS, most=20)
        for frame in part:
            add(recorder, frame, error=float(frame == 123))
        recorder.close()
    split = Recorder(file, CAMERAS, most=20).shown()
    whole = Recorder(tmp_path / 'whole.sqlite', CAMERAS, most=20)
    for frame in range(600):
        add(whole, frame, error=float(frame == 123))
    assert 123 in frames_of(split)
    assert {f for f in frames_of(split) if f % 32 == 0} == {
        f for f in frames_of(whole.shown()) if f % 32 == 0
    }


def test_bad_input_is_named(recorder, tmp_path):
    with pytest.raises(ValueError, match='frame 3 has 1 views, expected 2'):
        recorder.add_frame(3, IMAGES[:1])
    with pytest.raises(ValueError, match="token 16 of camera 'agent'"):
        recorder.add_step(0, 'none', Step(0.0, 'x', kept=(np.array([16]), np.array([0]))), 'e')
    with pytest.raises(ValueError, match='at most 0 frames'):
        Recorder(tmp_path / 'none.sqlite', CAMERAS, most=0)
