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

"""Whether an ONNX graph computes what its program computes."""

import torch


def agree(graph, program, given, atol=2e-5):
    """Run a graph and its program on the same inputs, and compare all outputs."""
    # Tests that need it are left out where it is not installed.
    import onnxruntime

    session = onnxruntime.InferenceSession(str(graph.path))
    assert [port.name for port in graph.inputs] == list(program.inputs)
    found = session.run(None, {name: given[name].numpy() for name in program.inputs})
    with torch.inference_mode():
        expected = program.run(given, {})
    assert graph.outputs == program.outputs == tuple(expected)
    for name, values in zip(graph.outputs, found, strict=True):
        torch.testing.assert_close(
            torch.from_numpy(values), expected[name], atol=atol, rtol=1e-4, msg=name
        )
