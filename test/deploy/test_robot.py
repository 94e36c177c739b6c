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

"""Facts as text, which is how nodes tell them to one another."""

from deploy_facts import RIGHT, changed, view
import pytest

from vla_accel_ros.deploy.robot import PARTS, Facts, Stream, read, write


def test_all_facts_come_back_as_they_were_written():
    texts = write(RIGHT)
    assert set(texts) == set(PARTS)
    assert read(texts) == RIGHT


def test_only_what_is_known_is_written():
    facts = changed(camera=None, arm=None)
    texts = write(facts)
    assert {'camera', 'arm'}.isdisjoint(texts) and read(texts) == facts
    assert read({}) == read({'of_another': '?'}) == Facts()


@pytest.mark.parametrize(
    ('part', 'text', 'complaint'),
    [
        ('arm', '{', 'arm is no JSON'),
        ('arm', '[' * 100000, 'arm is no JSON'),
        ('arm', '[]', 'arm is a list of 0, expected an object'),
        ('scheduler', '{}', 'scheduler.policy_step is missing'),
        ('model', '{"policy_step": NaN, "frame_id": ""}', 'policy_step is NaN'),
        ('model', '{"policy_step": "1", "frame_id": ""}', "policy_step is '1', expected a number"),
        ('model', '{"speed": 1}', 'model.speed is unknown'),
    ],
)
def test_what_is_no_fact_is_refused_with_its_place(part, text, complaint):
    with pytest.raises(ValueError, match=complaint):
        read({part: text})


def test_a_number_that_is_not_finite_is_no_fact():
    with pytest.raises(ValueError, match='finite'):
        changed(camera=view(stream=Stream(float('inf'))))
