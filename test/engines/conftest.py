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

"""What the tests of engines share: graphs above all, for making one takes a second or two."""

from dataclasses import replace
import os
from pathlib import Path
import sys

import pytest
from tiny_models import SLOTS, TOKENS, tiny_model

from vla_accel_ros.engines.onnx.graphs import Graphs
from vla_accel_ros.engines.store import Store
from vla_accel_ros.engines.tensorrt_modules import installed
from vla_accel_ros.engines.tensorrt_package import find

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope='session')
def graph_store(tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    # Workers of one run share it: what one of them exports the others only read.
    shared = base.parent if 'PYTEST_XDIST_WORKER' in os.environ else base
    return Store(shared / 'engines')


@pytest.fixture(scope='session')
def tokens_model():
    return tiny_model(TOKENS)


@pytest.fixture(scope='session')
def slots_model():
    return tiny_model(SLOTS)


@pytest.fixture(scope='session')
def wide_model():
    """Give a model whose heads are wide enough for the operators of ONNX Runtime."""
    return tiny_model(replace(TOKENS, decoder=replace(TOKENS.decoder, width=64)))


@pytest.fixture(scope='session')
def tokens_graphs(tokens_model, graph_store):
    return Graphs(tokens_model, graph_store)


@pytest.fixture(scope='session')
def slots_graphs(slots_model, graph_store):
    return Graphs(slots_model, graph_store)


@pytest.fixture(scope='session')
def trt():
    """Give TensorRT's package; where it is to be there, its absence is an error."""
    if not installed() and os.environ.get('CI') != 'true':
        pytest.skip('no package of TensorRT is installed: pip install tensorrt-rtx-cu13-bindings')
    return find()


@pytest.fixture(scope='session')
def rtx(trt):
    """Give TensorRT for RTX, which builds without a GPU; TensorRT's place comes before it."""
    if not trt.rtx:
        pytest.skip(f'{trt.title} builds only for the GPU that is there')
    return trt
