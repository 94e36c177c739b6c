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

"""What runs plans of TensorRT; running one needs a GPU, so that only the rows' place is tested."""

import pytest
import torch

from vla_accel_ros.engines.programs.decoder import Pass, Span
from vla_accel_ros.engines.tensorrt_runner import place


@pytest.mark.parametrize('lengths', [[9, 9, 9], [9, 4, 0]])
def test_new_rows_are_placed_as_eager_places_them(lengths, tokens_model):
    language, capacity = tokens_model.language_model, 16
    store = torch.randn(3, 2, 1, 2, capacity, 8)
    given = {
        'tokens': torch.tensor([[5, 7, 11]]),
        'positions': torch.tensor([[20, 21, 22]]),
        'store': store,
        'lengths': torch.tensor(lengths),
    }
    program = Pass(language.model, language.lm_head)
    expected, found = store.clone(), store.clone()
    with torch.inference_mode():
        done = program.run({**given, 'store': expected}, {'store': expected})
        place(done, {**given, 'store': found}, {'store': found})
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_keys_of_a_span_go_to_their_room(tokens_model):
    program = Span(tokens_model.language_model.model, 0, 3)
    given = {'x': torch.randn(1, 6, 32), 'positions': torch.arange(6)}
    room = torch.zeros(3, 2, 1, 2, 10, 8)
    with torch.inference_mode():
        done = program.run(given, {})
        place(done, given, {'new': room[..., :6, :]})
    torch.testing.assert_close(room[..., :6, :], done['new'], rtol=0, atol=0)
    assert not room[..., 6:, :].any()


def test_nothing_is_written_where_no_room_was_given(tokens_model):
    place({'visual': torch.zeros(1)}, {}, {})
