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

"""Nodes follow one another, and copies of a graph take what they are given."""

import numpy as np
import pytest

from vla_accel_ros.engines.onnx.nodes import Nodes

ir = pytest.importorskip('onnxscript').ir
onnxruntime = pytest.importorskip('onnxruntime')


def value(name):
    return ir.val(name, ir.DataType.FLOAT, ir.Shape([2]))


def run(nodes, given, results):
    graph = ir.Graph(
        given, results, nodes=nodes.made, initializers=nodes.constants, opset_imports={'': 20}
    )
    proto = ir.to_proto(ir.Model(graph, ir_version=10))
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    return session.run(None, {each.name: np.float32([1, 2]) for each in given})


def named(value, name):
    value.name, value.dtype = name, ir.DataType.FLOAT
    return value


def test_nodes_and_constants_make_a_graph():
    nodes, x = Nodes(), value('x')
    one = nodes.constant('one', np.ones(1, np.float32))
    whole = nodes.joined([nodes.add('Add', [x, one]), x], 0)
    first, second = nodes.split('Split', [whole], 2, axis=0, num_outputs=2)
    found = run(nodes, [x], [named(second, 'second'), named(first, 'first')])
    assert [each.tolist() for each in found] == [[1, 2], [2, 3]]


def test_a_copy_joins_what_is_there_with_what_is_not():
    inside, x, rows = Nodes(), value('x'), value('rows')
    grown = inside.joined([rows, x], 0)
    graph = ir.Graph([x, rows], [named(grown, 'grown')], nodes=inside.made, name='inside')
    nodes, given = Nodes(), value('given')
    (once,) = nodes.copy(graph, {x: given, rows: None}, 'one')
    assert once is given and not nodes.made
    (twice,) = nodes.copy(graph, {x: given, rows: once}, 'two')
    assert run(nodes, [given], [named(twice, 'twice')])[0].tolist() == [1, 2, 1, 2]
