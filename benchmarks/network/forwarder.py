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

"""Carries Ethernet frames between TAP devices of two network namespaces: late, or not at all.

It is a process of its own: `python -m benchmarks.network.forwarder PID PID`, with a process in
each namespace. A line of JSON on its standard input changes the link; it answers with one on its
standard output, and ends with its input.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time

DEVICE = 'link0'
CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
LARGEST = 65536


def enter(path: str) -> None:
    """Have the calling thread, and what it starts, live in a network namespace.

    Args:
        path: `/proc/<pid>/ns/net`.

    Raises:
        OSError: Where that is not permitted.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.open(path, os.O_RDONLY)
    try:
        if libc.setns(handle, CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), path)
    finally:
        os.close(handle)


def tap(path: str) -> int:
    """Make a TAP device in a namespace and return its descriptor."""
    enter(path)
    handle = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(handle, TUNSETIFF, struct.pack('16sH', DEVICE.encode(), IFF_TAP | IFF_NO_PI))
    return handle


class Forwarder:
    """The link: each way the same.

    Args:
        ends: The descriptors of the two TAP devices.
        seed: Of what is lost and how late the rest is.
    """

    def __init__(self, ends: tuple[int, int], seed: int = 0) -> None:
        self._other = dict(zip(ends, reversed(ends), strict=True))
        self._random = random.Random(seed)
        self._due: list[tuple[float, int, int, bytes]] = []
        self._count = self._lost = self._bytes = 0
        self._link = {'delay_s': 0.0, 'jitter_s': 0.0, 'loss': 0.0, 'cut': False}

    def run(self) -> None:
        """Carry frames until the input ends."""
        while True:
            wait_s = max(0.0, self._due[0][0] - time.monotonic()) if self._due else None
            ready, _, _ = select.select([*self._other, sys.stdin], [], [], wait_s)
            if sys.stdin in ready:
                line = sys.stdin.readline()
                if not line:
                    return
                self._link.update(json.loads(line))
                told = {'carried': self._count, 'lost': self._lost, 'bytes': self._bytes}
                print(json.dumps(told), flush=True)
            for end in self._other:
                if end in ready:
                    self._take(end)
            self._deliver()

    def _take(self, end: int) -> None:
        try:
            frame = os.read(end, LARGEST)
        except (BlockingIOError, OSError):
            return
        if self._link['cut'] or self._random.random() < self._link['loss']:
            self._lost += 1
            return
        late_s = self._link['delay_s'] + self._random.random() * self._link['jitter_s']
        self._count += 1
        self._bytes += len(frame)
        heapq.heappush(
            self._due, (time.monotonic() + late_s, self._count, self._other[end], frame)
        )

    def _deliver(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            *_, end, frame = heapq.heappop(self._due)
            try:
                os.write(end, frame)
            except OSError:
                # The device is down, or its queue is full: a wire would lose it, too.
                self._lost += 1


if __name__ == '__main__':
    paths = [f'/proc/{pid}/ns/net' for pid in sys.argv[1:3]]
    forwarder = Forwarder((tap(paths[0]), tap(paths[1])))
    print('{}', flush=True)
    forwarder.run()
