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

"""Nodes that are put behind one another, for a graph that is made of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from onnxscript import ir


class Nodes:
    """Nodes in the order in which they run, and the constants that they use.

    Attributes:
        made: The nodes.
        constants: The constants.
    """

    def __init__(self) -> None:
        self.made: list[ir.Node] = []
        self.constants: list[ir.Value] = []

    def constant(self, name: str, numbers: np.ndarray) -> ir.Value:
        """Add a constant."""
        from onnxscript import ir

        self.constants.append(ir.val(name, const_value=ir.tensor(numbers)))
        return self.constants[-1]

    def add(self, kind: str, inputs: Sequence[ir.Value | None], **attributes: int) -> ir.Value:
        """Add a node of one output, and give that."""
        return self.split(kind, inputs, 1, **attributes)[0]

    def split(
        self, kind: str, inputs: Sequence[ir.Value | None], outputs: int, **attributes: int
    ) -> tuple[ir.Value, ...]:
        """Add a node of several outputs, and give those."""
        from onnxscript import ir

        self.made.append(ir.node(kind, inputs, attributes, num_outputs=outputs))
        return tuple(self.made[-1].outputs)

    def joined(self, parts: Sequence[ir.Value | None], axis: int) -> ir.Value:
        """Add a node that joins values along an axis."""
        return self.add('Concat', parts, axis=axis)

    def copy(
        self, graph: ir.Graph, known: Mapping[ir.Value, ir.Value | None], prefix: str
    ) -> list[ir.Value]:
        """Copy the nodes of a graph.

        Args:
            graph: The graph.
            known: What stands in the place of its inputs and constants; None for what has no
                rows, which may only be joined with what has some.
            prefix: Of their names.

        Returns:
            What stands in the place of the graph's outputs.
        """
        from onnxscript import ir

        place = dict(known)
        for node in graph:
            inputs = [None if value is None else place[value] for value in node.inputs]
            nothing = [
                value for value in node.inputs if value is not None and place[value] is None
            ]
            if nothing:
                assert node.op_type == 'Concat' and len(inputs) - len(nothing) == 1, node
                place[node.outputs[0]] = next(value for value in inputs if value is not None)
                continue
            copy = ir.Node(
                node.domain,
                node.op_type,
                inputs,
                node.attributes.values(),
                num_outputs=len(node.outputs),
                name=f'{prefix}.{node.name}',
            )
            self.made.append(copy)
            for old, new in zip(node.outputs, copy.outputs, strict=True):
                new.name, new.dtype = f'{prefix}.{old.name}', old.dtype
                place[old] = new
        results = [place[value] for value in graph.outputs]
        return [value for value in results if value is not None]
