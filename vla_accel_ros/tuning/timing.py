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

"""What a call of the model costs in time, on a machine that others use, too.

A clock on the wall says as much about the others as about the method. On the CPU, with the one
thread that a search computes in, the processor time of that thread is what a call would take
alone. Others still slow it down through caches and shared cores. So the same call,
unaccelerated and on a grey picture, is timed beside each episode, and times count at the pace
that the machine had when the unaccelerated policy was measured.
"""

from __future__ import annotations

from dataclasses import replace
import os
import time

import numpy as np

from vla_accel_ros.acceleration import BASELINE, apply_method, parse
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.prediction import Prediction
from vla_accel_ros.models.self_test import blank

GREY = 128


class ProcessorTimed:
    """A policy whose answers say the processor time that they took.

    Args:
        policy: The policy.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def __getattr__(self, name: str) -> object:
        if name == '_policy':
            # Asked for before there is one, as copying does.
            raise AttributeError(name)
        return getattr(self._policy, name)

    def sibling(self) -> ProcessorTimed:
        """Return another over the same weights; see `Policy.sibling`."""
        return ProcessorTimed(self._policy.sibling())

    def predict(self, *args, **kwargs) -> Prediction:
        """Answer one observation; see `Policy.predict`."""
        begun = time.thread_time()
        answer = self._policy.predict(*args, **kwargs)
        took = (time.thread_time() - begun) * 1e3
        return replace(answer, timings_ms={**answer.timings_ms, 'total': took})


def timed(policy: Policy) -> Policy | ProcessorTimed:
    """Return the policy with times that others disturb as little as can be."""
    import torch

    alone = policy.model.device.type == 'cpu' and torch.get_num_threads() == 1
    return ProcessorTimed(policy) if alone else policy


class Pace:
    """Times a fixed call.

    Args:
        policy: Its weights are used, not its memory.
    """

    def __init__(self, policy: Policy | ProcessorTimed) -> None:
        self._policy = policy.sibling()
        apply_method(parse(BASELINE), self._policy)
        self._scene = blank(policy, GREY)

    def __call__(self) -> float:
        """Return the milliseconds of a call, now: the faster of two, for what disturbs is slow."""
        return min(self._once(), self._once())

    def _once(self) -> float:
        self._policy.reset()
        return self._policy.predict(self._scene).timings_ms['total']


def typical(calls: list[float]) -> float:
    """Return the pace of several calls, milliseconds: the median, for a stray one says little."""
    return float(np.median(calls))


def load() -> float:
    """Return how many processes want each core of this machine, over the last minute."""
    return round(os.getloadavg()[0] / (os.cpu_count() or 1), 2)
