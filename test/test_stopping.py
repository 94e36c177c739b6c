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
"""The first signal asks, the second ends, and workers end with their parent."""

import os
import signal
import subprocess
import sys

import pytest

from vla_accel_ros.stopping import Ended, Interrupt, ends_in_order, exit_code

PARENT = r"""
import os, signal, sys, threading
from vla_accel_ros import workers
from vla_accel_ros.stopping import Interrupt, Ended

def begin():
    pass

def work():
    os.write(1, f'{os.getpid()}\n'.encode())
    threading.Event().wait()

if __name__ == '__main__':
    # A suite under nohup ignores it, and so would this, as it should.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with Interrupt() as stop, workers.Workers(2, begin, (), stop) as pool:
            waiting = {pool.submit(work) for _ in range(2)}
            while waiting and not stop():
                pool.wait(waiting)
            pool.ask_to_end(waiting)
    except Ended as error:
        sys.exit(128 + error.signum)
    sys.exit(stop.code)
"""


def gone(pid):
    """Return once a process has ended, zombie or not."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        import select

        return bool(select.select([handle], [], [], 30)[0])
    finally:
        os.close(handle)


@pytest.mark.parametrize(
    ('signum', 'code'),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGKILL, -9)],
)
def test_workers_end_with_their_parent_however_it_ends(tmp_path, signum, code):
    program = tmp_path / 'parent.py'
    program.write_text(PARENT)
    with subprocess.Popen(
        [sys.executable, str(program)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as parent:
        workers = [int(parent.stdout.readline()) for _ in range(2)]
        # A signal of a terminal goes to all of them, and theirs is the parent's business.
        for pid in workers if signum != signal.SIGKILL else ():
            os.kill(pid, signum)
        parent.send_signal(signum)
        said = parent.stderr.read()
        assert parent.wait() == code
    assert all(map(gone, workers))
    assert 'Traceback' not in said
    assert ('stopping' in said) == (signum != signal.SIGKILL)


def test_the_first_signal_asks_and_the_second_ends(capfd):
    called = []
    with (
        pytest.raises(Ended) as ended,
        Interrupt('stopping: so', lambda: called.append(1)) as (stop),
    ):
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop() and stop.code == 143 and called == [1]
        os.kill(os.getpid(), signal.SIGTERM)
    assert exit_code(ended.value) == 143
    assert 'stopping: so; once more ends at once' in capfd.readouterr().err


def test_handlers_are_put_back_and_an_ignored_hangup_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        others = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
        with ends_in_order(), Interrupt() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop()
        assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == others
    finally:
        signal.signal(signal.SIGHUP, before)


def test_termination_ends_a_command_in_order():
    with pytest.raises(Ended) as ended, ends_in_order():
        os.kill(os.getpid(), signal.SIGTERM)
    assert exit_code(ended.value) == 143
    assert exit_code(KeyboardInterrupt()) == 130
