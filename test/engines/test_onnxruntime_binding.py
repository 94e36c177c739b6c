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

"""Tensors bound where they lie give what numpy gives; here on the CPU, as on a GPU."""

import gc

import pytest
import torch

from vla_accel_ros.engines.onnxruntime_binding import run_bound

onnx = pytest.importorskip('onnx')
onnxruntime = pytest.importorskip('onnxruntime')
FLOAT, INT64, BOOL = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64, onnx.TensorProto.BOOL


def session_of(nodes, inputs, outputs):
    """Make a session of nodes `(operator, inputs, output)`, of inputs and outputs by type."""
    make = onnx.helper
    graph = make.make_graph(
        [make.make_node(kind, names, [output]) for kind, names, output in nodes],
        'graph',
        [make.make_tensor_value_info(*each) for each in inputs],
        [make.make_tensor_value_info(name, kind, None) for name, kind in outputs],
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid('', 20)], ir_version=10)
    return onnxruntime.InferenceSession(
        model.SerializeToString(), providers=['CPUExecutionProvider']
    )


@pytest.fixture(scope='module')
def session():
    return session_of(
        [
            ('Where', ['mask', 'x', 'y'], 'chosen'),
            ('Not', ['mask'], 'rest'),
            ('Add', ['n', 'n'], 'm'),
        ],
        [
            ('mask', BOOL, ['a', 'b']),
            ('x', FLOAT, ['a', 'b']),
            ('y', FLOAT, []),
            ('n', INT64, ['c']),
        ],
        [('chosen', FLOAT), ('rest', BOOL), ('m', INT64)],
    )


def given(rows, columns):
    x = torch.randn(columns, rows, generator=torch.Generator().manual_seed(0)).T
    return {'mask': x > 0, 'x': x, 'y': torch.tensor(7.0), 'n': torch.arange(2 * rows)[::2]}


@pytest.mark.parametrize(('rows', 'columns'), [(3, 4), (1, 1), (0, 4), (3, 0)])
def test_each_type_and_layout_gives_what_numpy_gives(session, rows, columns):
    tensors = given(rows, columns)
    expected = session.run(None, {name: each.numpy() for name, each in tensors.items()})
    found = run_bound(session, tensors)
    for one, other in zip(found, map(torch.from_numpy, expected), strict=True):
        assert one.dtype == other.dtype and torch.equal(one, other)
    assert [each.dtype for each in found] == [torch.float32, torch.bool, torch.int64]


def test_inputs_stay_as_they_are_and_may_want_gradients(session):
    tensors = given(3, 4) | {'x': torch.ones(3, 4, requires_grad=True)}
    before = {name: each.clone() for name, each in tensors.items()}
    chosen = run_bound(session, tensors)[0]
    assert not chosen.requires_grad
    assert all(torch.equal(tensors[name], each) for name, each in before.items())


def test_outputs_outlive_the_next_run_and_the_session():
    session = session_of([('Neg', ['x'], 'y')], [('x', FLOAT, ['a'])], [('y', FLOAT)])
    x = torch.arange(100_000.0)
    kept = run_bound(session, {'x': x})[0]
    run_bound(session, {'x': x + 1})
    del session
    gc.collect()
    assert torch.equal(kept, -x)
    kept += 1
    assert torch.equal(kept, 1 - x)


def test_a_graph_that_gives_its_input_does_not_give_its_memory():
    session = session_of([('Identity', ['x'], 'y')], [('x', FLOAT, ['a'])], [('y', FLOAT)])
    x = torch.zeros(4)
    run_bound(session, {'x': x})[0].fill_(1)
    assert not x.any()


@pytest.mark.parametrize(
    'wrong', [{'x': torch.zeros(3, 4, dtype=torch.float64)}, {'x': torch.zeros(3, 4, 1)}]
)
def test_what_does_not_fit_is_an_error(session, wrong):
    with pytest.raises(Exception, match=r'(?i)invalid|unexpected'):
        run_bound(session, given(3, 4) | wrong)
