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

"""What is known of a checkpoint that runs, and of the proprioception that it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from vla_accel_ros.deploy.meter import Meter
from vla_accel_ros.deploy.robot import Facts, ModelFacts, StateFacts
from vla_accel_ros.deploy.wants import Wants

# Names that are kept, and values without names: more than a robot has, and few enough to tell once
# a second whatever is published.
MOST_NAMES = 256
# Of late calls the fastest is a warm one: the others may have been held up by the machine.
CALLS = 20


class StateWatch:
    """Measures proprioception, which may come from several drivers.

    Args:
        chosen: Names of what the checkpoint is given; none takes whole messages.
    """

    def __init__(self, chosen: Sequence[str]) -> None:
        self._chosen = tuple(chosen)
        self._meter = Meter()
        self._names: dict[str, None] = {}
        self._values: dict[str | int, float] = {}

    def heard(
        self, stamp_ns: int, now_ns: int, names: Sequence[str], values: Sequence[float]
    ) -> None:
        """Take note of a message.

        Args:
            stamp_ns: Its stamp, nanoseconds.
            now_ns: The present on the same clock.
            names: Its names, or none.
            values: Its values, or none.
        """
        if len(values) == 0 or (names and len(names) != len(values)):
            return
        if not self._chosen:
            self.clear()
        for name in names:
            # Those that the checkpoint is given are told whatever else there is.
            if name in self._chosen or len(self._names) < MOST_NAMES:
                self._names[name] = None
        if not self._chosen or not set(self._chosen).isdisjoint(names):
            self._meter.add(stamp_ns, now_ns)
            keys = names or range(len(values))
            heard = zip(keys, values, strict=True)
            kept = [pair for pair in heard if pair[0] in self._chosen or not self._chosen]
            self._values.update((key, float(value)) for key, value in kept[:MOST_NAMES])

    def clear(self) -> None:
        """Forget the names and the values that were heard."""
        self._names, self._values = {}, {}

    def facts(self, tolerance_s: float) -> StateFacts:
        """Return what is known.

        Args:
            tolerance_s: Farthest that a message may be from its observation, seconds.
        """
        keys = self._chosen or tuple(self._values)
        # All values or none: a part of them is not what the checkpoint is given.
        values = tuple(self._values.get(key, float('nan')) for key in keys)
        return StateFacts(
            self._chosen,
            tolerance_s,
            tuple(self._names),
            values if all(map(isfinite, values)) else (),
            self._meter.stream(),
        )


class ModelWatch:
    """Keeps what is to be told; usable from the executor's thread and the worker's.

    Args:
        wants: What the policy wants; None where nobody says it.
        chosen: Names of its proprioception, by parameter; none takes whole messages.
        warm_ms: What a call of the warm-up took; counts before any other call.

    Attributes:
        state: Measures the proprioception.
    """

    def __init__(
        self, wants: Wants | None, chosen: Sequence[str], warm_ms: float | None = None
    ) -> None:
        self.state = StateWatch(chosen)
        self._wants, self._warm_ms = wants, warm_ms
        self._calls_ms: list[float] = []
        self._prompt_refused = ''

    def answered(self, took_ms: float) -> None:
        """Take note of a call that was answered."""
        self._calls_ms = [*self._calls_ms[1 - CALLS :], float(took_ms)]
        self._prompt_refused = ''

    def refuse_prompt(self, why: str) -> None:
        """Take note that the instruction cannot be read."""
        self._prompt_refused = why

    def facts(self, settings: Mapping[str, object]) -> Facts:
        """Return all that is known.

        Args:
            settings: The node's parameters by name.
        """
        return Facts(
            wants=self._wants,
            model=ModelFacts(
                settings['policy_step'],
                settings['frame_id'],
                min(self._calls_ms, default=self._warm_ms),
                self._prompt_refused,
            ),
            state=self.state.facts(settings['proprio_tolerance'])
            if self._wants is not None and self._wants.state.width
            else None,
        )
