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

"""ONNX Runtime's providers: those of each device, and the options that keep them exact."""

from __future__ import annotations

import os
from pathlib import Path

CPU, CUDA = 'CPUExecutionProvider', 'CUDAExecutionProvider'
TENSORRT = 'TensorrtExecutionProvider'
# By device, the first that can run a part of a graph.
BY_DEVICE = {'cpu': (CPU,), 'cuda': (CUDA, CPU), 'tensorrt': (TENSORRT, CUDA, CPU)}


def options_of(provider: str, gpu: int = 0, plans: Path | None = None) -> dict[str, str]:
    """Give the options of a provider, as ONNX Runtime wants them; others than these have none.

    In float32 nothing is rounded to TF32, which both libraries for NVIDIA GPUs do by default.

    Args:
        provider: As ONNX Runtime names it.
        gpu: Number of the GPU.
        plans: Folder where TensorRT keeps the plans of one graph; None keeps none.
    """
    if provider == CUDA:
        return {'device_id': str(gpu), 'use_tf32': '0'}
    if provider != TENSORRT:
        return {}
    found = {'device_id': str(gpu), 'trt_fp16_enable': '0'}
    if plans is not None:
        found |= {'trt_engine_cache_enable': '1', 'trt_engine_cache_path': str(plans)}
    return found


def without_tf32() -> None:
    """Have TensorRT round nothing to TF32, for which ONNX Runtime has no option.

    This holds for all of the process. A user's own setting stays.
    """
    os.environ.setdefault('NVIDIA_TF32_OVERRIDE', '0')
