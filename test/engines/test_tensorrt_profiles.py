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

"""Profiles of TensorRT's plans: which sizes they hold, and which one is taken."""

import pytest
import torch

from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.onnx.signature import Port
from vla_accel_ros.engines.tensorrt_profiles import (
    PASS,
    TEXT,
    Limits,
    choose,
    profiles,
    shapes,
    sizes,
)

LIMITS = Limits(visual=256, slots=0, positions=2048)
SPAN = (
    Port('x', torch.float32, (1, 'before', 8)),
    Port('positions', torch.int64, ('tokens',)),
    Port('stay', torch.int64, ('tokens',)),
    Port('rows', torch.int64, ('rows',)),
)
PASSES = (
    Port('tokens', torch.int64, (1, 'count')),
    Port('positions', torch.int64, (1, 'count')),
    Port('lengths', torch.int64, (4,)),
)


def test_a_sequence_has_a_profile_a_share_of_visual_tokens_the_largest_first():
    found = profiles(SPAN, LIMITS)
    assert [profile['tokens'].most for profile in found] == [256 + TEXT, 128 + TEXT, 64 + TEXT]
    assert all(profile['before'].most == 256 + TEXT for profile in found)
    for profile in found:
        for each in profile.values():
            assert 1 <= each.least <= each.usual <= each.most


def test_what_is_no_sequence_has_one_profile_and_what_has_no_free_size_none():
    assert len(profiles(PASSES, LIMITS)) == 1
    assert profiles((Port('pixels', torch.float32, (1, 6, 32, 32)),), LIMITS) == ()


def test_no_sequence_is_longer_than_the_decoder_was_made_for():
    (most, *_) = profiles(SPAN, Limits(visual=256, slots=56, positions=300))
    assert most['tokens'].most == most['before'].most == 300
    assert most['tokens'].usual <= 300


def test_sizes_of_one_name_have_one_range_in_all_inputs():
    (profile,) = profiles(PASSES, LIMITS)
    tokens, positions = shapes(PASSES[0], profile), shapes(PASSES[1], profile)
    assert tokens == positions == ((1, 1), (1, 7), (1, PASS))
    assert shapes(PASSES[2], profile) == ((4,), (4,), (4,))


def bucket(x, stay, rows=1, positions=None):
    shape = (stay,) if positions is None else (positions,)
    return (('x', (1, x, 8)), ('positions', shape), ('stay', (stay,)), ('rows', (rows,)))


@pytest.mark.parametrize(
    ('stay', 'expected'), [(1, 2), (64 + TEXT, 2), (65 + TEXT, 1), (256 + TEXT, 0)]
)
def test_the_narrowest_profile_that_holds_the_sizes_is_taken(stay, expected):
    wanted = sizes(SPAN, bucket(300, stay))
    assert wanted == {'before': 300, 'tokens': stay, 'rows': 1}
    assert choose(profiles(SPAN, LIMITS), wanted) == expected


def test_a_bucket_that_was_not_built_is_refused():
    wanted = sizes(SPAN, bucket(300, 257 + TEXT))
    with pytest.raises(
        EngineError, match=r'^tokens is 385, the plan was built for 1\.\.288\.\.384'
    ):
        choose(profiles(SPAN, LIMITS), wanted)


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        (bucket(30, 20, positions=21), r"stay is \[20\], the graph is for \['tokens'\]"),
        (bucket(30, 20)[:3], 'input rows is missing'),
        ((('x', (2, 30, 8)), *bucket(30, 20)[1:]), r'x is \[2, 30, 8\], the graph is for \[1, '),
        ((('x', (30, 8)), *bucket(30, 20)[1:]), r'x is \[30, 8\], the graph is for'),
    ],
)
def test_shapes_that_are_none_of_the_graphs_are_refused(given, message):
    with pytest.raises(EngineError, match=message):
        sizes(SPAN, given)
