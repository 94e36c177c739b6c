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

"""Options of ONNX Runtime's providers: nothing is rounded where it is not asked for."""

import os

from vla_accel_ros.engines import registry
from vla_accel_ros.engines.onnxruntime_providers import (
    BY_DEVICE,
    CPU,
    CUDA,
    TENSORRT,
    options_of,
    without_tf32,
)


def test_every_device_has_its_provider_first_and_the_cpu_last():
    assert tuple(BY_DEVICE) == registry.OWN['onnxruntime'].devices
    assert [each[0] for each in BY_DEVICE.values()] == [CPU, CUDA, TENSORRT]
    assert {each[-1] for each in BY_DEVICE.values()} == {CPU}


def test_no_provider_may_round(tmp_path):
    assert options_of(CPU) == {}
    assert options_of(CUDA, 1) == {'device_id': '1', 'use_tf32': '0'}
    assert options_of(TENSORRT, 1) == {'device_id': '1', 'trt_fp16_enable': '0'}
    plans = options_of(TENSORRT, 0, tmp_path)
    assert plans['trt_engine_cache_enable'] == '1'
    assert plans['trt_engine_cache_path'] == str(tmp_path)


def test_a_users_own_setting_of_tf32_stays(monkeypatch):
    monkeypatch.delenv('NVIDIA_TF32_OVERRIDE', raising=False)
    without_tf32()
    assert os.environ['NVIDIA_TF32_OVERRIDE'] == '0'
    monkeypatch.setenv('NVIDIA_TF32_OVERRIDE', '1')
    without_tf32()
    assert os.environ['NVIDIA_TF32_OVERRIDE'] == '1'
