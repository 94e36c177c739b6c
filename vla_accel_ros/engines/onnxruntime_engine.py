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

"""ONNX Runtime: each program's graph in a session, by default on the CPU in float32."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from vla_accel_ros.engines.interface import Bucket, EngineError, Program, Runner, Tensors
from vla_accel_ros.engines.new_rows import keep
from vla_accel_ros.engines.onnx.graphs import Graphs
from vla_accel_ros.engines.programs.decoder import general

# All others are so small that a session's call takes longer than they do.
TAKEN = ('vision', 'projector', 'span', 'pass', 'loop', 'head')


class OnnxRuntime:
    """Run programs on ONNX Runtime.

    Args:
        graphs: Gives the ONNX graph of a program.

    Raises:
        EngineError: When ONNX Runtime is not installed.
    """

    name: ClassVar[str] = 'onnxruntime'

    def __init__(self, graphs: Graphs) -> None:
        self.precision, self.exact = 'float32', True
        self._graphs = graphs
        self._sessions: dict[Program, Any] = {}

    def ready(self, program: Program, bucket: Bucket) -> Runner:
        """Give what runs a program; see `Engine.ready`."""
        if program.name not in TAKEN:
            return program.run
        held = getattr(program, 'held', None)
        if program not in self._sessions:
            self._sessions[general(program)] = self._session(general(program))
        session = self._sessions[program]
        outputs = program.outputs

        def run(given: Tensors, room: Tensors) -> dict[str, Tensor]:
            feeds = {name: given[name].numpy() for name in program.inputs}
            try:
                # All of them, in order: an output may be called as an input is.
                found = session.run(None, feeds)
            except Exception as error:
                # Its errors share no class but Exception.
                raise EngineError(f'onnxruntime cannot run {program.name}: {error}') from error
            done = {k: torch.from_numpy(v) for k, v in zip(outputs, found, strict=True)}
            if room:
                keep(done, given, room, held)
            return done

        return run

    def _session(self, program: Program) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        path = str(self._graphs.graph(program).path)
        return onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])
