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

from vla_accel_ros.sim.tasks import all_instructions
from vla_accel_ros.training.worlds import world_of


def test_the_table_top_is_labelled_for_all_that_can_be_asked_there():
    world = world_of('tabletop')
    facts = world.facts()
    assert world.saves and facts.vocabulary == all_instructions()
    for text in all_instructions():
        thing, goal = world.named(text)
        assert {thing, goal} - {None} <= {*facts.objects}


def test_a_suite_of_libero_is_labelled_for_what_was_followed():
    assert not world_of('libero:object').saves
