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

"""Linear layers of one input whose weights are views of one matrix, so that one product does."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn


class Packable(nn.Module):
    """A module that may hold its linear layers' weights as rows of one matrix.

    Parameters keep their names and stay parameters: `pack` makes views of them. Whatever changes
    them in place (training, `load_state_dict`) therefore changes the matrix. A copy and a move to
    another device or type pack anew. Where gradients are recorded the separate weights are used.
    A weight must not be replaced by another tensor after packing, but by `load_state_dict`.

    Attributes:
        parts: Names of the linear layers, without biases, all of the same input.
    """

    parts: ClassVar[tuple[str, ...]]
    packed: Tensor | None

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer('packed', None, persistent=False)
        self.register_load_state_dict_post_hook(lambda module, _: module._pack_again())

    def pack(self) -> None:
        """Make the weights views of one matrix; where they are, nothing is done."""
        if self.packed is not None:
            return
        weights = [self.get_submodule(name).weight for name in self.parts]
        with torch.inference_mode(False):
            packed = torch.cat([weight.detach() for weight in weights])
            for weight, rows in zip(weights, packed.split([len(w) for w in weights]), strict=True):
                weight.data = rows
        self.packed = packed

    def matrix(self) -> Tensor | None:
        """Give the matrix [rows of all parts, width] to multiply with, None to use the parts."""
        return None if torch.is_grad_enabled() else self.packed

    def _pack_again(self) -> None:
        if self.packed is not None:
            self.packed = None
            self.pack()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Packable:
        packed, self.packed = self.packed is not None, None
        super()._apply(fn, recurse)
        if packed:
            self.pack()
        return self

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        self._pack_again()
