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

"""A compiled graph is read where its file lies, and outlives it."""

import gc
from pathlib import Path
import subprocess
import sys

import numpy as np
import pytest
import torch

from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.openvino_graph import load
from vla_accel_ros.engines.openvino_options import core, library, properties

WIDTH = 2048
SIZE = 4 * WIDTH**2


@pytest.fixture
def compiled(tmp_path):
    """Give the file of a compiled product with a matrix of 16 MiB, and the matrix."""
    library()
    from openvino import Model, opset13

    matrix = np.random.default_rng(0).normal(size=(WIDTH, WIDTH)).astype(np.float32)
    x = opset13.parameter([-1, WIDTH], np.float32, name='x')
    x.output(0).set_names({'x'})
    graph = Model([opset13.matmul(x, opset13.constant(matrix), False, True)], [x])
    file = tmp_path / 'graph.blob'
    wanted = properties('CPU', 'f32', 0)
    file.write_bytes(core().compile_model(graph, 'CPU', wanted).export_model().getvalue())
    return file, matrix


# Looks up rows of a table, which OpenVINO reads in the file at each call. In a process of its own:
# memory that is gone would end it.
LOOKS_UP = """
import gc, sys
from pathlib import Path
import torch
from vla_accel_ros.engines.openvino_graph import load
from vla_accel_ros.engines.openvino_options import core, library, properties
library()
import numpy as np
from openvino import Model, opset13 as ops

file, wanted = Path(sys.argv[1]), properties('CPU', 'f32', 0)
table = np.random.default_rng(0).normal(size=(65536, 64)).astype(np.float32)
x = ops.parameter([-1], np.int64, name='x')
x.output(0).set_names({'x'})
found = ops.gather(ops.constant(table), x, ops.constant(np.int64(0)))
compiled = core().compile_model(Model([found], [x]), 'CPU', wanted)
file.write_bytes(compiled.export_model().getvalue())
del compiled
graph = load(file, 'CPU', wanted, ('x',), ('y',))
file.unlink()
gc.collect()
rows = torch.arange(0, 65536, 7)
assert torch.equal(graph({'x': rows})['y'], torch.from_numpy(table)[rows])
"""


def loaded(file):
    return load(file, 'CPU', properties('CPU', 'f32', 0), ('x',), ('y',))


def own_memory():
    """Give the bytes of this process that lie in no file."""
    (line,) = [
        line
        for line in Path('/proc/self/status').read_text(encoding='utf-8').splitlines()
        if line.startswith('RssAnon')
    ]
    return 1024 * int(line.split()[1])


def test_only_the_weights_that_openvino_packs_take_memory_of_their_own(compiled):
    file, _ = compiled
    gc.collect()
    before = own_memory()
    graphs = [loaded(file) for _ in range(4)]
    # With the file in memory, too, it would be two copies for each.
    assert own_memory() - before < 1.5 * SIZE * len(graphs)


def test_a_graph_leaves_its_file_as_it_is_and_runs_when_it_is_gone(compiled):
    file, matrix = compiled
    before = file.read_bytes()
    graphs = [loaded(file), loaded(file)]
    x = torch.randn(3, WIDTH)
    wanted = x @ torch.from_numpy(matrix).T
    for graph in graphs:
        torch.testing.assert_close(graph({'x': x})['y'], wanted, rtol=1e-4, atol=1e-3)
    assert file.read_bytes() == before
    subprocess.run([sys.executable, '-c', LOOKS_UP, file], check=True)


@pytest.mark.parametrize('content', [b'', b'x' * 1000])
def test_a_file_that_is_no_graph_is_refused(tmp_path, content):
    file = tmp_path / 'graph.blob'
    file.write_bytes(content)
    with pytest.raises(EngineError, match=r'graph\.blob cannot be read: '):
        loaded(file)
