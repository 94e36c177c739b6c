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

"""How much of a chunk is executed before the VLA is asked again.

Whole chunks are cheap and blind: the last row answers a picture that is a chunk old. A fixed
number of rows is what most policies are run with. With `rule` the rule of the scheduler decides,
as it does between single actions: the rest of the chunk stands in the predictor's place. That is
the adaptive horizon of AAC, AutoHorizon and SpecPrune-VLA's controller, by SP-VLA's rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vla_accel_ros.options import check_options, option
from vla_accel_ros.scheduling.rules.interface import Verdict

CHUNK, FIXED, BY_RULE = 'chunk', 'fixed', 'rule'
NEXT = 'next_of_chunk'


@dataclass(frozen=True)
class Horizon:
    """Say at each row of a chunk whether the VLA is to be asked again (ours).

    With `overlap` the chunk goes on until the answer takes over, and the VLA is asked at the
    latest when fewer than `prefetch_rows` rows are left. Without it the rest of the chunk is
    dropped with the question, and the arm stands still until the answer is there: it then
    executes rows that answer a picture of where it is.

    Raises:
        ValueError: When a value is outside its range.
    """

    execute: str = option(
        CHUNK,
        'How much of a chunk is executed before the VLA is asked again: all of it (chunk), '
        'execute_rows (fixed), or as much as the rule allows (rule), which judges the rest of the '
        'chunk as it judges a predictor',
        choices=(CHUNK, FIXED, BY_RULE),
    )
    execute_rows: int = option(
        4, 'Steps from one look to the next with execute fixed', range=(1, 1000)
    )
    prefetch_rows: int = option(
        2, 'Ask the VLA already when fewer actions than this are queued', range=(0, 64)
    )
    overlap: bool = option(
        True,
        'Go on with the old chunk while the VLA computes the next one (asynchronous inference); '
        'without, the arm stands still until the answer is there: nothing is asked ahead '
        '(prefetch_rows) or bridged. With chunks: ensemble the arm always goes on',
    )

    def __post_init__(self) -> None:
        check_options(self)

    def why_ask(self, executed: int, left: int, judge: Callable[[int], Verdict]) -> str | None:
        """Say why the VLA is to be asked with the step of a row, None where it is not.

        Args:
            executed: Rows of the chunk that were executed before this one.
            left: Rows behind it.
            judge: The rule's verdict on a step that comes so many steps after a look.
        """
        if self.execute == FIXED and executed >= self.execute_rows:
            return 'horizon_reached'
        if self.execute == BY_RULE:
            verdict = judge(executed)
            if not verdict.intuitive:
                return verdict.reason
        return NEXT if self.overlap and left < self.prefetch_rows else None
