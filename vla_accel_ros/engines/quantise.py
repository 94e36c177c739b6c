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

"""Graphs in 8 bits, by NNCF: the weights alone, or with calibration all that is multiplied.

Weights alone need no frames: each row of a matrix is scaled by its own largest entry. Where
activations are to be rounded, too, their ranges are measured on frames of the robot's.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
import logging
from pathlib import Path
from typing import Any

from torch import Tensor

from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.openvino_options import core, last_line, library


def of_weights(graph: Path, name: str) -> Any:
    """Give a graph whose matrices are 8-bit, symmetric, one scale a row.

    Args:
        graph: An ONNX file.
        name: The program's.

    Returns:
        An `openvino.Model`.

    Raises:
        EngineError: When NNCF is not installed or refuses the graph.
    """
    nncf = _nncf()
    try:
        with redirect_stdout(StringIO()):
            return nncf.compress_weights(
                core().read_model(graph), mode=nncf.CompressWeightsMode.INT8_SYM
            )
    except (RuntimeError, nncf.errors.ValidationError) as error:
        raise EngineError(
            f'NNCF cannot compress the program {name}: {last_line(error)}'
        ) from error


def of_all(graph: Path, name: str, samples: Sequence[dict[str, Tensor]]) -> Any:
    """Give a graph whose products with matrices are of 8-bit numbers, in ranges of the samples.

    Args:
        graph: An ONNX file.
        name: The program's.
        samples: Its inputs by name, one frame each.

    Returns:
        An `openvino.Model`.

    Raises:
        EngineError: When there are no samples, NNCF is not installed or refuses the graph.
    """
    if not samples:
        raise EngineError(
            f'no calibration frame ran the program {name}: int8 throughout needs recorded frames '
            'of this checkpoint with this method'
        )
    nncf = _nncf()
    model = core().read_model(graph)
    wanted = {name for port in model.inputs for name in port.names}
    frames = [
        {each: tensor.numpy() for each, tensor in sample.items() if each in wanted}
        for sample in samples
    ]
    try:
        with redirect_stdout(StringIO()):
            return nncf.quantize(
                model,
                nncf.Dataset(frames),
                subset_size=len(frames),
                model_type=nncf.ModelType.TRANSFORMER,
                target_device=nncf.TargetDevice.CPU,
                ignored_scope=nncf.IgnoredScope(names=_of_activations(model)),
            )
    except (RuntimeError, nncf.errors.ValidationError) as error:
        raise EngineError(
            f'NNCF cannot quantise the program {name}: {last_line(error)}'
        ) from error


def _of_activations(model: Any) -> list[str]:
    """List the products of two activations, which are those of attention.

    They stay as they are: of several hundred weights that sum to one most round to nothing in 8
    bits.
    """
    return [
        op.get_friendly_name()
        for op in model.get_ops()
        if op.get_type_name() == 'MatMul' and not any(map(_constant, op.input_values()))
    ]


def _constant(value: Any) -> bool:
    node = value.get_node()
    while node.get_type_name() in ('Convert', 'Reshape', 'Transpose'):
        node = node.input_value(0).get_node()
    return bool(node.get_type_name() == 'Constant')


def _nncf() -> Any:
    nncf = library('nncf')
    nncf.set_log_level(logging.ERROR)
    return nncf
