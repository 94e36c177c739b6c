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

"""New rows are written where a program was given room for them, and nowhere else."""

import torch

from vla_accel_ros.engines.new_rows import keep


def test_rows_of_a_span_fill_the_end_of_its_room():
    new, room = torch.ones(2, 2, 1, 1, 3, 4), torch.zeros(2, 2, 1, 1, 5, 4)
    keep({'new': new}, {}, {'new': room})
    assert torch.equal(room[..., 2:, :], new) and not room[..., :2, :].any()


def test_rows_of_a_pass_go_behind_what_each_layer_holds():
    new, store = torch.ones(3, 2, 1, 1, 2, 4), torch.zeros(3, 2, 1, 1, 6, 4)
    for held in ((4, 1, 1), None):
        store.zero_()
        keep({'new': new}, {'lengths': torch.tensor([4, 1, 1])}, {'store': store}, held)
        filled = store[:, 0, 0, 0, :, 0].tolist()
        assert filled == [[0, 0, 0, 0, 1, 1], [0, 1, 1, 0, 0, 0], [0, 1, 1, 0, 0, 0]]


def test_without_room_nothing_is_written():
    new = torch.ones(1, 2, 1, 1, 2, 4)
    keep({'new': new}, {'lengths': torch.tensor([0])}, {})
    assert (new == 1).all()
