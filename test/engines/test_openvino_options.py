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

"""Properties are those asked for; what is missing is said before anything is built."""

import subprocess
import sys

import pytest
import torch

from vla_accel_ros.engines import openvino_options as options
from vla_accel_ros.engines.interface import EngineError

pytest.importorskip('openvino')


def test_a_device_that_is_not_here():
    with pytest.raises(EngineError, match="no device 'NPU' here, only "):
        options.check('NPU', 'float32')


@pytest.mark.parametrize(
    ('found', 'there', 'missing'),
    [
        (('CPU', 'GPU'), ('GPU', 'GPU.0'), ('GPU.1', 'NPU')),
        (('CPU', 'GPU.0', 'GPU.1'), ('GPU', 'GPU.0', 'GPU.1'), ('GPU.2',)),
    ],
)
def test_a_gpu_is_found_by_its_number(monkeypatch, found, there, missing):
    class Several:
        available_devices = found

        def get_property(self, device, name):
            return ['FP32', 'FP16']

    monkeypatch.setattr(options, 'core', Several)
    for device in there:
        options.check(device, 'float32')
    for device in missing:
        with pytest.raises(EngineError, match=f"no device '{device}' here, only CPU, GPU"):
            options.check(device, 'float32')


def test_an_unknown_precision():
    with pytest.raises(EngineError, match="precision is 'int3', expected one of float32"):
        options.check('CPU', 'int3')


def test_a_precision_that_the_device_has_not(monkeypatch):
    class Old:
        available_devices = ('CPU',)

        def get_property(self, device, name):
            return ['FP32']

    monkeypatch.setattr(options, 'core', Old)
    with pytest.raises(EngineError, match='CPU cannot compute in bfloat16, only in FP32'):
        options.check('CPU', 'bfloat16')
    options.check('CPU', 'float32')
    assert options.hint_beside_int8('CPU') == 'f32'


def test_a_missing_library_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, 'openvino', None)
    with pytest.raises(EngineError, match='openvino is not installed: pip install'):
        options.library()


def test_all_three_precisions_are_always_set():
    wanted = options.properties('CPU', 'f32', 0)
    assert wanted['INFERENCE_PRECISION_HINT'] == wanted['KV_CACHE_PRECISION'] == 'f32'
    assert wanted['DYNAMIC_QUANTIZATION_GROUP_SIZE'] == 0
    assert wanted['INFERENCE_NUM_THREADS'] == torch.get_num_threads()


def test_a_precision_that_was_not_taken_is_refused():
    class Compiled:
        def get_property(self, name):
            return 'bf16'

    with pytest.raises(EngineError, match='INFERENCE_PRECISION_HINT to bf16, f32 was asked'):
        options.check_taken(Compiled(), options.properties('CPU', 'f32', 0))


def test_nothing_is_sent():
    code = (
        'from vla_accel_ros.engines.openvino_options import library\n'
        'import sys; library(); library("nncf")\n'
        'print([name for name, module in sys.modules.items() if "telemetry" in name and module])'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert 'openvino_telemetry' not in done.stdout
