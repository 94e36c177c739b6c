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

from vla_accel_ros.actions import ActionChunk, Source
from vla_accel_ros.scheduling.chunk_queue import ChunkQueue


def chunk(rows, stamp_ns=7, source=Source.VLA):
    return ActionChunk(np.arange(rows)[:, None] * np.ones(7), stamp_ns, source)


def drained(queue):
    return [queue.pop()[0] for _ in range(len(queue))]


@pytest.mark.parametrize(
    'consumed, rows', [(0, [0, 1, 2, 3]), (1, [1, 2, 3]), (3, [3]), (4, []), (9, [])]
)
def test_the_rows_already_commanded_are_dropped(consumed, rows):
    queue = ChunkQueue()
    assert queue.replace(chunk(4), consumed) == len(rows)
    assert drained(queue) == rows


def test_a_new_chunk_replaces_the_rest_of_the_old():
    queue = ChunkQueue()
    queue.replace(chunk(5), 0)
    queue.pop()
    queue.replace(chunk(3, stamp_ns=8, source=Source.HOLD), 1)
    assert drained(queue) == [1, 2]
    assert queue.stamp_ns == 8
    assert queue.source is Source.HOLD


def test_a_single_row_is_kept_whatever_was_commanded():
    queue = ChunkQueue()
    assert queue.replace(chunk(1), 5) == 1
    assert drained(queue) == [0]


def test_clear_forgets_the_rows():
    queue = ChunkQueue()
    queue.replace(chunk(2), 0)
    queue.clear()
    assert len(queue) == 0
    with pytest.raises(IndexError):
        queue.pop()


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match='consumed is -1, expected at least 0'):
        ChunkQueue().replace(chunk(2), -1)
