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

"""What a figure is worth depends on: the machine, the versions, and who else was busy."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
import os
from pathlib import Path
import platform
import re
import shlex
import subprocess
import sys

from vla_accel_ros.devices import processor
from vla_accel_ros.files.whole_files import plain

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ('numpy', 'torch', 'transformers', 'pillow', 'mujoco', 'scikit-learn', 'ros-rclpy')
PROC = Path('/proc')


def machine() -> dict[str, object]:
    """Return processor, cores, memory, GPU and system."""
    gib = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30
    return {
        'processor': processor(),
        'cores': len(os.sched_getaffinity(0)),
        'memory_gib': round(gib, 1),
        'gpu': _gpu(),
        'system': f'{platform.system()} {platform.release()}',
    }


def machine_kind(found: dict[str, object]) -> str:
    """Return a folder's name for machines of this kind, from what `machine` found."""
    words = f'{found["processor"]} {found["cores"]} cores {found["gpu"] or ""}'
    return re.sub(r'[^a-z0-9]+', '-', words.lower()).strip('-')


def versions() -> dict[str, str]:
    """Return the versions of Python, of what is measured and of what it runs on."""
    found = {'python': platform.python_version(), 'vla_accel_ros': _commit()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    if 'ros-rclpy' not in found:
        found['ROS_DISTRO'] = os.environ.get('ROS_DISTRO', 'none')
    return found


def command_line() -> str:
    """Return the command line of this process, quoted for a shell, as UTF-8 can hold it.

    Passwords in URLs are left out: it is kept in files, and shown.
    """
    return plain(shlex.join(['vla-accel', *map(without_password, sys.argv[1:])]))


def without_password(url: str) -> str:
    """Return an address without the password that it may hold, other words as they are."""
    url = re.sub(r'(//[^\s:/@]*):\S*@', r'\1:***@', url)
    return re.sub(r'([?&]password=)[^&\s]*', r'\1***', url)


def today() -> str:
    """Return the date and time, UTC."""
    return datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC')


class CpuMeter:
    """Who used the processors meanwhile: what was measured, or others of this machine.

    A load average would count the benchmark itself.

    Args:
        pids: Processes that belong to the benchmark; this one always does.
    """

    def __init__(self, pids: Iterable[int] = ()) -> None:
        self._pids = (os.getpid(), *pids)
        self._before = self._read()

    def shares(self) -> dict[str, float]:
        """Return shares of all cores since the start, 0 to 1.

        `benchmark` is what was measured and who measured it, `others` the rest, `stolen` what
        the machine itself was denied by its host.
        """
        after = self._read()
        total, idle, steal, ours = (b - a for a, b in zip(self._before, after, strict=True))
        total = max(total, 1)
        return {
            'benchmark': round(ours / total, 3),
            'others': round(max(0, total - idle - steal - ours) / total, 3),
            'stolen': round(steal / total, 3),
        }

    def _read(self) -> tuple[int, int, int, int]:
        first = (PROC / 'stat').read_text(encoding='ascii').splitlines()[0]
        user, nice, system, idle, iowait, irq, softirq, steal = map(int, first.split()[1:9])
        ours = 0
        for pid in self._pids:
            try:
                text = (PROC / str(pid) / 'stat').read_text(encoding='utf-8')
            except FileNotFoundError:
                continue
            # The name, in brackets, may hold blanks.
            ours += sum(map(int, text.rpartition(')')[2].split()[11:13]))
        total = user + nice + system + idle + iowait + irq + softirq + steal
        return total, idle + iowait, steal, ours


def _gpu() -> str | None:
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None


def _commit() -> str:
    from vla_accel_ros import __version__

    if not (ROOT / 'package.xml').is_file():
        return f'{__version__} (installed)'
    done = subprocess.run(
        ['git', 'describe', '--always', '--dirty', '--abbrev=10'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return f'{__version__} ({done.stdout.strip() or "no git"})'
