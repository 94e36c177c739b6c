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

"""A target that knows the answer: what is lost and what it costs follow from the parameters."""

from dataclasses import dataclass

import numpy as np

from vla_accel_ros.acceleration import Method
from vla_accel_ros.tuning.points import Point, Score
from vla_accel_ros.tuning.spaces import Model, spaces
from vla_accel_ros.tuning.target import Run, Stopped

MODEL = Model(layers=4, visual_tokens=72)
EPISODES = 5


@dataclass(frozen=True)
class MadeUpPlan:
    """Slow motion is lost at once, fast motion is free: the best v_min is that of `edge`."""

    edge: float = 0.2
    give_up: float = 40.0
    held: bool = False
    loss_unit = 'points'
    cost_unit = 'calls'
    timed = False
    step_s = 0.05

    def identity(self):
        return {'tuned on': 'made up', 'edge': self.edge}

    def build(self, baseline, stop):
        if stop():
            raise Stopped
        return MadeUpTarget(self)

    def held_out(self):
        return MadeUpPlan(self.edge + 0.02, self.give_up, True) if not self.held else None

    def describe(self):
        return 'other numbers' if self.held else 'numbers'

    def interval(self, run):
        return run.loss - 1, run.loss + 1


class MadeUpTarget:
    def __init__(self, plan):
        self.plan = plan
        self.baseline = {'costs': [100.0] * EPISODES, 'per': [1] * EPISODES, 'load': 0.0}

    def measure(self, method: Method, stop) -> Run:
        if stop():
            raise Stopped
        v_min = method.scheduler.v_min
        lost = max(0.0, self.plan.edge - v_min) * 300
        stopped = lost > self.plan.give_up
        count = 2 if stopped else EPISODES
        return Run(
            [np.array([lost])] * count,
            [20 + 200 * v_min] * count,
            [1] * count,
            stopped,
            {'load': 0.0, 'slower': 1.0},
        )


def space(text='hold'):
    return spaces(text, MODEL)[0]


def point(name, loss, cost, stopped=False, of='hold'):
    found = space(of)
    return Point(
        found.with_values({}, name),
        of,
        {'v_min': 0.1},
        Score(loss, cost, stopped, {'load': 0.0, 'slower': 1.0}),
    )


def never():
    return False
