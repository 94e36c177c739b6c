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

"""Graphs of checkpoints that fill the memory: made from the folder, with no weight read.

The weights are memory that the files stand behind. Graphs are traced on it without a number being
looked at, and refer to the files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from vla_accel_ros.engines.interface import Program
from vla_accel_ros.engines.onnx.graphs import Graph, Graphs
from vla_accel_ros.engines.programs.decoder import Loop, Pass, Span
from vla_accel_ros.engines.store import Store
from vla_accel_ros.models.checkpoints.folder import load
from vla_accel_ros.models.vla import VLA


def linked_graphs(folder: Path, store: Store, model: VLA | None = None) -> Graphs:
    """Give the graphs of a checkpoint, linked to its files.

    Args:
        folder: The checkpoint's.
        store: Where graphs are kept; on the file system of the checkpoint.
        model: That was loaded from the folder, for programs that are made of it; if None, one
            whose weights stay in the files.

    Raises:
        CheckpointError: When the folder is none, or a file is missing or corrupt.
    """
    if model is None:
        model = load(folder, mapped=True)
    return Graphs(model, store, model.on_disk and model.on_disk(), packed=False)


def export_linked(
    folder: Path,
    store: Store,
    programs: Callable[[VLA], Iterable[Program]] | None = None,
    told: Callable[[Program, Graph], object] = lambda program, graph: None,
) -> list[Graph]:
    """Export the graphs of a checkpoint, linked to its files.

    Args:
        folder: The checkpoint's.
        store: Where graphs are kept; on the file system of the checkpoint.
        programs: Gives the programs of a model; `usual_programs` if None.
        told: Called with each that is there.

    Raises:
        CheckpointError: When the folder is none, or a file is missing or corrupt.
        EngineError: When a program cannot be exported, or its graph not stored.
    """
    model = load(folder, mapped=True)
    graphs, found = linked_graphs(folder, store, model), []
    for program in (programs or usual_programs)(model):
        found.append(graphs.graph(program))
        told(program, found[-1])
    return found


def usual_programs(model: VLA) -> Iterable[Program]:
    """Give the programs of a call that drops no token, and those that verify a draft."""
    language, config = model.language_model, model.config
    layers, at_once = config.decoder.layers, config.head.single_pass
    if config.film:
        yield model.instruction()
    yield model.vision()
    yield model.projection()
    yield Span(language.model, 0, layers, causal=not at_once, norm=True)
    if at_once:
        yield model.head()
    else:
        yield model.logits_of()
        yield Loop(language.model, language.lm_head, config.action_dims - 1)
        yield Pass(language.model, language.lm_head)
