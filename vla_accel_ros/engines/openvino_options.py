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

"""OpenVINO on this machine: its devices, and the properties that make it compute as asked.

OpenVINO chooses precisions by itself: on a CPU that can, bfloat16 for products, 8 bits for keys
and values, and 8 bits for what is multiplied with 8-bit weights. All three are always set here,
and read back.
"""

from __future__ import annotations

from functools import lru_cache
import sys
from types import ModuleType
from typing import Any

import torch

from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.extras import remedy

# What a precision is called here and there, and what a device calls the ability to compute in it.
HINTS = {'float32': 'f32', 'bfloat16': 'bf16', 'float16': 'f16'}
ABILITIES = {'float32': 'FP32', 'bfloat16': 'BF16', 'float16': 'FP16'}
PRECISIONS = ('float32', 'bfloat16', 'float16', 'int8')


def without_telemetry() -> None:
    """Keep OpenVINO and NNCF from sending anything; a robot asks for no connection."""
    # A module that is None is one that is not installed; both do without it.
    sys.modules.setdefault('openvino_telemetry', None)  # type: ignore[arg-type]


def library(name: str = 'openvino') -> ModuleType:
    """Import `openvino` or `nncf`.

    Raises:
        EngineError: When it is not installed, or does not load.
    """
    without_telemetry()
    try:
        return __import__(name)
    except ModuleNotFoundError as error:
        raise EngineError(f'{error.name} is not installed: {remedy("engines")}') from None
    except (ImportError, OSError) as error:
        raise EngineError(f'{name} does not load: {error}') from None


@lru_cache(maxsize=1)
def core() -> Any:
    """Give the one `openvino.Core` of this process, which knows the devices.

    Raises:
        EngineError: See `library`.
    """
    return library().Core()


def check(device: str, precision: str) -> None:
    """Refuse what this machine cannot do.

    Args:
        device: As OpenVINO names it, such as `CPU` or `GPU`.
        precision: One of `PRECISIONS`.

    Raises:
        EngineError: When the device is not here, or cannot compute so.
    """
    if precision not in PRECISIONS:
        raise EngineError(f'precision is {precision!r}, expected one of {", ".join(PRECISIONS)}')
    found = core().available_devices
    # One GPU is GPU, of several each has a number and GPU is the first.
    names = {*found, *(name.split('.')[0] for name in found), *(f'{name}.0' for name in found)}
    if device not in names:
        raise EngineError(f'OpenVINO finds no device {device!r} here, only {", ".join(found)}')
    able = core().get_property(device, 'OPTIMIZATION_CAPABILITIES')
    wanted = ABILITIES.get(precision, 'INT8')
    if wanted not in able:
        raise EngineError(f'{device} cannot compute in {precision}, only in {", ".join(able)}')


def hint_beside_int8(device: str) -> str:
    """Give the type of what is not multiplied in 8 bits where weights have so many."""
    able = core().get_property(device, 'OPTIMIZATION_CAPABILITIES')
    return next(
        (HINTS[each] for each in ('bfloat16', 'float16') if ABILITIES[each] in able), 'f32'
    )


def properties(device: str, hint: str, group: int) -> dict[str, object]:
    """Give the properties to compile with.

    Args:
        device: As OpenVINO names it.
        hint: Type of products, `f32`, `bf16` or `f16`.
        group: Inputs of a product with 8-bit weights are rounded to 8 bits, too, with one scale
            for so many of them; 0 where they are not.

    Returns:
        By name. Threads are those that torch has.
    """
    wanted: dict[str, object] = {
        'INFERENCE_PRECISION_HINT': hint,
        'KV_CACHE_PRECISION': hint,
        'DYNAMIC_QUANTIZATION_GROUP_SIZE': group,
        'NUM_STREAMS': 1,
        'INFERENCE_NUM_THREADS': torch.get_num_threads(),
        # A pinned thread waits for its core while another process holds it.
        'ENABLE_CPU_PINNING': False,
    }
    known = set(core().get_property(device, 'SUPPORTED_PROPERTIES'))
    return {name: value for name, value in wanted.items() if name in known}


def check_taken(compiled: Any, wanted: dict[str, object]) -> None:
    """Compare the properties of a compiled graph with what was asked for.

    Raises:
        EngineError: When OpenVINO took another precision.
    """
    for name in ('INFERENCE_PRECISION_HINT', 'KV_CACHE_PRECISION'):
        if name not in wanted:
            continue
        taken = compiled.get_property(name)
        taken = taken if isinstance(taken, str) else taken.get_type_name()
        if taken != wanted[name]:
            raise EngineError(f'OpenVINO set {name} to {taken}, {wanted[name]} was asked for')


def identity(device: str) -> dict[str, str]:
    """Say what a compiled graph depends on besides the graph: versions, device, abilities."""
    able = core().get_property(device, 'OPTIMIZATION_CAPABILITIES')
    return {
        'openvino': library().__version__,
        'device': f'{device} {core().get_property(device, "FULL_DEVICE_NAME")}',
        'abilities': ' '.join(able),
    }


def last_line(error: Exception) -> str:
    """Give the line of an error of OpenVINO's or NNCF's that says what is wrong."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
