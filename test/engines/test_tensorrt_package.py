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

"""TensorRT's package: found, and its errors told in one line."""

import importlib
import sys
from types import ModuleType

import pytest
import torch

from vla_accel_ros.engines import tensorrt_modules, tensorrt_package
from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.tensorrt_modules import installed
from vla_accel_ros.engines.tensorrt_package import Card, find


@pytest.fixture
def only(monkeypatch):
    """Give what has one module, made of nothing, be the only package of TensorRT."""

    def set_up(name, **contents):
        module = ModuleType(name)
        module.__dict__.update(contents)
        monkeypatch.setattr(tensorrt_modules, 'MODULES', (name,))
        monkeypatch.setattr(tensorrt_modules, 'find_spec', lambda each: each == name or None)
        monkeypatch.setitem(sys.modules, name, module)

    return set_up


def test_none_is_installed(monkeypatch):
    monkeypatch.setattr(tensorrt_modules, 'find_spec', lambda name: None)
    assert installed() == ()
    with pytest.raises(EngineError, match=r'none of tensorrt, tensorrt_rtx, .* is installed'):
        find()


def test_a_package_without_its_library_is_no_package(only):
    only('empty_tensorrt')
    with pytest.raises(EngineError, match=r"empty_tensorrt cannot be imported: .*'Builder'"):
        find()


def test_a_package_whose_library_does_not_load_says_so(only, monkeypatch):
    only('broken_tensorrt')

    def refuse(name):
        raise OSError(f'lib{name}.so: cannot open shared object file')

    monkeypatch.setattr(tensorrt_package, 'import_module', refuse)
    with pytest.raises(
        EngineError, match=r'broken_tensorrt cannot be imported: lib.*\.so: cannot'
    ):
        find()


def test_what_it_says_of_an_error_is_told_in_one_line(trt):
    with pytest.raises(EngineError, match=r'^TensorRT.* \d+\.\d+.*: first second$'), trt.told():
        trt.logger.log(trt.trt.ILogger.ERROR, 'first\nsecond')
        trt.logger.log(trt.trt.ILogger.WARNING, 'a warning')
        raise RuntimeError('of the binding')
    with pytest.raises(EngineError, match='of the binding'), trt.told():
        raise RuntimeError('of the binding')


def test_the_names_that_are_used_of_it_are_there(trt):
    module = importlib.import_module(trt.trt.__name__)
    used = {
        'IExecutionContext': (
            'set_input_shape set_tensor_address infer_shapes get_tensor_shape execute_async_v3 '
            'set_device_memory set_optimization_profile_async'
        ),
        'ICudaEngine': (
            'device_memory_size_v2 num_io_tensors get_tensor_name get_tensor_dtype '
            'get_tensor_mode num_optimization_profiles create_execution_context'
        ),
        'Runtime': 'deserialize_cuda_engine',
    }
    if trt.rtx:
        used['ICudaEngine'] += ' create_runtime_config'
        used['IRuntimeConfig'] = (
            'set_execution_context_allocation_strategy cuda_graph_strategy '
            'dynamic_shapes_kernel_specialization_strategy'
        )
        assert module.CudaGraphStrategy.DISABLED != module.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        assert 'EAGER' in module.DynamicShapesKernelSpecializationStrategy.__members__
    missing = [
        f'{kind}.{name}'
        for kind, names in used.items()
        for name in names.split()
        if not hasattr(getattr(module, kind), name)
    ]
    assert not missing
    assert 'USER_MANAGED' in module.ExecutionContextAllocationStrategy.__members__


def test_a_model_elsewhere_than_on_a_gpu_has_no_card():
    with pytest.raises(EngineError, match='NVIDIA GPU only, the model is on cpu'):
        Card.of(torch.device('cpu'))


def test_a_machine_without_a_gpu_has_no_card(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(EngineError, match='NVIDIA GPU only, there is none here'):
        Card.of(torch.device('cuda'))


@pytest.mark.gpu
def test_a_card_is_described():
    card = Card.of(torch.device('cuda'))
    assert card.name
    assert float(card.capability) >= 7
    assert card.driver
