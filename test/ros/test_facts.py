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

"""Facts as messages, and for how long they are known."""

from deploy_facts import RIGHT
import pytest

from vla_accel_ros.deploy.robot import Facts
from vla_accel_ros.ros.facts import SILENCE_S, Hearer, facts_to_message


class Time:
    def __init__(self):
        self.s = 100.0

    def __call__(self):
        return self.s


@pytest.fixture
def time():
    return Time()


def parts(**names):
    return facts_to_message(Facts(**{name: getattr(RIGHT, name) for name in names}), '/a')


def test_what_several_nodes_tell_is_put_together(time):
    hearer = Hearer(time)
    hearer.hear(parts(camera=1))
    hearer.hear(parts(scheduler=1, arm=1))
    assert hearer.facts() == Facts(camera=RIGHT.camera, scheduler=RIGHT.scheduler, arm=RIGHT.arm)


def test_what_is_not_told_any_more_is_not_known_any_more(time):
    hearer = Hearer(time)
    hearer.hear(parts(camera=1))
    time.s += SILENCE_S
    hearer.hear(parts(scheduler=1))
    assert hearer.facts().camera == RIGHT.camera
    time.s += 0.1
    assert hearer.facts() == Facts(scheduler=RIGHT.scheduler)


def test_a_message_that_holds_something_else_changes_nothing(time):
    hearer = Hearer(time)
    hearer.hear(parts(camera=1))
    message = parts(scheduler=1, camera=1)
    message.values[0].value = '{"views": 3}'
    with pytest.raises(ValueError, match=r'camera\.'):
        hearer.hear(message)
    assert hearer.facts() == Facts(camera=RIGHT.camera)
