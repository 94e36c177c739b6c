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

"""From a program's ONNX graph to a plan of TensorRT."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.onnx.signature import Port
from vla_accel_ros.engines.tensorrt_package import Package
from vla_accel_ros.engines.tensorrt_profiles import Profile, shapes


def build(
    package: Package,
    graph: Path,
    inputs: Sequence[Port],
    profiles: Sequence[Profile],
    file: Path,
    capability: str = '',
) -> None:
    """Build a plan.

    Every number has the type that the graph gives it. Products of float32 are not rounded to
    TF32, and softmax and norms of half types are computed in float32.

    Args:
        package: What builds it.
        graph: The ONNX file; its weights lie beside it.
        inputs: Its inputs.
        profiles: Sizes to build for.
        file: Where the plan goes.
        capability: Of the GPUs that TensorRT for RTX is to build for, as `8.9` or `8.9, 12.0`;
            where empty it builds for those that it knows by itself. TensorRT builds for the GPU
            that is there.

    Raises:
        EngineError: When it cannot be built; the text is TensorRT's.
        OSError: When it cannot be written.
    """
    trt = package.trt
    with package.told():
        builder = trt.Builder(package.logger)
        network = builder.create_network(
            1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
        )
        parser = trt.OnnxParser(network, package.logger)
        if not parser.parse_from_file(str(graph)):
            raise EngineError(f'{package.title} cannot read {graph.name}: {_complaint(parser)}')
        widen(trt, network)
        config = builder.create_builder_config()
        config.clear_flag(trt.BuilderFlag.TF32)
        if capability:
            wanted = capability.split(', ')
            config.num_compute_capabilities = len(wanted)
            for place, each in enumerate(wanted):
                config.set_compute_capability(_capability(package, each), place)
        for profile in profiles:
            asked = builder.create_optimization_profile()
            for port in inputs:
                asked.set_shape(port.name, *shapes(port, profile))
            if config.add_optimization_profile(asked) < 0:
                raise EngineError(f'{package.title} refuses a profile: {package.reason()}')
        plan = builder.build_serialized_network(network, config)
        if plan is None:
            raise EngineError(f'{package.title} cannot build {graph.name}: {package.reason()}')
    with file.open('wb') as opened:
        opened.write(memoryview(plan))


def _capability(package: Package, capability: str) -> Any:
    name = f'SM{capability.replace(".", "")}'
    known = package.trt.ComputeCapability.__members__
    if name not in known:
        shown = ', '.join(f'{each[2:-1]}.{each[-1]}' for each in known if each.startswith('SM'))
        raise EngineError(
            f'{package.title} builds for GPUs of compute capability {shown}, this one has '
            f'{capability}: install tensorrt'
        )
    return known[name]


def _complaint(parser: Any) -> str:
    """Give the first of a parser's errors in one line, with the operator that it is about."""
    if parser.num_errors == 0:
        return 'it gives no reason'
    error = parser.get_error(0)
    operator = error.node_operator()
    return (f'{operator}: ' if operator else '') + ' '.join(error.desc().split())


def widen(trt: Any, network: Any) -> None:
    """Have softmax and norms of half types computed in float32.

    Args:
        trt: TensorRT's module.
        network: What a graph was read into; changed.
    """
    layers = [network.get_layer(place) for place in range(network.num_layers)]
    readers: dict[str, list[tuple[Any, int]]] = {}
    for layer in layers:
        for place in range(layer.num_inputs):
            part = layer.get_input(place)
            if part is not None:
                readers.setdefault(part.name, []).append((layer, place))
    # Chosen before anything is changed, for a type that is changed runs on to the layers behind.
    chosen = [
        (layer, layer.get_output(0).dtype)
        for layer in layers
        if layer.type in (trt.LayerType.SOFTMAX, trt.LayerType.NORMALIZATION)
        and layer.get_output(0).dtype in (trt.DataType.HALF, trt.DataType.BF16)
        and not layer.get_output(0).is_network_output
    ]
    for layer, dtype in chosen:
        for place in range(layer.num_inputs):
            part = layer.get_input(place)
            if part is not None:
                layer.set_input(place, network.add_cast(part, trt.DataType.FLOAT).get_output(0))
        out = layer.get_output(0)
        narrowed = network.add_cast(out, dtype).get_output(0)
        for reader, place in readers.get(out.name, ()):
            reader.set_input(place, narrowed)
