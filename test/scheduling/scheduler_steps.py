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

"""Policy steps of a scheduler, in milliseconds; what its tests are written in."""

from vla_accel_ros.actions import ActionChunk
from vla_accel_ros.scheduling.config import SchedulerConfig
from vla_accel_ros.scheduling.scheduler import Scheduler

MS = 1_000_000
STEP = 50 * MS
FAST = [0.015, 0.0, 0.0, 0.0, 0.0, 0.001, 0.0]


# SP-VLA's scheduling, which asks and drafts in ways that are easy to follow.
SP_VLA = {'rule': 'velocity', 'predictor': 'ridge', 'gripper_guard': True, 'prefetch_rows': 0}


def config(**options):
    return SchedulerConfig(**{**SP_VLA, **options})


def scheduler(instruction='pick up the red cube', **options):
    one = Scheduler(config(**options))
    if instruction:
        one.set_instruction(instruction)
    return one


def frame(one, step, late_ms=0):
    """Hand over the frame of a step; its stamp is later than the clock's zero by choice."""
    return one.on_frame(stamp_of(step), step * STEP + late_ms * MS)


def stamp_of(step):
    return 1_000_000 * MS + step * STEP


def answer(one, step, at_ms, rows=1, row=FAST, **options):
    """Answer the request of a step, `at_ms` after that step's frame."""
    chunk = ActionChunk([[v * (i + 1) for v in row] for i in range(rows)], stamp_of(step))
    return one.on_answer(chunk, step * STEP + at_ms * MS, **options)


def taught(count=6, **options):
    """Give a scheduler whose buffer holds `count` equal actions of the VLA, and the next step."""
    one = scheduler(**{'rule': 'never', **options})
    for step in range(count):
        assert frame(one, step).request is not None
        assert answer(one, step, 10).action is not None
    return one, count
