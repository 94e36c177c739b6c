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

"""What is worth looking at, and that it looks as it did."""

from episodes import call, episode
import numpy as np
import pytest

from vla_accel_ros.acceleration import find
from vla_accel_ros.environments.tabletop import Tabletop
from vla_accel_ros.evaluation.closed_loop import run_episode
from vla_accel_ros.evaluation.driver import Driver
from vla_accel_ros.evaluation.film import failures, film, seeds_to_show
from vla_accel_ros.evaluation.latency import Fixed
from vla_accel_ros.models.policy import Policy


class Watched(Tabletop):
    """Remembers what the policy was shown."""

    def __init__(self, *arguments, **others):
        super().__init__(*arguments, **others)
        self.seen = []

    def observe(self):
        view = super().observe()
        self.seen.append(view.images)
        return view


@pytest.mark.parametrize('latency', [None, Fixed(70)])
def test_an_episode_is_shown_again_to_the_pixel(random_checkpoint, latency):
    environment = Watched(32, max_steps=6)
    driver = Driver(Policy.load(random_checkpoint, threads=1), find('none')[0], latency)
    result = run_episode(driver, environment, 2_000_003, 'pick up the red cube')
    again = Tabletop(32, max_steps=6)
    shown, seen = list(film(again, result)), environment.seen
    every_other = list(film(again, result, every=2))
    environment.close()
    again.close()
    assert len(shown) == result.steps == 6
    for (_, one), (_, other) in zip(shown[::2], every_other, strict=True):
        np.testing.assert_array_equal(one, other)
    asked = [index for index, record in enumerate(result.records) if record.call]
    assert len(asked) == len(seen)
    for index, images in zip(asked, seen, strict=True):
        np.testing.assert_array_equal(shown[index][0], images)
    assert shown[0][1].dtype == np.uint8


def outcomes(method, *successes):
    return [episode(method, seed, won, [call()]) for seed, won in enumerate(successes, 7)]


def test_each_methods_first_failure_comes_before_anyones_second():
    results = outcomes('none', True, True, False) + outcomes('hold', False, False, True)
    assert [(r.method, r.seed) for r in failures(results)] == [
        ('none', 9),
        ('hold', 7),
        ('hold', 8),
    ]
    assert failures(outcomes('none', True)) == []


def test_shown_are_the_first_seed_and_those_on_which_methods_differ():
    results = outcomes('none', True, True, True, True) + outcomes('hold', True, True, False, True)
    assert seeds_to_show(results) == [7, 9]
