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

"""A graph of an ONNX that nobody here knows yet."""

import onnx

OPERATOR, OPSET = 'OperatorOfTheFuture', 99


def write_later(path):
    """Write a graph of one unknown operator to a file, and return the file."""
    value = onnx.helper.make_tensor_value_info('x', onnx.TensorProto.FLOAT, [2])
    out = onnx.helper.make_tensor_value_info('y', onnx.TensorProto.FLOAT, [2])
    node = onnx.helper.make_node(OPERATOR, ['x'], ['y'])
    graph = onnx.helper.make_graph([node], 'later', [value], [out])
    opset = onnx.helper.make_opsetid('', OPSET)
    made = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=10)
    path.write_bytes(made.SerializeToString())
    return path
