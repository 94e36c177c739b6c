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

"""A chunk is filled from its own seeds, and never with too little in silence."""

import numpy as np
import pytest

from vla_accel_ros.sim.scene import COLOURS
from vla_accel_ros.training.chunks import chunk_seeds, fill_chunk
from vla_accel_ros.training.frames import Frames, FrameSpec


@pytest.fixture
def frames(tmp_path):
    return Frames.create(tmp_path, FrameSpec(10, 16, ('agent',), COLOURS, ('lift',), 4))


def test_no_two_chunks_share_a_seed():
    assert chunk_seeds(1000, 0).stop <= chunk_seeds(1000, 1).start
    with pytest.raises(ValueError, match='not all for training'):
        chunk_seeds(999_000, 2)


@pytest.mark.parametrize(('chunk', 'span'), [(0, slice(0, 4)), (2, slice(8, 10))])
def test_episodes_follow_each_other_until_the_chunk_is_whole(frames, chunk, span):
    begun = []

    def episode(seed):
        begun.append(seed)
        for _ in range(3):
            yield {'width': np.float32(seed)}

    fill_chunk(frames, chunk, 1000, episode)
    first = 1000 + 500 * chunk
    expected = [first] * 3 + [first + 1]
    assert frames.arrays['width'][span].tolist() == expected[: span.stop - span.start]
    assert np.flatnonzero(frames.done).tolist() == [chunk]
    assert np.count_nonzero(frames.arrays['width']) == span.stop - span.start
    assert begun == sorted({*frames.arrays['width'][span].astype(int)})


def test_episodes_that_give_too_little_are_an_error(frames):
    def episode(seed):
        if seed == 1007:
            yield {'width': np.float32(1)}

    with pytest.raises(ValueError, match='500 episodes gave 1 frames, expected 4'):
        fill_chunk(frames, 0, 1000, episode)
    assert not frames.done.any()
