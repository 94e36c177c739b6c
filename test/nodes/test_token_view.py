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


"""The view of the dropped tokens."""

import numpy as np

from vla_accel_ros.nodes.token_view import DIMMED, dim_dropped

FRAME = np.full((2 * 14, 14, 3), 200, np.uint8)


def test_what_was_kept_stays_and_what_was_dropped_is_dim():
    # Of two views with 2 x 2 patches of 7 pixels: the first view's top right, all of the second.
    view = dim_dropped(FRAME, np.array([1, 4, 5, 6, 7]), cameras=2, grid=2)
    assert view.shape == FRAME.shape
    assert (view[:7, 7:] == 200).all()
    assert (view[14:] == 200).all()
    assert (view[:7, :7] == 200 * DIMMED).all()
    assert (view[7:14] == 200 * DIMMED).all()
    assert (FRAME == 200).all()


def test_pixels_beyond_the_last_whole_patch_were_never_seen():
    view = dim_dropped(FRAME, np.arange(18), cameras=2, grid=3)
    assert (view[:12, :12] == 200).all()
    assert (view[12:14] == 200 * DIMMED).all()
