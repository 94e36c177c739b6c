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

from pathlib import Path
import signal
import subprocess
import sys

import pytest

from vla_accel_ros.stopping import CANNOT_START

ROOT = Path(__file__).parents[2]
PROBE = """
import sys
from vla_accel_ros.options import Option
from vla_accel_ros.ros.base import Node, run
from vla_accel_ros.ros.common_options import REAL_TIME
from std_msgs.msg import Empty


class Probe(Node):
    NAME = 'probe'
    SETTINGS = (Option('rate', 20.0, 'Some rate', range=(1.0, 50.0)), REAL_TIME)

    def configure(self):
        self.every(0.01, self.tick)
        self.beats = 0

    def activate(self):
        figures = {pair.key: pair.value for pair in self.health.status('', '').values}
        print('activate', self.settings['rate'], figures.get('priority', 'ordinary'), flush=True)

    def tick(self):
        self.beats += 1
        if self.beats == 5:
            print('survived', self.health.total('callback_error'), flush=True)
        raise KeyError('a bug')

    def deactivate(self):
        print('deactivate', flush=True)

    def cleanup(self):
        print('cleanup', flush=True)


code = run(Probe, below_arm=2)
print('ended', flush=True)
sys.stdin.readline()
sys.exit(code)
"""


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, '-c', PROBE, '--ros-args', *arguments],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def read_until(process, word):
    for line in process.stdout:
        if line.startswith(word):
            return line.strip()
    raise AssertionError(f'{word} never came: {process.stderr.read()}')


@pytest.mark.parametrize('signals', [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT] * 2])
def test_a_signal_ends_a_node_cleanly_and_its_hooks_run_once(signals):
    process = start()
    read_until(process, 'activate')
    for signum in signals:
        process.send_signal(signum)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    hooks = [line for line in out.splitlines() if not line.startswith('survived')]
    assert hooks == ['deactivate', 'cleanup', 'ended']


def test_a_second_signal_while_the_interpreter_ends_is_no_death():
    process = start()
    read_until(process, 'activate')
    process.send_signal(signal.SIGINT)
    read_until(process, 'ended')
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors


def test_a_callback_that_always_raises_does_not_end_the_node():
    process = start('-p', 'rate:=5')
    assert read_until(process, 'activate').startswith('activate 5.0')
    assert read_until(process, 'survived') == 'survived 4'
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0 and "KeyError: 'a bug'" in errors


@pytest.mark.parametrize(
    ('wanted', 'reached'), [('true', ('SCHED_FIFO 3', 'nice')), ('false', ('ordinary',))]
)
def test_a_node_on_the_way_to_the_arm_says_which_priority_it_reached(wanted, reached):
    process = start('-p', f'real_time_priority:={wanted}')
    line = read_until(process, 'activate')
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert line.removeprefix('activate 20.0 ').startswith(reached)


def test_arguments_that_ros_cannot_read_end_with_one_line_and_a_status_of_their_own():
    process = start('-p', 'rate:=[1, x')
    out, errors = process.communicate(timeout=20)
    assert process.returncode == CANNOT_START and out == 'ended\n'
    assert 'rate' in errors and 'Traceback' not in errors


STUCK = """
import ctypes
from vla_accel_ros.ros import spin
from vla_accel_ros.ros.base import Node


class Stuck(Node):
    NAME = 'stuck'

    def activate(self):
        print('activate', flush=True)

    def destroy_node(self):
        # As PyDLL calls it, Python's lock is held.
        ctypes.PyDLL(None).pause()


spin.END_S = 1
spin.run(Stuck)
"""


def test_a_process_ends_though_the_middleware_never_lets_go_of_its_node():
    process = subprocess.Popen(
        [sys.executable, '-c', STUCK],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    read_until(process, 'activate')
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGALRM
