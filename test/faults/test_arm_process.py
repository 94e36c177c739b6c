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

"""The end of arm_command and of its launcher, its suspension, and what its machine withholds."""

from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
import random
import resource
import signal
import socket
import subprocess
import sys

from arm_recorder import NS
from feeder import HUGE
import pytest

# Of the DDS wire protocol: where a domain's ports begin, and how far they are apart.
PORT_BASE, DOMAIN_GAIN, PORTS = 7400, 250, 24
PACKETS, SEED = 2000, 0

# Starts arm_command as the demo does, says its process id, and waits to be killed.
LAUNCHER = """
from pathlib import Path
import signal, sys
from vla_accel_ros.graph.demo_graph import RunningGraph
from vla_accel_ros.graph.processes import Deployment, processes
deployment = Deployment()
listed = [p for p in processes(deployment) if p.name == 'arm_command']
with RunningGraph(listed, deployment, Path(sys.argv[1]), {}) as graph:
    print(graph.pids()['arm_command'], flush=True)
    signal.pause()
"""


def has_ended(pid):
    """Tell whether a process is gone, or only waits for somebody to ask how it ended."""
    stat = Path(f'/proc/{pid}/stat')
    try:
        return stat.read_text().rpartition(')')[2].split()[0] in 'ZX'
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.fixture
def rig(arm_in_motion):
    return arm_in_motion


def comes_back_disabled(rig):
    """Start arm_command again: actions flow, and yet only the operator makes it move."""
    rig.start('arm_command')
    rig.counts('arm_command', 'not_enabled')
    rig.until(
        lambda: rig.reports.value('arm_command', 'arm').startswith('disabled'),
        'the arm is shown as disabled',
    )
    assert rig.enable().success
    rig.moves()


@pytest.mark.parametrize('signum', [signal.SIGINT, signal.SIGTERM], ids=['SIGINT', 'SIGTERM'])
def test_the_last_word_of_an_arm_command_that_is_ended_is_zero(rig, signum):
    assert rig.end('arm_command', signum) == 0
    rig.until(lambda: not rig.recorder.twists[-1].moving, 'the last twist is zero')
    rig.tells('arm_command', 'ended')
    assert rig.reports.value('arm_command', 'state') == 'finalized'
    comes_back_disabled(rig)


def test_an_arm_command_that_was_killed_comes_back_disabled(rig):
    rig.kill('arm_command')
    comes_back_disabled(rig)


def test_after_a_suspension_nothing_old_moves_the_arm(rig):
    rig.freeze('arm_command')
    frozen_ns = rig.now_ns()
    rig.feeder.flowing = False
    # Older than any action may be: what waits in the queue has to be refused.
    rig.until(lambda: rig.now_ns() - frozen_ns > NS, 'the actions are stale')
    rig.processes.thaw('arm_command')
    rig.tells('arm_command', 'watchdog')
    assert rig.recorder.last_motion_ns <= frozen_ns
    rig.feeder.reset()
    rig.moves()


def test_after_a_suspension_with_actions_flowing_the_arm_moves_on_within_the_limits(rig):
    rig.freeze('arm_command')
    frozen_ns = rig.now_ns()
    rig.until(lambda: rig.now_ns() - frozen_ns > NS, 'a second is over')
    rig.processes.thaw('arm_command')
    rig.moves()


def test_an_arm_whose_launcher_is_killed_stops_with_a_last_zero(rig, tmp_path):
    rig.end('arm_command', signal.SIGINT)
    launcher = subprocess.Popen(
        [sys.executable, '-c', LAUNCHER, str(tmp_path)],
        env=rig.processes.variables,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        pid = int(launcher.stdout.readline())
        rig.reports.forget('arm_command')
        rig.up('arm_command')
        assert rig.enable().success
        rig.moves()
    finally:
        launcher.kill()
        launcher.wait()
    rig.until(lambda: not rig.recorder.twists[-1].moving, 'the last twist is zero')
    rig.tells('arm_command', 'ended')
    rig.until(lambda: has_ended(pid), 'arm_command has ended')
    rig.recorder.forbid()


def test_an_arm_command_with_a_bad_parameter_says_so_and_can_be_mended(rig):
    rig.end('arm_command', signal.SIGINT)
    with rig.processes.parameters('arm_command', watchdog_grace=5.0):
        rig.start('arm_command', state='unconfigured')
    rig.tells('arm_command', 'invalid_parameter', 'watchdog_grace is 5.0')
    assert rig.lifecycle('arm_command') == 'unconfigured'
    assert not rig.change('arm_command', 'configure')
    assert rig.set('arm_command', watchdog_grace=0.04).successful
    assert rig.change('arm_command', 'configure')
    assert rig.change('arm_command', 'activate')
    rig.counts('arm_command', 'not_enabled')
    assert rig.enable().success
    rig.moves()


# -- the machine and the network ------------------------------------------------------------------


def noisy(rig):
    """Have arm_command write a line into its log between any two actions."""
    rig.feeder.between = cycle([lambda: rig.feeder.action(HUGE)])


def test_without_disk_memory_or_handles_the_motion_goes_on_and_is_zero_in_time(rig):
    noisy(rig)
    with ExitStack() as limits:
        for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_AS, resource.RLIMIT_NOFILE):
            limits.enter_context(rig.processes.limit('arm_command', kind, 0))
        rig.tells('arm_command', 'translation_step')
        rig.moves()
        rig.rests(rig.feeder.cease())
        rig.feeder.reset()
        rig.moves()
    assert rig.processes.all_alive()


def packets():
    """Make garbage, every other packet with the head of the DDS wire protocol."""
    noise = random.Random(SEED)
    for number in range(PACKETS):
        head = b'RTPS\x02\x03\x01\x0f' + noise.randbytes(12) if number % 2 else b''
        # The first bytes of a submessage: one of the kinds that there are, flags, a length.
        part = bytes((noise.choice((1, 6, 7, 8, 9, 12, 14, 19, 21)), noise.randrange(4)))
        yield head + part + noise.randbytes(noise.randrange(0, 300))


def test_garbage_at_every_port_of_the_domain_stops_nothing(rig):
    first = PORT_BASE + DOMAIN_GAIN * rig.domain
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        for number, packet in enumerate(packets()):
            wire.sendto(packet, ('127.0.0.1', first + number % PORTS))
            if number % 50 == 0:
                rig.once()
    rig.moves()
    assert rig.processes.all_alive()
    rig.rests(rig.feeder.cease())
