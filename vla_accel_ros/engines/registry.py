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

"""The engines there are: those of this package, and those that other packages declare.

A package declares an engine as an entry point, `NAME = module:object` in the group
`vla_accel_ros.engines`, where the object is an `EngineKind` of that name.

Nothing heavy is imported here: an engine's library is loaded when the engine is made.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
import re
from typing import TYPE_CHECKING, Any

from vla_accel_ros import declared
from vla_accel_ros.engines import probes

if TYPE_CHECKING:
    from vla_accel_ros.engines.interface import Engine
    from vla_accel_ros.engines.recorders import CudaRecorder

GROUP = 'vla_accel_ros.engines'
AUTO, EAGER = 'auto', 'eager'
FLOAT32, BFLOAT16, FLOAT16, INT8, FLOAT8 = 'float32', 'bfloat16', 'float16', 'int8', 'float8'
PRECISIONS = (FLOAT32, BFLOAT16, FLOAT16, INT8, FLOAT8)
CALIBRATED = (INT8, FLOAT8)  # in ranges measured on recorded frames
# Folders that libraries keep by themselves in the store's.
FOLDERS = INDUCTOR, PLANS = 'inductor', 'onnxruntime-tensorrt'


class EngineNameError(ValueError):
    """An engine that is not there, or that is declared and cannot be used."""


@dataclass(frozen=True)
class Order:
    """What an engine is made for.

    Attributes:
        model: The model whose programs it will run, a `torch.nn.Module` in evaluation mode.
        precision: One of `PRECISIONS`.
        store: Where it keeps what it builds, an `engines.store.Store`.
        threads: Threads that it may use on the CPU.
        calibration: File of recorded frames, for `float8` and `int8` throughout; empty for none.
        device: One of the kind's `devices`; empty where it declares none.
    """

    model: Any
    precision: str
    store: Any
    threads: int
    calibration: str = ''
    device: str = ''


@dataclass(frozen=True)
class EngineKind:
    """An engine that can be asked for by name.

    Attributes:
        name: As users choose it.
        what: One line on what it is and where it pays.
        precisions: Those that it can compute in.
        probe: Says in one line why it cannot run on this machine, None where it can as far as
            that is known without loading its library.
        make: Makes one; raises `engines.interface.EngineError` where that cannot be done here.
        usual: Whether `vla-accel engine build` takes it where no engine is named.
        devices: Those that it can be told to run on, the first where none is named; `gpu.N` stands
            for any number. Empty where it has no choice.
        load: Loads its library; raises whatever keeps it from that.
    """

    name: str
    what: str
    precisions: tuple[str, ...]
    probe: Callable[[], str | None]
    make: Callable[[Order], Engine]
    usual: bool = True
    devices: tuple[str, ...] = ()
    load: Callable[[], object] = lambda: None

    def device(self, asked: str) -> str:
        """Give the device that is meant, empty for the first one, which is also `auto`.

        Raises:
            ValueError: When the engine knows no such device.
        """
        if asked in (AUTO, *self.devices[:1]):
            return ''
        if any(re.fullmatch(each.replace('.N', r'\.\d+'), asked) for each in self.devices):
            return asked
        known = f"{AUTO}: engine '{self.name}' has no choice of devices"
        if self.devices:
            known = f"{AUTO} or one of those of engine '{self.name}': {', '.join(self.devices)}"
        raise ValueError(f'engine_device is {asked!r}, expected {known}')


def titled(name: str, device: str = '') -> str:
    """Give an engine's name, and the device behind it where that is not its first one."""
    return f'{name} on {device}' if device else name


# -- the engines of this package -----------------------------------------------------------------


def _load_onnxruntime() -> object:
    from vla_accel_ros.engines.onnxruntime_engine import library

    return library()


def _load_tensorrt() -> object:
    from vla_accel_ros.engines.tensorrt_package import find

    return find()


def _load_openvino() -> object:
    from vla_accel_ros.engines.openvino_options import library

    return library()


def _eager(order: Order) -> Engine:
    from vla_accel_ros.engines.eager import EAGER

    return EAGER


def _compiled(order: Order) -> Engine:
    from vla_accel_ros.engines.compiled import Compiled

    return Compiled(_of_weights(order), Path(order.store.folder) / INDUCTOR)


def _cuda_graph(order: Order) -> Engine:
    from vla_accel_ros.engines.cuda_graph import CudaGraph

    return CudaGraph(_recorder(order), _of_weights(order))


def _cuda_graph_of_compiled(order: Order) -> Engine:
    from vla_accel_ros.engines.compiled import Compiled
    from vla_accel_ros.engines.cuda_graph import CudaGraphOfCompiled

    recorder = _recorder(order)
    folder = Path(order.store.folder) / INDUCTOR
    return CudaGraphOfCompiled(recorder, Compiled(_of_weights(order), folder))


def _recorder(order: Order) -> CudaRecorder:
    """Give what captures graphs; raises EngineError for a model that is not on a GPU."""
    from vla_accel_ros.engines.interface import EngineError
    from vla_accel_ros.engines.recorders import CudaRecorder

    device = next(order.model.parameters()).device
    if device.type != 'cuda':
        raise EngineError(f'cuda_graph is for a model on a GPU, this one is on {device}')
    return CudaRecorder(device)


