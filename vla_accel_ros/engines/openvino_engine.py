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

"""OpenVINO: the graphs of a model compiled for a CPU or an Intel GPU, exact or with fewer bits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from vla_accel_ros.engines import openvino_options as options
from vla_accel_ros.engines import quantise
from vla_accel_ros.engines.calibration import Calibration
from vla_accel_ros.engines.fallback import Fallback
from vla_accel_ros.engines.interface import (
    NETWORKS,
    Bucket,
    Engine,
    EngineError,
    Program,
    Runner,
    Tensors,
    call,
)
from vla_accel_ros.engines.new_rows import keep
from vla_accel_ros.engines.onnx.graphs import Graph, Graphs
from vla_accel_ros.engines.openvino_graph import CompiledGraph, load, name_of
from vla_accel_ros.engines.programs.decoder import Loop, Pass, general
from vla_accel_ros.engines.store import Store
from vla_accel_ros.engines.watched_store import NotBuiltError

# A graph compiled for one bucket is faster by a tenth to a third, but holds its own copy of the
# weights: so many of one program are made, where the weights are no larger than this.
FIXED = 8
LIGHT = 64 << 20
# With 8-bit weights, how many inputs of a product share a scale: more is faster where the product
# is large (mid: 184 ms for 242), less is closer to what was meant.
GROUP_LIGHT, GROUP = 32, 128
BLOB = 'graph.blob'


class OpenVINO:
    """Run programs on OpenVINO.

    A program is compiled for any shapes when it is first met, and for a bucket of shapes when that
    is met for the second time; one that decodes is compiled for its bucket at once. What is
    compiled is kept in the store, so that the next process only reads it.

    In `bfloat16` the passes that decode stay in float32 where the decoder's weights fit in a
    core's cache: they gain nothing there, and most changed tokens would come from them. `int8` is
    the weights alone; with calibration frames towers, projector and spans multiply 8-bit numbers
    throughout.

    Args:
        graphs: Gives the ONNX graph of a program.
        store: Keeps what is compiled.
        precision: `float32`, `bfloat16`, `float16` or `int8`.
        device: As OpenVINO names it; an Intel GPU is `GPU`, the second one `GPU.1`.
        calibration: Inputs of programs on recorded frames, for `int8` throughout.
        decoding: Another exact engine on the same graphs, for the passes that decode in float32
            here, if it is faster at them.

    Raises:
        EngineError: When OpenVINO is not installed, or the device is absent or cannot compute so.
    """

    name: ClassVar[str] = 'openvino'

    def __init__(
        self,
        graphs: Graphs,
        store: Store,
        precision: str = 'float32',
        device: str = 'CPU',
        calibration: Calibration | None = None,
        decoding: Engine | None = None,
    ) -> None:
        options.check(device, precision)
        if calibration is not None and precision != 'int8':
            raise EngineError(f'calibration frames need precision int8, it is {precision}')
        self.precision, self.exact = precision, precision == 'float32'
        self._graphs, self._store, self._device = graphs, store, device
        self._calibration = calibration
        # What the other one cannot do, OpenVINO does as well.
        self._decoding = None if decoding is None else Fallback(decoding, _Alone(self))
        self._built: dict[Program, _Built] = {}
        self._light: dict[Program, bool] = {}

    @property
    def notes(self) -> dict[str, str]:
        """By program, what runs it in the place of what would be faster, and why."""
        if self._decoding is None:
            return {}
        there = f'OpenVINO alone, which takes longer, not on {self._decoding.name}: '
        own = {program: there + why for program, why in self._decoding.reasons.items()}
        return {**getattr(self._decoding.first, 'notes', {}), **own}

    def ready(self, program: Program, bucket: Bucket) -> Runner:
        """Give what runs a program; see `Engine.ready`."""
        if program.name not in NETWORKS:
            return program.run
        decodes = isinstance(program, (Pass, Loop)) and self._is_light(general(program))
        if self._decoding is not None and decodes:
            return self._decoding.ready(program, bucket)
        return self.compiled(program, bucket)

    def compiled(self, program: Program, bucket: Bucket) -> Runner:
        """Give what runs a program on OpenVINO itself; see `Engine.ready`."""
        held, program = getattr(program, 'held', None), general(program)
        if self.precision == 'int8' and isinstance(program, Loop) and not self._is_light(program):
            return _Steps(self, program, held).run
        compiled = self._of(program).compiled(bucket)

        def run(given: Tensors, room: Tensors) -> dict[str, Tensor]:
            done = compiled(given)
            keep(done, given, room, held)
            return done

        return run

    def _is_light(self, program: Program) -> bool:
        if program not in self._light:
            self._light[program] = _light(program)
        return self._light[program]

    def _of(self, program: Program) -> _Built:
        if program not in self._built:
            self._built[program] = _Built(
                program,
                self._graphs.graph(program),
                self._store,
                self._device,
                self.precision,
                self._calibration,
            )
        return self._built[program]


class _Alone:
    """An engine that has no other one decode, for where that one cannot."""

    name: ClassVar[str] = OpenVINO.name

    def __init__(self, engine: OpenVINO) -> None:
        self._engine, self.precision, self.exact = engine, engine.precision, engine.exact

    def ready(self, program: Program, bucket: Bucket) -> Runner:
        """Give what runs a program; see `Engine.ready`."""
        return self._engine.compiled(program, bucket)


class _Built:
    """What is compiled of one program."""

    def __init__(
        self,
        program: Program,
        graph: Graph,
        store: Store,
        device: str,
        precision: str,
        calibration: Calibration | None,
    ) -> None:
        self._graph, self._store, self._device = graph, store, device
        self._program = program
        # What decodes is never calibrated: it runs on weights of 8 bits, or in float32.
        decoding = isinstance(program, (Pass, Loop))
        self._calibration = None if decoding else calibration
        self._precision = precision
        if decoding and _light(program):
            self._precision = 'float32'
        if self._precision == 'int8':
            hint = options.hint_beside_int8(device)
            group = GROUP_LIGHT if _light(program) else GROUP
        else:
            hint, group = options.HINTS[self._precision], 0
        self._properties = options.properties(device, hint, group)
        self._key = {
            **graph.key,
            'kind': f'OpenVINO graph of {program.name}',
            'bits': self._bits(),
            'hint': hint,
            'group': str(group),
            **options.identity(device),
        }
        # Where no size is free there is but one bucket.
        free = any(isinstance(size, str) for port in graph.inputs for size in port.shape)
        self._most = FIXED if free and _light(program) else 0
        # The memory of keys and values has one size for long, a sequence another one with each
        # instruction and choice of tokens.
        self._patience = 1 if decoding else 2
        self._any: CompiledGraph | None = None
        self._fixed: dict[Bucket, CompiledGraph] = {}
        self._met: Counter[Bucket] = Counter()
        self._source: Any = None

    def compiled(self, bucket: Bucket) -> CompiledGraph:
        """Give the graph for a bucket: its own one, or the one for any shapes."""
        found = self._fixed.get(bucket)
        if found is not None:
            return found
        self._met[bucket] += 1
        if self._met[bucket] >= self._patience and len(self._fixed) < self._most:
            try:
                self._fixed[bucket] = self._compile(bucket)
                return self._fixed[bucket]
            except NotBuiltError:
                # The one for any shapes does as well; others may be there.
                self._met[bucket] -= FIXED
            except EngineError:
                # There is no room for it.
                self._most = 0
        if self._any is None:
            self._any = self._compile(None)
        return self._any

    def _compile(self, bucket: Bucket | None) -> CompiledGraph:
        shapes = {} if bucket is None else {name: list(shape) for name, shape in bucket}
        key = {**self._key, 'shapes': str(shapes) if shapes else 'any'}
        folder = self._store.get(key, lambda place: self._build(place / BLOB, shapes))
        outputs = self._graph.outputs
        return load(folder / BLOB, self._device, self._properties, self._program.inputs, outputs)

    def _build(self, blob: Path, shapes: Mapping[str, Sequence[int]]) -> None:
        model = self._model()
        try:
            if shapes:
                model = model.clone()
                names = [name_of(port, self._program.inputs) for port in model.inputs]
                model.reshape({name: list(shapes[name]) for name in names})
            compiled = options.core().compile_model(model, self._device, self._properties)
            blob.write_bytes(compiled.export_model().getvalue())
        except RuntimeError as error:
            why = options.last_line(error)
            raise EngineError(
                f'OpenVINO cannot compile the program {self._program.name}: {why}'
            ) from error

    def _model(self) -> Any:
        if self._source is None:
            path = self._graph.path
            if self._precision != 'int8':
                self._source = options.core().read_model(path)
            elif self._calibration is None:
                self._source = quantise.of_weights(path, self._program.name)
            else:
                samples = self._calibration.samples(self._program)
                self._source = quantise.of_all(path, self._program.name, samples)
        return self._source

    def _bits(self) -> str:
        if self._precision != 'int8':
            return self._precision
        if self._calibration is None:
            return 'int8 weights'
        return f'int8 throughout, {self._calibration.digest(self._program)}'


class _Steps:
    """Greedy decoding by one pass after the other, for graphs of passes alone have 8 bits.

    NNCF leaves weights that several steps of one graph share as they are.
    """

    def __init__(self, engine: OpenVINO, loop: Loop, held: tuple[int, ...] | None) -> None:
        self._engine, self._loop, self._held = engine, loop, held

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Run the passes; see `Program.run`."""
        store = room.get('store')
        store = given['store'].clone() if store is None else store
        held = self._held or given['lengths'].tolist()
        token, lengths = given['token'], given['lengths']
        steps = []
        for step in range(self._loop.count):
            program = Pass(
                self._loop.decoder,
                self._loop.head,
                self._loop.taps,
                tuple(rows + step for rows in held),
            )
            inputs = {
                'tokens': token,
                'positions': given['position'] + step,
                'store': store,
                'lengths': lengths + step,
            }
            done = call(self._engine, program, inputs, {'store': store})
            done['peaks'], token = done.pop('logits')[:, -1].max(-1, keepdim=True)
            done['tokens'] = token
            steps.append(done)
        # Rows of the tokens run: behind one another, as those of one pass of so many would be.
        places = {'new': 4, 'tokens': 1, 'peaks': 1}
        return {
            name: torch.cat([done[name] for done in steps], places.get(name, 2))
            for name in self._loop.outputs
        }


def weight_bytes(program: Program) -> int:
    """Give the size of the weights that a program's modules hold, bytes."""
    modules = [getattr(program, each.name) for each in fields(program)]  # type: ignore[arg-type]
    modules = [getattr(module, '__self__', module) for module in modules]
    parts = {
        id(weight): weight.numel() * weight.element_size()
        for module in modules
        if isinstance(module, nn.Module)
        for weight in module.parameters()
    }
    return sum(parts.values())


def _light(program: Program) -> bool:
    """Say whether the weights of a program are small."""
    return weight_bytes(program) <= LIGHT
