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


from hypothesis import given
from hypothesis import strategies as st
import pytest

from vla_accel_ros.pruning.buckets import Buckets


def test_counts_of_a_256_token_model_round_up_to_the_default_buckets():
    buckets = Buckets(256)
    assert [buckets.up(n) for n in (1, 32, 33, 64, 65, 129, 193, 256)] == [
        32,
        32,
        48,
        64,
        96,
        192,
        256,
        256,
    ]


def test_buckets_scale_to_the_models_token_count():
    assert Buckets(64).sizes == (8, 12, 16, 24, 32, 48, 64)
    assert Buckets(36).sizes == (5, 7, 9, 14, 18, 27, 36)


def test_two_cameras_share_one_bucket_each_a_half():
    buckets = Buckets(256, cameras=2)
    assert buckets.up(65) == 2 * 48
    assert buckets.up(64) == 2 * 32


def test_more_than_all_tokens_is_all_and_none_is_the_smallest():
    buckets = Buckets(256, cameras=2)
    assert buckets.up(10_000) == 512
    assert buckets.up(0) == 64
    assert Buckets(256, enabled=False).up(0) == 1
    assert Buckets(256, enabled=False).up(300) == 256


def test_disabled_buckets_let_every_count_pass():
    assert Buckets(256, 2, enabled=False).up(77) == 77


def test_no_tokens_is_an_error():
    with pytest.raises(ValueError, match='0 tokens of 1 cameras'):
        Buckets(0)


@given(st.integers(1, 600), st.integers(1, 3), st.integers(0, 2000))
def test_rounding_never_loses_a_token_that_exists_and_is_a_fixed_point(tokens, cameras, count):
    buckets = Buckets(tokens, cameras)
    rounded = buckets.up(count)
    assert min(count, tokens * cameras) <= rounded <= tokens * cameras
    assert buckets.up(rounded) == rounded
    assert rounded // cameras in buckets.sizes and rounded % cameras == 0
