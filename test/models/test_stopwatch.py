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

"""Stages are told apart, and nothing is waited for while they run."""

import pytest
import torch

from vla_accel_ros.models.stopwatch import STAGES, DeviceClock, HostClock, Stopwatch, clock_of


class Steps:
    """A clock that goes on by given steps; what it marks it knows only later."""

    def __init__(self, *moments):
        self._moments, self.asked = list(moments), 0

    def mark(self):
        return [self._moments.pop(0)]

    def between(self, begin, end):
        self.asked += 1
        return end[0] - begin[0]


def test_a_stage_within_another_counts_for_itself_alone():
    watch = Stopwatch(Steps(0, 1, 4, 9))
    with watch('prefill'), watch('selection'):
        pass
    ms = watch.ms()
    assert (ms['prefill'], ms['selection']) == (6, 3)
    assert set(ms) == set(STAGES)
    assert sum(ms.values()) == 9


def test_a_stage_that_comes_again_is_added_up():
    watch = Stopwatch(Steps(0, 2, 10, 13))
    for _ in range(2):
        with watch('decode'):
            pass
    assert watch.ms()['decode'] == 5


def test_a_stage_within_one_of_its_own_name_counts_once():
    watch = Stopwatch(Steps(0, 1, 4, 9))
    with watch('selection'), watch('selection'):
        pass
    assert watch.ms()['selection'] == 9


def test_moments_are_only_marked_until_they_are_asked_for():
    clock = Steps(*range(8))
    watch = Stopwatch(clock)
    with watch('towers'):
        pass
    with watch('prefill'), watch('selection'):
        pass
    assert clock.asked == 0
    watch.ms()
    assert clock.asked == 3


def test_the_hosts_clock_goes_on():
    clock = clock_of(torch.device('cpu'))
    assert isinstance(clock, HostClock)
    begin = clock.mark()
    assert clock.between(begin, clock.mark()) >= 0


@pytest.mark.gpu
def test_a_gpus_clock_counts_what_the_device_did():
    clock = clock_of(torch.device('cuda'))
    assert isinstance(clock, DeviceClock)
    watch, large = Stopwatch(clock), torch.randn(4096, 4096, device='cuda')
    large @ large
    with watch('prefill'):
        for _ in range(20):
            large @ large
    with watch('decode'):
        pass
    ms = watch.ms()
    assert ms['prefill'] > ms['decode'] >= 0
