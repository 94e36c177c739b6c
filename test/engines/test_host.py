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

"""Many tensors come to the host in one copy, as they were."""

from hypothesis import given
from hypothesis import strategies as st
import pytest
import torch

from vla_accel_ros.engines.host import bring, fetch, pack, unpack

TYPES = (torch.float32, torch.bfloat16, torch.int64, torch.bool, torch.float64)


@given(
    st.lists(
        st.tuples(st.sampled_from(TYPES), st.lists(st.integers(0, 3), max_size=3)),
        min_size=1,
        max_size=6,
    )
)
def test_what_is_packed_is_unpacked_whatever_types_and_shapes_are_mixed(kinds):
    tensors = [(torch.randn(shape) * 9).to(kind) for kind, shape in kinds]
    again = unpack(pack(tensors), tensors)
    assert all(
        a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
        for a, b in zip(tensors, again, strict=True)
    )


def test_parts_of_larger_tensors_are_packed_too():
    whole = torch.arange(24).view(2, 3, 4)
    parts = [whole[:, 1], whole[0, :, ::2].float(), whole.transpose(0, 2)]
    assert all(map(torch.equal, parts, unpack(pack(parts), parts)))


def test_what_is_on_the_host_is_not_copied():
    tensors = [torch.ones(2), torch.zeros(3, dtype=torch.bool)]
    assert all(a is b for a, b in zip(fetch(tensors), tensors, strict=True))


def test_what_stays_on_the_host_is_not_copied():
    tensors = [torch.ones(2), torch.zeros(3, dtype=torch.bool)]
    assert all(map(torch.Tensor.is_set_to, bring(tensors, torch.device('cpu')), tensors))


def test_to_another_device_types_and_shapes_arrive():
    tensors = [torch.ones(2, 3, dtype=torch.bfloat16), torch.zeros(1, 5, dtype=torch.int64)]
    arrived = bring(tensors, torch.device('meta'))
    assert [(each.dtype, each.shape) for each in arrived] == [
        (each.dtype, each.shape) for each in tensors
    ]
    assert all(each.device.type == 'meta' for each in arrived)


@pytest.mark.gpu
def test_what_is_brought_to_a_gpu_is_what_it_was_then():
    tensors = [torch.randn(1, 3, 224, 224), torch.arange(5)]
    before = [tensor.clone() for tensor in tensors]
    arrived = bring(tensors, torch.device('cuda'))
    for tensor in tensors:
        tensor.zero_()
    assert all(map(torch.equal, fetch(arrived), before))
