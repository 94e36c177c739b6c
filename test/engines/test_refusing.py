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

"""The mode refuses each thing that a captured graph could not do, and nothing else."""

import pytest
from refusing import RefusedError, Refusing, away
import torch
import torch.nn.functional as F

X = torch.tensor([[1.0, 2.0, 0.0], [0.0, 5.0, 6.0]])
ROWS = torch.tensor([1, 0])
MASK = X > 1

REFUSED = {
    'item': lambda: X.sum().item(),
    '_local_scalar_dense': lambda: torch.ops.aten._local_scalar_dense(X.sum()),
    'float': lambda: float(X.sum()),
    'int': lambda: int(ROWS[0]),
    'index': lambda: [1, 2][ROWS[0]],
    'bool': lambda: bool(MASK.any()),
    'if': lambda: 1 if MASK.all() else 2,
    'is_nonzero': lambda: torch.is_nonzero(ROWS[0]),
    'equal': lambda: torch.equal(X, X),
    'aten_equal': lambda: torch.ops.aten.equal(X, X),
    'allclose': lambda: torch.allclose(X, X),
    'tolist': lambda: X.tolist(),
    'numpy': lambda: X.numpy(),
    'nonzero': lambda: X.nonzero(),
    'where_of_one': lambda: torch.where(MASK),
    'masked_select': lambda: X.masked_select(MASK),
    'mask_index': lambda: X[MASK],
    'mask_index_of_rows': lambda: X[MASK[:, 0]],
    'mask_assignment': lambda: X.clone().index_put_((MASK,), X[0, :1]),
    'unique': lambda: X.unique(),
    'unique_consecutive': lambda: X.unique_consecutive(),
    'repeat_interleave': lambda: X.repeat_interleave(ROWS, 0),
    'bincount': lambda: ROWS.bincount(),
    'cpu': lambda: X.cpu(),
    'to_another_device': lambda: X.to('meta'),
    'copy_from_another_device': lambda: torch.empty(2, 3, device='meta').copy_(X),
    'tensor_of_numbers': lambda: torch.tensor([1.0]),
    'new_tensor': lambda: X.new_tensor([1.0]),
}
TAKEN = {
    'gather': lambda: X[:, ROWS],
    'set_by_places': lambda: X.clone().__setitem__((slice(None), ROWS), 0.0),
    'masked_fill': lambda: X.masked_fill(MASK, 0.0),
    'where': lambda: torch.where(MASK, X, 0.0),
    'sort': lambda: X.sort(stable=True),
    'topk': lambda: X.topk(2),
    'repeat_by_a_number': lambda: X.repeat_interleave(2, 0),
    'attention': lambda: F.scaled_dot_product_attention(X[None], X[None], X[None]),
    'arange': lambda: torch.arange(X.shape[1], device=X.device),
    'other_type': lambda: X.to(torch.bfloat16),
}


@pytest.mark.parametrize('name', REFUSED)
def test_what_no_graph_can_hold_is_refused(name):
    with Refusing(), pytest.raises(RefusedError):
        REFUSED[name]()
    REFUSED[name]()


@pytest.mark.parametrize('name', TAKEN)
def test_what_a_graph_can_hold_is_taken(name):
    with Refusing():
        TAKEN[name]()


@pytest.mark.parametrize(
    'read', [float, bool, torch.Tensor.tolist, torch.Tensor.numpy, torch.Tensor.nonzero]
)
def test_nothing_made_of_a_tensor_on_the_device_can_be_read(read):
    made = (away(X) * 2).sum() + X[0, 0]
    with pytest.raises(RefusedError, match='on the device'):
        read(made)
