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

"""The pruner's part of an inference: what it is told waits until tokens may be dropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from vla_accel_ros.engines.host import fetch
from vla_accel_ros.engines.interface import Tensors
from vla_accel_ros.pruning.base import Pruner
from vla_accel_ros.pruning.interface import Scene
from vla_accel_ros.pruning.kept import Kept

# What calls a point of the pruner with tensors on the host.
Told = Callable[[Tensors], Kept | None]


class Choice:
    """Tell a pruner what it asked for, with one round trip to the host a drop.

    A device runs ahead of the host, and each time the host reads a value it waits until the device
    has caught up. So what programs give stays on the device until a point where the pruner may
    drop. There all of it comes to the host in one copy, and the points up to this one are called
    in their order.

    Args:
        pruner: The pruner.
        scene: What it may look at.

    Attributes:
        pruner: The pruner.
        needs: What it wants of this inference.
        round_trips: Copies from the device to the host until now. On a CPU, where nothing is
            copied, those that there would be.
    """

    def __init__(self, pruner: Pruner, scene: Scene) -> None:
        self.pruner, self.needs = pruner, pruner.begin(scene)
        self.round_trips = 0
        self._waiting: list[tuple[str, Tensors, Told]] = []

    def tell(self, point: str, tensors: Tensors, told: Told) -> None:
        """Let the pruner know of tensors at the next drop, or at the end.

        Args:
            point: Where they were made, for an error's message.
            tensors: On the device.
            told: Called with the same tensors on the host.
        """
        self._waiting.append((point, tensors, told))

    def settle(self) -> Kept | None:
        """Give what the pruner keeps here, where it may drop; None for no change.

        Raises:
            ValueError: When it drops where it did not say that it might.
        """
        return self._call((), may_drop=True)[0]

    def finish(self, also: Sequence[Tensor] = ()) -> list[Tensor]:
        """Tell the rest, of which the pruner only learns.

        Args:
            also: Tensors that the host needs at the end in any case.

        Returns:
            Those, on the host if there was anything to tell.

        Raises:
            ValueError: When the pruner drops here.
        """
        return self._call(also, may_drop=False)[1]

    def _call(self, also: Sequence[Tensor], may_drop: bool) -> tuple[Kept | None, list[Tensor]]:
        waiting, self._waiting = self._waiting, []
        flat = [tensor for _, tensors, _ in waiting for tensor in tensors.values()]
        brought = list(also)
        if flat:
            flat = fetch([*flat, *also])
            self.round_trips += 1
            brought = flat[len(flat) - len(also) :]
        arrived, kept = iter(flat), None
        for index, (point, tensors, told) in enumerate(waiting):
            kept = told({name: next(arrived) for name in tensors})
            if kept is not None and not (may_drop and index == len(waiting) - 1):
                raise ValueError(
                    f"'{self.pruner.name}' drops tokens after {point}, expected only after the "
                    f'layers {list(self.needs.drops)} (0: before the decoder) that it named'
                )
        return kept, brought
