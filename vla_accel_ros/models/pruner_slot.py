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


"""The pruner in use, changed between two inferences and never within one."""

from __future__ import annotations

from threading import Lock

from vla_accel_ros.pruning.base import Pruner
from vla_accel_ros.pruning.interface import Layout
from vla_accel_ros.pruning.registry import create


class PrunerSlot:
    """Hold a pruner, and what is to become of it at the next inference.

    `choose` and `reset` may be called from any thread, `take` from the one that infers.

    Args:
        layout: Where the model's visual tokens come from.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._pruner: Pruner = create('none', layout)
        self._next: Pruner | None = None
        self._begins = False
        self._lock = Lock()

    def choose(self, method: str, **parameters) -> None:
        """Choose the method from the next inference on.

        Raises:
            ValueError: When it cannot be; what was in use then stays.
        """
        chosen = create(method, self._layout, **parameters)
        with self._lock:
            self._next = chosen

    def reset(self) -> None:
        """Begin an episode at the next inference."""
        with self._lock:
            self._begins = True

    def fresh(self) -> Pruner:
        """Give another pruner of the method and parameters to come, at an episode's begin."""
        with self._lock:
            like = self._pruner if self._next is None else self._next
        return type(like)(like.parameters, like.layout)

    def take(self) -> Pruner:
        """Give the pruner for the inference that begins now.

        The same method with other parameters goes on with what it learnt of the episode.
        """
        with self._lock:
            chosen, self._next = self._next, None
            begins, self._begins = self._begins, False
        if chosen is not None:
            if type(chosen) is type(self._pruner):
                self._pruner.configure(chosen.parameters)
            else:
                self._pruner = chosen
        if begins:
            self._pruner.reset()
        return self._pruner
