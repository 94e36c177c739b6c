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

"""How large the inputs of products with weights get on recorded frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from vla_accel_ros.engines.interface import EngineError, Program


def magnitudes(
    program: Program, model: nn.Module, samples: Sequence[Mapping[str, Tensor]]
) -> dict[str, float]:
    """Run a program on samples and note what its weights are multiplied with.

    Args:
        program: The program.
        model: Of whose modules it is made; it is run where it is, in its own type.
        samples: Inputs of the program by name, one frame each.

    Returns:
        By the name of a weight [out, in] the largest magnitude of an input of its product; only of
        weights that are multiplied with.

    Raises:
        EngineError: When an input is NaN or infinite.
    """
    device = next(model.parameters()).device
    seen = _Products()
    with torch.inference_mode(), seen:
        for sample in samples:
            program.run({name: tensor.to(device) for name, tensor in sample.items()}, {})
    found = {}
    for name, weight in model.named_parameters(remove_duplicate=False):
        largest = seen.of(weight)
        if largest is None:
            continue
        if not math.isfinite(largest):
            raise EngineError(
                f'on the calibration frames {name} of the program {program.name} is multiplied '
                f'with {largest}'
            )
        found[name] = largest
    return found


class _Products(TorchFunctionMode):
    """Notes each `linear`: the bytes that its weight lies in, and the largest input."""

    def __init__(self) -> None:
        super().__init__()
        self._largest: dict[tuple[int, int], Tensor] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run a function of torch."""
        if func is functional.linear:
            largest = args[0].abs().max().float()
            place = _bytes(args[1])
            before = self._largest.get(place)
            self._largest[place] = largest if before is None else torch.maximum(before, largest)
        return func(*args, **(kwargs or {}))

    def of(self, weight: Tensor) -> float | None:
        """Give the largest input of products with a weight, None where there was none.

        A product with a packed matrix is one with each weight that is a part of it.
        """
        begin, end = _bytes(weight)
        found = [
            largest.item()
            for (first, last), largest in self._largest.items()
            if first <= begin and end <= last
        ]
        # Of NaN and a number `max` may give either.
        return max(found, key=lambda each: (math.isnan(each), each)) if found else None


def _bytes(weight: Tensor) -> tuple[int, int]:
    begin = weight.data_ptr()
    return begin, begin + weight.numel() * weight.element_size()
