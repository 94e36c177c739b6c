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

"""Which stored tensors a model's tensors are made of, where the names are others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

# By the model's name, the names of the stored tensors that stand below one another in it.
Sources = Mapping[str, tuple[str, ...]]
Shape = tuple[int, ...]


class Assembly:
    """From stored tensors to a model's.

    Of stored tensors the first sizes of 1 may be missing: a table of positions is stored as
    [n, width] and held as [1, n, width].

    Args:
        wanted: Shapes by the model's names.
        sources: Of the model's tensors that are stored under other names.
        found: Shapes by the stored names.
    """

    def __init__(
        self, wanted: Mapping[str, Shape], sources: Sources, found: Mapping[str, Shape]
    ) -> None:
        self._wanted = wanted
        self.parts = {name: tuple(sources.get(name, (name,))) for name in wanted}
        self._owner = {part: name for name, parts in self.parts.items() for part in parts}
        self._found = found
        self._held: dict[str, dict[str, Tensor]] = {}

    @property
    def used(self) -> Collection[str]:
        """Stored names that some tensor of the model is made of."""
        return self._owner.keys()

    def missing(self) -> list[str]:
        """List the stored tensors that are wanted and not there."""
        return [part for part in self._owner if part not in self._found]

    def misshapen(self) -> list[str]:
        """List the stored tensors whose shape does not fit, with what was expected."""
        wrong = []
        for name, parts in self.parts.items():
            shapes = [self._found[part] for part in parts if part in self._found]
            if len(shapes) == len(parts) and not _fits(shapes, self._wanted[name]):
                found = ' and '.join(str(list(shape)) for shape in shapes)
                wrong.append(f'{", ".join(parts)} {found} for {list(self._wanted[name])}')
        return wrong

    def owner(self, part: str) -> str:
        """Give the model's name of what a stored tensor is a part of."""
        return self._owner[part]

    def add(self, part: str, tensor: Tensor) -> Tensor | None:
        """Take in a stored tensor.

        Returns:
            The model's tensor, as soon as all of its parts are there.
        """
        import torch

        name = self._owner[part]
        parts, held = self.parts[name], self._held.setdefault(name, {})
        held[part] = tensor
        if len(held) < len(parts):
            return None
        del self._held[name]
        whole = tensor if len(parts) == 1 else torch.cat([held[each] for each in parts])
        return whole.view(self._wanted[name])


def _fits(shapes: list[Shape], wanted: Shape) -> bool:
    first, *others = shapes
    if not others:
        return first == wanted or (1,) * (len(wanted) - len(first)) + first == wanted
    return (
        all(shape[1:] == first[1:] for shape in others)
        and (sum(shape[0] for shape in shapes if shape), *first[1:]) == wanted
    )
