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

"""The planner's table: what each method takes by kept tokens, and up to where a drop pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vla_accel_ros.bench.cases import Case
from vla_accel_ros.bench.contestants import Sample
from vla_accel_ros.engines.planner import Costs, Planner, drop_of
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.planned import sizes_of


def plans(
    samples: Mapping[Case, Sequence[Sample]],
    costs: Mapping[str, Costs],
    promised: Costs,
    config: VLAConfig,
) -> list[dict[str, Any]]:
    """Give a row for each engine and pruning method that dropped something.

    Args:
        samples: Of all cases.
        costs: By engine, measured.
        promised: What the device's rates promise, whatever the engine.
        config: The model's.
    """
    total, sizes, found = config.visual_tokens, sizes_of(config), []
    by_rates = Planner(promised, total, sizes)
    done: set[tuple[object, ...]] = set()
    for case, mine in samples.items():
        pruned = [sample for sample in mine if sample.work.visual[-1] < total]
        key = (case.engine, *case.pruning)
        if not pruned or case.engine not in costs or key in done:
            continue
        done.add(key)
        work = pruned[-1].work
        projected = total if work.projected is None else work.projected
        planner = Planner(costs[case.engine], total, sizes)
        drop = drop_of(work.visual, projected, total)
        choice_ms = float(np.median([sample.ms['selection'] for sample in pruned]))
        found.append(
            {
                'engine': case.engine,
                'method': case.asked or case.name,
                **planner.row(drop, choice_ms),
                'pays_up_to_by_rates': by_rates.pays_up_to(drop, choice_ms),
            }
        )
    return found
