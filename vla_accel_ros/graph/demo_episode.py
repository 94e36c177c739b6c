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

"""One episode of the demo, driven by an operator up to success or a limit."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import TYPE_CHECKING

from vla_accel_ros.graph.demo_report import DemoEpisode

if TYPE_CHECKING:
    from vla_accel_ros.graph.operator import Operator

# Until all nodes are active, and until nothing stands against enabling the arm.
START_S, ANSWER_S = 120.0, 10.0
POLL_S = 0.2
TICK_S = 0.1


def run_episode(
    operator: Operator,
    number: int,
    seed: int,
    instruction: str,
    limit_s: float,
    show: Callable[[DemoEpisode, bool], None],
    enable_s: float = ANSWER_S,
) -> DemoEpisode:
    """Lay the table, instruct, enable, and watch until success or the limit.

    Args:
        operator: Of the arm.
        number: Of the episode, from 0 on.
        seed: Of the table's layout.
        instruction: What to do.
        limit_s: An episode that takes longer has failed, seconds.
        show: Called at each look with the episode and whether it is over.
        enable_s: Longest that the arm may refuse to be enabled, seconds.

    Raises:
        GraphError: When a node does not do what it is asked to.
    """
    operator.instruct('')
    operator.reset(seed, instruction)
    record = operator.begin()
    operator.instruct(instruction)
    operator.enable(enable_s)
    begun = time.monotonic()
    episode = DemoEpisode(number, seed, instruction, record)
    asked = None
    while episode.seconds < limit_s and not episode.success:
        wait = begun + episode.seconds + TICK_S
        operator.until(lambda at=wait: time.monotonic() >= at, 'time passes', 60.0)
        episode.seconds = time.monotonic() - begun
        if asked is not None and asked.done():
            episode.success, asked = asked.result().success, None
        elif asked is None and episode.seconds % POLL_S < TICK_S * 1.5:
            asked = operator.ask_success()
        show(episode, False)
    operator.stop()
    operator.instruct('')
    show(episode, True)
    return episode
