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

"""All episodes summed up, a row a method."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from vla_accel_ros.acceleration import Method
from vla_accel_ros.acceleration.settings import settings_of
from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.replay.measures import quantities, view
from vla_accel_ros.replay.pooling import estimate
from vla_accel_ros.replay.trace import ReplayedEpisode
from vla_accel_ros.report.data import MethodRow


@dataclass
class Summary:
    """What is known after the last episode.

    Attributes:
        rows: One a method, in the order in which they were run.
        episodes: What each was: name, instruction, why it begins, when, how many steps.
        steps: Steps of the policy, of each method.
        frames: Frames that were looked at.
    """

    rows: list[MethodRow] = field(default_factory=list)
    episodes: list[dict] = field(default_factory=list)
    steps: int = 0
    frames: int = 0


def summarise(
    episodes: Iterable[ReplayedEpisode],
    methods: Sequence[Method],
    reference: str,
    step_s: float,
    space: ActionSpace,
) -> Summary:
    """Sum up.

    Args:
        episodes: At least one; taken one at a time, so that only figures stay in memory.
        methods: Those that were run, the reference among them.
        reference: Name of the unaccelerated one.
        step_s: Policy step, seconds.
        space: What the columns of actions are.
    """
    table, found = quantities(space), Summary()
    values: dict[tuple[str, str], list[np.ndarray]] = {}
    kinds: dict[str, Counter[str]] = {method.name: Counter() for method in methods}
    calls: dict[str, list[np.ndarray]] = {method.name: [] for method in methods}
    for episode in episodes:
        found.episodes.append(_about(episode))
        found.steps, found.frames = found.steps + len(episode), found.frames + episode.frames
        for method in methods:
            seen = view(episode, method.name, reference, step_s, space)
            for quantity in table:
                key = method.name, quantity.measure.key
                values.setdefault(key, []).append(quantity.of(seen))
            kinds[method.name].update(seen.trace.words['kind'].tolist())
            calls[method.name].append(seen.trace.floats['model_ms'][seen.trace.called])
    for method in methods:
        figures = {
            quantity.measure.key: estimate(
                values[method.name, quantity.measure.key], quantity.pool
            )
            for quantity in table
        }
        if method.name == reference:
            # It is what the others are compared with: it departs from itself by nothing.
            figures = {k: v for k, v in figures.items() if not k.startswith('reference_')}
        found.rows.append(
            MethodRow(
                method.name,
                method.summary,
                figures,
                {kind: count / max(found.steps, 1) for kind, count in kinds[method.name].items()},
                np.concatenate(calls[method.name]).round(3).tolist(),
                settings_of(method),
            )
        )
    return found


def _about(episode: ReplayedEpisode) -> dict:
    return {
        'name': episode.name,
        'instruction': episode.instruction,
        'begins': episode.reason,
        'steps': len(episode),
        'frames': episode.frames,
        'complete': episode.complete,
        'first_stamp_ns': int(episode.stamps[0]) if len(episode) else None,
        'last_stamp_ns': int(episode.stamps[-1]) if len(episode) else None,
    }