def _on_gpu_with_compiler() -> str | None:
    return probes.gpu() or probes.compiler()


def _of_weights(order: Order) -> str:
    """Give the type of the weights, which is what the model's own operations compute in.

    Raises:
        EngineError: When another precision was asked for.
    """
    from vla_accel_ros.engines.interface import EngineError

    weights = str(next(order.model.parameters()).dtype).removeprefix('torch.')
    if order.precision != weights:
        raise EngineError(
            f'it computes in the type of the weights, which is {weights}, not {order.precision}'
        )
    return weights


def _tensorrt_engine(order: Order) -> Engine:
    from vla_accel_ros.engines.tensorrt_engine import tensorrt_of

    if order.precision != FLOAT8:
        _of_weights(order)
    return tensorrt_of(order.model, order.store, order.precision == FLOAT8, order.calibration)


def _onnxruntime(order: Order) -> Engine:
    from vla_accel_ros.engines.onnx.graphs import Graphs
    from vla_accel_ros.engines.onnxruntime_engine import OnnxRuntime
    from vla_accel_ros.engines.onnxruntime_providers import BY_DEVICE

    providers, graphs = BY_DEVICE[order.device], Graphs(order.model, order.store)
    if order.device == 'cpu':
        engine: Engine = OnnxRuntime(graphs, providers)
        return engine
    _of_weights(order)
    gpu = next(order.model.parameters()).device.index or 0
    plans = Path(order.store.folder) / PLANS
    return OnnxRuntime(graphs, providers, gpu, plans)


def _openvino(order: Order) -> Engine:
    from vla_accel_ros.engines.calibration import Calibration
    from vla_accel_ros.engines.interface import EngineError
    from vla_accel_ros.engines.onnx.graphs import Graphs
    from vla_accel_ros.engines.onnxruntime_engine import OnnxRuntime
    from vla_accel_ros.engines.openvino_engine import OpenVINO

    frames = Calibration.load(order.calibration, order.model) if order.calibration else None
    graphs = Graphs(order.model, order.store)
    device, decoding = order.device.upper(), None
    # It is the faster of the two on a CPU; where another device is named all runs there.
    if order.device == 'cpu':
        # Where it is not there, or does not load, OpenVINO decodes by itself.
        with suppress(EngineError):
            decoding = OnnxRuntime(graphs)
    engine: Engine = OpenVINO(graphs, order.store, order.precision, device, frames, decoding)
    return engine


OWN: dict[str, EngineKind] = {
    kind.name: kind
    for kind in (
        EngineKind(
            EAGER,
            'plain PyTorch, the reference that the others are compared with',
            (FLOAT32, BFLOAT16, FLOAT16),
            probes.nothing,
            _eager,
        ),
        EngineKind(
            'compile',
            'torch.compile: fused kernels; needs minutes and a C++ compiler, pays on GPUs',
            (FLOAT32, BFLOAT16, FLOAT16),
            probes.compiler,
            _compiled,
            usual=False,
        ),
        EngineKind(
            'cuda_graph',
            'PyTorch captured as CUDA graphs: one launch in the place of thousands',
            (FLOAT32, BFLOAT16, FLOAT16),
            probes.gpu,
            _cuda_graph,
        ),
        EngineKind(
            'cuda_graph_compile',
            'what torch.compile makes, captured as CUDA graphs: fewest kernels, and minutes first',
            (FLOAT32, BFLOAT16, FLOAT16),
            _on_gpu_with_compiler,
            _cuda_graph_of_compiled,
            usual=False,
        ),
        EngineKind(
            'onnxruntime',
            'ONNX Runtime: exact, and on a CPU the fastest at the tokens of a small model',
            (FLOAT32,),
            probes.package('onnxruntime'),
            _onnxruntime,
            devices=('cpu', 'cuda', 'tensorrt'),
            load=_load_onnxruntime,
        ),
        EngineKind(
            'openvino',
            'OpenVINO: CPUs and GPUs of Intel, and bfloat16 and int8 on a CPU',
            (FLOAT32, BFLOAT16, FLOAT16, INT8),
            probes.package('openvino'),
            _openvino,
            devices=('cpu', 'gpu', 'gpu.N', 'npu'),
            load=_load_openvino,
        ),
        EngineKind(
            'tensorrt',
            'TensorRT, or TensorRT for RTX cards: plans for one kind of NVIDIA GPU',
            (FLOAT32, BFLOAT16, FLOAT16, FLOAT8),
            probes.tensorrt,
            _tensorrt_engine,
            load=_load_tensorrt,
        ),
    )
}


def names() -> list[str]:
    """List the names of all engines, those of this package first; `auto` is none of them."""
    return declared.names(GROUP, OWN)


@cache
def find(name: str) -> EngineKind:
    """Give the engine of a name.

    Raises:
        EngineNameError: When there is none of the name, or what is declared is none.
    """
    if name in OWN:
        return OWN[name]
    found: EngineKind = declared.load(
        GROUP, name, 'engine', EngineKind, EngineNameError, (AUTO, *names())
    )
    return found
