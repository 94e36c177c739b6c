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

"""No jerk where one chunk takes over from another: on recorded chunks, and on any."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
import numpy as np
import pytest
from scheduler_steps import MS, STEP, frame, scheduler, stamp_of

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.actions import ActionChunk
from vla_accel_ros.scheduling.chunk_queue import ChunkQueue
from vla_accel_ros.scheduling.decision import Kind
from vla_accel_ros.scheduling.seam import FADE, LIMIT, Seam, ease, fade, largest_changes

FILE = Path(__file__).parents[1] / 'fixtures/expert_chunks.npz'
RECORDED = np.load(FILE)['chunks'].astype(float)
FREE = 1.0
TIGHT = {'seam_translation': 0.001, 'seam_rotation': 0.004}


def changes(before, after):
    return tuple(part.norm((after - before)[part.columns]) for part in END_EFFECTOR.parts)


class Played:
    """An episode in which a VLA of constant latency answers with chunks.

    Attributes:
        sent: For each step its action, None where none was sent.
        rows: For each action out of a chunk: its step, the chunk's and the row's number.
        bounds: For each step, the largest change inside the old and the new chunk.
        late: Rows dropped by each answer.
    """

    def __init__(self, chunks, latency, **options):
        one = scheduler(rule='never', max_chunk_age_s=10.0, bridge='hold', **options)
        self.sent, self.rows, self.bounds, self.late = {}, [], {}, []
        asked = current = previous = None
        for step in range(len(chunks)):
            decision = frame(one, step)
            if decision.request is not None:
                asked = step
            self.note(step, decision, current, previous, chunks)
            if asked is not None and step == asked + latency:
                chunk = ActionChunk(chunks[asked], stamp_of(asked))
                decision = one.on_answer(chunk, step * STEP + 25 * MS)
                if decision.kind is not Kind.DISCARDED:
                    previous, current = current, asked
                    self.late.append(decision.consumed)
                    self.note(step, decision, current, previous, chunks)
                asked = None

    def note(self, step, decision, current, previous, chunks):
        if decision.action is None:
            return
        assert step not in self.sent
        self.sent[step] = decision.action.values
        if decision.kind is not Kind.BRIDGED:
            self.rows.append((step, current, sum(s >= current for s in self.sent) - 1))
        if current is not None:
            old = chunks[current if previous is None else previous]
            self.bounds[step] = np.maximum(
                largest_changes(old, END_EFFECTOR), largest_changes(chunks[current], END_EFFECTOR)
            )

    def excess(self):
        """Give by how much any change between two steps is above what is inside the chunks."""
        pairs = [
            (s, changes(self.sent[s - 1], self.sent[s]) - self.bounds[s])
            for s in self.sent
            if s - 1 in self.sent and s in self.bounds
        ]
        return np.max([beyond for _, beyond in pairs], axis=0)


@pytest.mark.parametrize('prefetch_rows', [0, 3, 8])
@pytest.mark.parametrize('latency', range(7))
def test_no_seam_of_recorded_chunks_is_above_the_largest_step_inside_them_and_the_limit(
    latency, prefetch_rows
):
    played = Played(RECORDED, latency, prefetch_rows=prefetch_rows, max_bridge_steps=8, **TIGHT)
    translation, rotation = played.excess()
    assert translation <= TIGHT['seam_translation'] + 1e-9
    assert rotation <= TIGHT['seam_rotation'] + 1e-9
    assert len(played.late) > 5


@pytest.mark.parametrize('prefetch_rows', [0, 3, 8])
@pytest.mark.parametrize('latency', range(7))
def test_the_row_sent_is_as_many_as_actions_were_commanded_since_its_observation(
    latency, prefetch_rows
):
    played = Played(
        RECORDED,
        latency,
        prefetch_rows=prefetch_rows,
        max_bridge_steps=8,
        seam_translation=FREE,
        seam_rotation=FREE,
    )
    assert played.rows
    for step, asked, row in played.rows:
        np.testing.assert_array_equal(played.sent[step], RECORDED[asked][row])
    if prefetch_rows == 8:
        assert set(played.late[1:]) == {latency + 1}


def test_late_answers_taken_from_their_first_row_would_jump():
    # Why consumed rows are dropped: what the same answers do when they are not.
    late = 5
    dropped, afresh = [], []
    for asked in range(1, len(RECORDED)):
        old, new = RECORDED[asked - 1], RECORDED[asked]
        inside = np.maximum(largest_changes(old, END_EFFECTOR), largest_changes(new, END_EFFECTOR))
        last = old[late]
        dropped.append(changes(last, new[late]) - inside)
        afresh.append(changes(last, new[0]) - inside)
    assert np.max(afresh, axis=0)[0] > 3 * np.max(dropped, axis=0)[0]


actions = arrays(np.float64, (8, 7), elements=st.floats(-0.05, 0.05))


@settings(max_examples=60, deadline=None)
@given(st.lists(actions, min_size=12, max_size=12), st.integers(0, 6), st.integers(0, 8))
def test_no_seam_of_any_chunks_is_above_the_bound(chunks, latency, prefetch_rows):
    played = Played(np.array(chunks), latency, prefetch_rows=prefetch_rows, **TIGHT)
    if len(played.sent) > 1 and played.bounds:
        translation, rotation = played.excess()
        assert translation <= TIGHT['seam_translation'] + 1e-9
        assert rotation <= TIGHT['seam_rotation'] + 1e-9


def chunk(*forward, gripper=0.0):
    rows = np.zeros((len(forward), 7))
    rows[:, 0], rows[:, 6] = forward, gripper
    return ActionChunk(rows)


def joined(old, new, last, limit, consumed=0):
    queue = ChunkQueue()
    queue.replace(old, 0)
    queue.replace(new, consumed, np.array([last, 0, 0, 0, 0, 0, 0.0]), Seam(LIMIT, limit, limit))
    return [round(float(queue.pop()[0]), 9) for _ in range(len(queue))]


def test_a_jump_is_spread_over_as_many_rows_as_it_needs_and_the_rest_is_as_it_was():
    old, new = chunk(0.0, 0.001, 0.002), chunk(0.01, 0.01, 0.01, 0.01, 0.01)
    assert joined(old, new, 0.002, 0.002) == [0.005, 0.008, 0.01, 0.01, 0.01]


def test_a_seam_within_the_bound_is_left_alone():
    old, new = chunk(0.0, 0.004), chunk(0.01, 0.012)
    assert joined(old, new, 0.004, 0.002) == [0.01, 0.012]
    rows = np.zeros((3, 7))
    assert ease(np.zeros(7), rows, (0.0, 0.0), END_EFFECTOR) is rows


def test_the_gripper_is_never_eased():
    queue = ChunkQueue()
    queue.replace(chunk(0.0, 0.0), 0)
    queue.replace(chunk(0.1, 0.1, gripper=1.0), 0, np.zeros(7), Seam(LIMIT, 0.001, 0.001))
    assert [queue.pop()[6] for _ in range(2)] == [1.0, 1.0]


@pytest.mark.parametrize('old', [None, chunk(0.5)])
def test_the_first_chunk_and_one_after_a_single_action_begin_as_they_are(old):
    queue = ChunkQueue()
    if old is not None:
        queue.replace(old, 0)
    queue.replace(chunk(0.2, 0.2), 0, np.zeros(7), Seam(LIMIT))
    assert queue.pop()[0] == 0.2


def test_single_actions_are_never_eased():
    queue = ChunkQueue()
    queue.replace(chunk(0.0, 0.0), 0)
    queue.replace(chunk(0.3), 4, np.zeros(7), Seam(LIMIT))
    assert queue.pop()[0] == 0.3


def test_after_a_pause_the_arm_is_at_rest_and_nothing_is_eased():
    chunks = np.zeros((20, 3, 7))
    chunks[0, :, 0], chunks[4:, :, 0] = 0.03, 0.001
    one = scheduler(rule='never', **TIGHT)
    for step in range(3):
        frame(one, step)
        if step == 0:
            one.on_answer(ActionChunk(chunks[0], stamp_of(0)), 25 * MS)
    assert frame(one, 3).request is not None
    # Nothing is sent in steps 3 to 5, for the answer is late and nothing bridges.
    assert frame(one, 4).action is None
    assert frame(one, 5).action is None
    decision = one.on_answer(ActionChunk(chunks[4], stamp_of(3)), 5 * STEP + 25 * MS)
    assert decision.action.values[0] == 0.001


def test_a_reset_in_mid_chunk_drops_what_is_left_and_the_next_chunk_begins_as_it_is():
    one = scheduler(rule='never', **TIGHT)
    frame(one, 0)
    one.on_answer(ActionChunk(np.full((8, 7), 0.03), stamp_of(0)), 25 * MS)
    assert frame(one, 1).queued == 6
    one.reset()
    decision = frame(one, 2)
    assert (decision.action, decision.queued) == (None, 0)
    assert decision.request.last_action is None
    rows = np.full((8, 7), 0.001)
    decision = one.on_answer(ActionChunk(rows, stamp_of(2)), 2 * STEP + 25 * MS)
    np.testing.assert_array_equal(decision.action.values, rows[0])


def test_what_is_between_two_chunks_fades_out_row_by_row():
    last, rows = np.full(7, 0.04), np.zeros((5, 7))
    faded = fade(last, rows, 3, END_EFFECTOR)
    np.testing.assert_allclose(faded[:, 0], [0.03, 0.02, 0.01, 0, 0])
    assert not faded[:, 6].any()
    assert not rows.any()


@pytest.mark.parametrize('left', range(4))
def test_a_chunk_that_ends_before_a_seam_has_faded_out_is_taken_as_far_as_it_goes(left):
    faded = fade(np.full(7, 0.04), np.zeros((left, 7)), 3, END_EFFECTOR)
    np.testing.assert_allclose(faded[:, 0], [0.03, 0.02, 0.01][:left])


@pytest.mark.parametrize(
    'options, expected',
    [
        ({'seam': 'none'}, 0.04),
        ({'seam': FADE, 'seam_rows': 3}, 0.01),
        ({'seam': LIMIT, 'seam_translation': 0.002}, 0.002),
    ],
)
def test_the_seam_is_what_the_settings_say(options, expected):
    one = scheduler(rule='never', execute='fixed', execute_rows=1, **options)
    frame(one, 0)
    one.on_answer(ActionChunk(np.zeros((8, 7)), stamp_of(0)), 25 * MS)
    assert frame(one, 1).request is not None
    rows = np.zeros((8, 7))
    rows[:, 0] = 0.04
    one.on_answer(ActionChunk(rows, stamp_of(1)), STEP + 25 * MS)
    assert frame(one, 2).action.values[0] == pytest.approx(expected)
