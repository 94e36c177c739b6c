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

"""What the methods must achieve on a CPU: bars over the rows of one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vla_accel_ros.acceleration import BASELINE
from vla_accel_ros.bench.cases import GREEDY, RIGHT
from vla_accel_ros.bench.names import EAGER, PLAIN
from vla_accel_ros.bench.summary import Row
from vla_accel_ros.pruning.early import AFTER_LAYER, BEFORE_LLM, BEFORE_PROJECTOR
from vla_accel_ros.pruning.registry import parameters_of

KEEP = 0.25
LAYER = 2
VERIFIED = f'verify, {RIGHT} draft'


@dataclass(frozen=True)
class Bar:
    """A bound, and what was measured.

    Attributes:
        what: What is bounded.
        bound: The bound itself.
        least: Whether it is the least value, or the largest one.
        measured: By name of the row; empty where no row of the run tells.
    """

    what: str
    bound: float
    least: bool
    measured: dict[str, float | None]

    @property
    def holds(self) -> bool:
        """Whether something was measured, and all of it keeps the bound."""
        return bool(self.measured) and all(
            value is not None and (value >= self.bound if self.least else value <= self.bound)
            for value in self.measured.values()
        )


def drop_layer(row: Row) -> int | None:
    """Give the layer after which a row's tokens are dropped, 0 for before the decoder.

    None where nothing is dropped, or where the method's parameters leave it to the model's depth.
    """
    if row.pruner in (BASELINE, PLAIN):
        return None
    table = {name: each.default for name, each in parameters_of(row.pruner).items()}
    place = row.parameters.get('place', table.get('place', AFTER_LAYER))
    # A method without a layer to choose, such as DART, drops before the decoder.
    if place in (BEFORE_PROJECTOR, BEFORE_LLM) or 'layer' not in table:
        return 0
    return row.parameters.get('layer', table['layer']) or None


def bars(rows: Sequence[Row]) -> tuple[Bar, ...]:
    """Hold the rows of a run on the eager engine against the bars."""

    def of(chosen: Callable[[Row], bool], value: Callable[[Row], float | None]):
        return {row.name: value(row) for row in rows if row.engine == EAGER and chosen(row)}

    def greedily(row: Row) -> bool:
        return row.decoder == GREEDY

    def quarter(layer: int) -> Callable[[Row], bool]:
        return lambda row: greedily(row) and row.keep == KEEP and drop_layer(row) == layer

    return (
        Bar(
            f'prefill and selection, {KEEP:.0%} kept before the decoder: times faster',
            2.5,
            True,
            of(quarter(0), lambda row: row.prefill_gain),
        ),
        Bar(
            f'prefill and selection, {KEEP:.0%} kept after layer {LAYER}: times faster',
            1.5,
            True,
            of(quarter(LAYER), lambda row: row.prefill_gain),
        ),
        Bar(
            f'selection over the prefill it saves, {KEEP:.0%} kept',
            0.05,
            False,
            of(lambda row: greedily(row) and row.keep == KEEP, lambda row: row.selection_share),
        ),
        Bar(
            'all of an answer, every draft right: times faster than greedy',
            1.25,
            True,
            of(
                lambda row: row.pruner == BASELINE and row.decoding == VERIFIED,
                lambda row: row.total_gain,
            ),
        ),
    )
