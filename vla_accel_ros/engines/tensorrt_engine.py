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

"""TensorRT: each program's graph as a plan for one kind of GPU, captured once a bucket."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from vla_accel_ros.engines.calibration import Calibration
from vla_accel_ros.engines.cuda_graph import CudaGraph
from vla_accel_ros.engines.interface import NETWORKS, Bucket, EngineError, Program, Runner, Tensors
from vla_accel_ros.engines.onnx.float8_graphs import Float8Graphs
from vla_accel_ros.engines.onnx.graphs import Graph, Graphs
from vla_accel_ros.engines.programs.decoder import general
from vla_accel_ros.engines.recorders import CudaRecorder
from vla_accel_ros.engines.store import Store
from vla_accel_ros.engines.tensorrt_package import Card, Package, find
from vla_accel_ros.engines.tensorrt_plan import build
from vla_accel_ros.engines.tensorrt_profiles import Limits, Profile, choose, profiles, sizes
from vla_accel_ros.engines.tensorrt_runner import LoadedPlan, place

FILE = 'engine.plan'
# TensorRT for RTX builds for these compute capabilities at once, with or without a GPU.
PORTABLE = ('8.0', '8.6', '8.9', '12.0')
# Of these, those that have products of FP8 numbers, which begin at 8.9.
FP8, FP8_PORTABLE, FP8_LEAST = 'float8', ('8.9', '12.0'), '8.9'


class Plans:
    """The plans of a model's programs.

    Args:
        graphs: Give the ONNX graph of a program.
        store: Where plans are kept.
        limits: The largest sizes to build for.
        package: TensorRT.
    """

    def __init__(self, graphs: Graphs, store: Store, limits: Limits, package: Package) -> None:
        self._graphs, self._store, self._limits = graphs, store, limits
        self.package = package

    def graph(self, program: Program) -> Graph:
        """Give the graph of a program; see `Graphs.graph`."""
        return self._graphs.graph(program)

    def profiles(self, graph: Graph) -> tuple[Profile, ...]:
        """Give the profiles of a graph's plan."""
        return profiles(graph.inputs, self._limits)

    def plan(self, program: Program, card: Card | None = None) -> Path:
        """Give the plan of a program, built first where it is not there.

        Args:
            program: The program.
            card: The GPU that it is for; without one TensorRT for RTX builds for all that it
                knows by itself, and TensorRT cannot build.

        Raises:
            EngineError: When it can be neither found nor built, or the GPU has no FP8 and the
                graph has.
        """
        graph = self.graph(program)
        wanted, package = self.profiles(graph), self.package
        target = self._target(card, graph.float8)
        key = {**graph.key, 'kind': f'TensorRT plan of {program.name}', **target}
        # For those that all graphs are built for it need not be told.
        named = package.rtx and target['capability'] != ', '.join(PORTABLE)
        capability = target['capability'] if named else ''
        key['profiles'] = '; '.join(
            ', '.join(f'{name} {sizes}' for name, sizes in profile.items()) for profile in wanted
        )

        def write(folder: Path) -> None:
            build(package, graph.path, graph.inputs, wanted, folder / FILE, capability)

        return self._store.get(key, write) / FILE

    def _target(self, card: Card | None, float8: bool) -> dict[str, str]:
        """Say for which GPU a plan is, as part of its key."""
        found = {'runtime': self.package.title}
        if float8 and card is not None:
            check_float8(card)
        portable = FP8_PORTABLE if float8 else PORTABLE
        if self.package.rtx:
            capability = ', '.join(portable)
            if card is not None and card.capability not in portable:
                capability = card.capability
            return found | {'name': 'any', 'capability': capability, 'driver': 'any'}
        if card is None:
            raise EngineError(f'{self.package.title} builds on the GPU that it is for only')
        return found | asdict(card)


def check_float8(card: Card) -> None:
    """Refuse a GPU without FP8.

    Raises:
        EngineError: When it has none.
    """
    if _number(card.capability) < _number(FP8_LEAST):
        raise EngineError(
            f'float8 needs compute capability {FP8_LEAST} or later, this GPU has {card.capability}'
        )


