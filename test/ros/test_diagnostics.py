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

from vla_accel_ros.ros.diagnostics import ERROR, OK, WARN, Health


def values(status):
    return {pair.key: pair.value for pair in status.values}


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_while_all_is_well_the_message_is_the_state():
    status = Health().status('/camera', 'active')
    assert (status.level, status.message, status.name) == (OK, 'active', '/camera')
    assert values(status) == {'state': 'active'}


def test_a_fault_stands_until_cleared_and_its_first_detail_stays():
    health = Health()
    assert health.fault('watchdog', 'no action for 0.2 s')
    assert not health.fault('watchdog', 'no action for 9 s')
    status = health.status('n', 'active')
    assert (status.level, status.message) == (ERROR, 'watchdog: no action for 0.2 s')
    assert values(status)['count.watchdog'] == '1'
    health.fault('watchdog', 'renewed', renew=True)
    assert health.standing() == {'watchdog': 'renewed'}
    health.clear('watchdog', 'unknown')
    assert health.status('n', 'active').level == OK


def test_an_event_is_counted_for_good_but_fades_from_the_message():
    clock = Clock()
    health = Health(memory=3.0, clock=clock)
    health.event('garbage_frame', 'first')
    health.event('garbage_frame', 'second', count=2)
    clock.now = 3.0
    status = health.status('n', 'active')
    assert (status.level, status.message) == (WARN, 'garbage_frame: second')
    clock.now = 3.1
    status = health.status('n', 'active')
    assert (status.level, status.message) == (OK, 'active')
    assert values(status)['count.garbage_frame'] == '3' and health.total('garbage_frame') == 3


def test_the_worst_comes_first():
    health = Health()
    health.event('late')
    health.fault('stopped', 'by the operator')
    assert health.status('n', 's').message == 'stopped: by the operator; late'


def test_figures_and_counts_are_values():
    health = Health()
    health.figure('latency_ms', 12.3456)
    health.figure('rate', 20)
    health.count('frames', 3)
    assert values(health.status('n', 's')) == {
        'state': 's',
        'latency_ms': '12.35',
        'rate': '20',
        'count.frames': '3',
    }


def test_what_stands_has_a_key_of_its_own_and_advice_is_no_part_of_it():
    health = Health()
    health.event('late', 'once')
    assert health.advise('slow_frames', '5 Hz')
    assert not health.advise('slow_frames', '6 Hz')
    assert 'standing' not in values(health.status('n', 'active'))
    health.fault('no_frame', 'for 3 s')
    health.fault('paused')
    status = health.status('n', 'active')
    assert values(status)['standing'] == 'no_frame: for 3 s; paused'
    assert 'slow_frames: 6 Hz' in status.message
    health.advise('slow_frames', '')
    assert 'slow_frames' not in health.status('n', 'active').message
    assert health.advise('slow_frames', 'again')
    health.clear('slow_frames')
    assert 'slow_frames' not in health.status('n', 'active').message
