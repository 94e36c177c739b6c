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

"""How long commands end: the first signal asks, the second ends, and no worker is left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import ctypes
import multiprocessing
import os
import signal
import sys
import threading

# Ctrl-C, `kill` and `docker stop`, and a terminal that is closed.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# The exit status of a node that would fail again if it were started again; launch then gives up.
CANNOT_START = 2
_PR_SET_PDEATHSIG = 1


class Ended(KeyboardInterrupt):
    """A signal has ended the command.

    Args:
        signum: Which; SIGINT where it is not known.
    """

    def __init__(self, signum: int = signal.SIGINT) -> None:
        super().__init__()
        self.signum = signum


class Stopped(Exception):
    """What was under way was left, for it was asked to end."""


def never() -> bool:
    """Say that nobody asks to end."""
    return False


def exit_code(error: KeyboardInterrupt) -> int:
    """Return the exit code of a command that was ended, 128 and the signal's number."""
    return 128 + getattr(error, 'signum', signal.SIGINT)


@contextmanager
def ends_in_order() -> Iterator[None]:
    """Have SIGTERM and SIGHUP end what runs as Ctrl-C does, with `Ended`.

    What was told to outlive its terminal, as `nohup` does, does so.
    """

    def end(signum: int, _frame: object) -> None:
        raise Ended(signum)

    before = _install(end, (signal.SIGTERM, signal.SIGHUP))
    try:
        yield
    finally:
        _restore(before)


class Interrupt:
    """Turns the first signal into a flag, so that what was done can be kept; the second ends.

    Used as a context manager. With the second signal the processes that this one has started are
    killed and `Ended` is raised; the third ends this process where it stands.

    Args:
        says: Said at once, on standard error.
        then: Called with the first signal.
    """

    def __init__(self, says: str = 'stopping', then: Callable[[], None] = lambda: None) -> None:
        self.asked, self._signum, self._count = False, signal.SIGINT, 0
        self._says, self._then, self._before = says, then, {}

    def __enter__(self) -> Interrupt:
        self._before = _install(self._note, SIGNALS)
        return self

    def __exit__(self, *_) -> None:
        _restore(self._before)

    def __call__(self) -> bool:
        """Return whether it is asked to end."""
        return self.asked

    @property
    def code(self) -> int:
        """The exit code of a command that was asked to end."""
        return 128 + self._signum

    def end(self) -> None:
        """Raise `Ended`, for a command that has nothing to keep."""
        raise Ended(self._signum)

    def _note(self, signum: int, _frame: object) -> None:
        self._count += 1
        if self._count == 1:
            self.asked, self._signum = True, signum
            # Not by print: the signal may have come in the middle of one.
            line = f'{self._says}; once more ends at once\n'
            os.write(2, (('\n' if os.isatty(2) else '') + line).encode())
            self._then()
            return
        for child in multiprocessing.active_children():
            child.kill()
        if self._count > 2:
            os._exit(128 + signum)
        raise Ended(signum)


@contextmanager
def starting_workers() -> Iterator[None]:
    """Start processes meanwhile that no signal of a terminal ends: their parent ends them.

    They come up with SIGINT, SIGTERM and SIGHUP blocked, from their first instruction on, for
    Ctrl-C goes to every process of a terminal. What comes for this process is not lost.
    """
    from multiprocessing import resource_tracker

    # It would unblock them again in the middle of the first start.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent(signum: int = signal.SIGKILL, parent: int | None = None) -> bool:
    """Have the system send this process a signal when its parent dies, however it dies.

    A worker calls it first. Linux only.

    Args:
        signum: The signal.
        parent: The parent's process number; that of `multiprocessing` where None.

    Returns:
        Whether it is so from now on.
    """
    above = multiprocessing.parent_process()
    # In no worker there is nobody to end with.
    if not sys.platform.startswith('linux') or (parent is None and above is None):
        return False
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signum), 0, 0, 0):
        return False
    if parent is None:
        lost = os.getppid() != above.pid
    else:
        try:
            os.kill(parent, 0)
            lost = False
        except ProcessLookupError:
            lost = True
    if lost:
        # It died before it could be watched.
        os.kill(os.getpid(), signum)
    return True


def _install(handler: Callable, signals: tuple[signal.Signals, ...]) -> dict:
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {
        signum: signal.signal(signum, handler)
        for signum in signals
        if not (signum == signal.SIGHUP and signal.getsignal(signum) == signal.SIG_IGN)
    }


def _restore(before: dict) -> None:
    for signum, handler in before.items():
        signal.signal(signum, handler)