def _number(capability: str) -> tuple[int, ...]:
    return tuple(map(int, capability.split('.')))


class TensorRT:
    """Run programs on TensorRT, in the type of the model's weights, or in FP8 where calibrated.

    In float32 nothing is rounded to TF32. In half types each product rounds as in eager, and
    softmax and norms are of float32. In `float8` towers, projector and spans multiply FP8 numbers;
    all else is of the weights' type. A plan is run by replaying a CUDA graph of it, one a bucket.

    Args:
        plans: Give the plan of a program.
        precision: That of the weights, or `float8` where the plans are of such graphs.
        device: The GPU that the model is on. Where it is none, or there is none, `ready` says so.
    """

    name: ClassVar[str] = 'tensorrt'

    def __init__(self, plans: Plans, precision: str, device: torch.device) -> None:
        self.precision, self.exact = precision, precision == 'float32'
        self._device = device
        self._launched = Launched(plans, precision, device)

    @cached_property
    def _captured(self) -> CudaGraph:
        return CudaGraph(CudaRecorder(self._device), self.precision, inner=self._launched)

    def ready(self, program: Program, bucket: Bucket) -> Runner:
        """Give what replays a captured run of the plan; see `Engine.ready`."""
        if program.name not in NETWORKS:
            return program.run
        # What speaks against it is said here, before anything is captured.
        self._launched.ready(general(program), bucket)
        return self._captured.ready(program, bucket)


class Launched:
    """Run programs on TensorRT, each kernel of each run launched anew; for the rest `TensorRT`."""

    name: ClassVar[str] = 'tensorrt'

    def __init__(self, plans: Plans, precision: str, device: torch.device) -> None:
        self.precision, self.exact = precision, precision == 'float32'
        self._plans, self._device = plans, device
        self._loaded: dict[Program, tuple[Graph, LoadedPlan]] = {}

    @cached_property
    def _card(self) -> Card:
        return Card.of(self._device)

    def ready(self, program: Program, bucket: Bucket) -> Runner:
        """Give what puts a run of the plan into the current stream; see `Engine.ready`."""
        graph, plan = self._of(program)
        profile = choose(self._plans.profiles(graph), sizes(graph.inputs, bucket))

        def run(given: Tensors, room: Tensors) -> dict[str, Tensor]:
            done = plan.run(profile, given, program.inputs)
            place(done, given, room)
            return done

        return run

    def _of(self, program: Program) -> tuple[Graph, LoadedPlan]:
        if program not in self._loaded:
            # First of all, so that nothing is built where nothing can run.
            card = self._card
            file = self._plans.plan(program, card)
            loaded = LoadedPlan(self._plans.package, file, self._device)
            self._loaded[program] = self._plans.graph(program), loaded
        return self._loaded[program]


def tensorrt_of(
    model: nn.Module, store: Store, float8: bool = False, calibration: str = ''
) -> TensorRT:
    """Give the engine for a model, which computes in the type of its weights, or in FP8.

    Args:
        model: The model.
        store: Where graphs and plans are kept.
        float8: Whether towers, projector and spans multiply FP8 numbers.
        calibration: File of recorded frames, which FP8 needs.

    Raises:
        EngineError: When no package of TensorRT can be imported, or the file will not do.
    """
    config: Any = model.config
    limits = Limits(config.visual_tokens, config.slots, config.decoder.max_positions)
    package, weight = find(), next(model.parameters())
    precision = str(weight.dtype).removeprefix('torch.')
    graphs = Graphs(model, store)
    if float8:
        if weight.device.type == 'cuda':
            # Before graphs are made and frames are run.
            check_float8(Card.of(weight.device))
        if not calibration:
            raise EngineError(
                "engine_calibration is '', expected a file of `vla-accel engine calibrate`, for "
                'float8 has ranges that are measured'
            )
        graphs, precision = Float8Graphs(model, store, Calibration.load(calibration, model)), FP8
    return TensorRT(Plans(graphs, store, limits, package), precision, weight.device)
