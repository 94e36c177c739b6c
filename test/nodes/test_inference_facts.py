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

"""What is known of a model and of its proprioception."""

from dataclasses import replace

from deploy_facts import RIGHT
import pytest

from vla_accel_ros.deploy.wants import StateWanted
from vla_accel_ros.nodes.inference_facts import MOST_NAMES, ModelWatch, StateWatch

NS = 1_000_000_000
SETTINGS = {'policy_step': 0.05, 'frame_id': 'base_link', 'proprio_tolerance': 0.1}


def test_numbers_are_picked_by_name_out_of_several_messages():
    watch = StateWatch(('b', 'gripper'))
    watch.heard(NS, NS, ['a', 'b'], [1.0, 2.0])
    assert watch.facts(0.1).values == ()
    watch.heard(NS, NS, ['gripper'], [0.5])
    facts = watch.facts(0.1)
    assert facts.values == (2.0, 0.5) and facts.names == ('a', 'b', 'gripper')


def test_whole_messages_are_taken_as_they_come():
    watch = StateWatch(())
    watch.heard(NS, NS, ['a', 'b'], [1.0, 2.0])
    watch.heard(NS, NS, ['c'], [3.0])
    assert (watch.facts(0.1).names, watch.facts(0.1).values) == (('c',), (3.0,))
    watch.heard(NS, NS, [], [4.0, 5.0])
    assert (watch.facts(0.1).names, watch.facts(0.1).values) == ((), (4.0, 5.0))


def test_a_driver_of_other_numbers_has_no_say_in_the_rate():
    watch = StateWatch(('a',))
    for index in range(10):
        watch.heard(NS + index * NS // 10, NS + index * NS // 10, ['a'], [0.0])
        watch.heard(NS + index * NS // 10, 9 * NS, ['wheel'], [0.0])
    stream = watch.facts(0.1).stream
    assert stream.rate_hz == pytest.approx(10) and stream.age_s == 0


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_values_that_are_not_finite_are_no_values(value):
    watch = StateWatch(())
    watch.heard(NS, NS, ['a'], [value])
    assert watch.facts(0.1).values == ()


def test_before_any_call_the_warm_up_counts():
    watch = ModelWatch(RIGHT.wants, (), 70.0)
    assert watch.facts(SETTINGS).model.call_ms == 70
    watch.answered(80.0)
    assert watch.facts(SETTINGS).model.call_ms == 80
    assert ModelWatch(RIGHT.wants, ()).facts(SETTINGS).model.call_ms is None


def test_the_fastest_of_late_calls_is_that_of_a_warm_one():
    watch = ModelWatch(RIGHT.wants, ())
    for took in (80.0, 300.0):
        watch.answered(took)
    assert watch.facts(SETTINGS).model.call_ms == 80
    for _ in range(20):
        watch.answered(120.0)
    assert watch.facts(SETTINGS).model.call_ms == 120


def test_an_instruction_that_cannot_be_read_is_told_until_one_can():
    watch = ModelWatch(RIGHT.wants, ())
    watch.refuse_prompt("no word 'mug'")
    assert watch.facts(SETTINGS).model.prompt_refused == "no word 'mug'"
    watch.answered(90.0)
    assert watch.facts(SETTINGS).model.prompt_refused == ''


def test_a_checkpoint_that_wants_no_state_is_told_none():
    wants = replace(RIGHT.wants, state=StateWanted())
    assert ModelWatch(wants, ()).facts(SETTINGS).state is None


@pytest.mark.parametrize('chosen', [(), ('joint_3', 'joint_9999')])
def test_what_is_kept_of_hostile_names_is_bounded_and_ends_with_the_life(chosen):
    watch = StateWatch(chosen)
    for first in range(0, 10_000, 1000):
        names = [f'joint_{first + index}' for index in range(1000)]
        watch.heard(NS, NS, names, range(first, first + 1000))
    facts = watch.facts(0.1)
    assert set(chosen) <= set(facts.names) and len(facts.names) <= MOST_NAMES + 1
    assert facts.values == ((3.0, 9999.0) if chosen else tuple(map(float, range(9000, 9256))))
    watch.heard(NS, NS, [], range(1000))
    assert len(watch.facts(0.1).values) == (2 if chosen else MOST_NAMES)
    watch.clear()
    assert watch.facts(0.1).names == watch.facts(0.1).values == ()
