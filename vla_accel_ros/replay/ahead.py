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

"""Reading ahead: a producer in a thread of its own, never far before the consumer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
import queue
import threading
import time
from typing import Generic, TypeVar

Item = TypeVar('Item')
_END = object()
# How soon a producer that waits for room notices that nobody wants its items any more.
PATIENCE_S = 0.1


class Ahead(Generic[Item]):
    """Iterate over what a thread produces, at most so many items ahead.

    Args:
        source: Iterated over in the thread.
        depth: Items that may wait.

    Attributes:
        busy_s: Processor time that the thread has used, seconds.
        waited_s: Time that the consumer has waited, seconds.
    """

    def __init__(self, source: Iterable[Item], depth: int = 32) -> None:
        self._source, self._queue = source, queue.Queue(maxsize=depth)
        self._stopped = threading.Event()
        self._error: BaseException | None = None
        self.busy_s = self.waited_s = 0.0
        self._thread = threading.Thread(target=self._produce, name='ahead', daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Item]:
        """Yield the items; raise what the producer raised, after the items before it."""
        while True:
            begun = time.perf_counter()
            item = self._queue.get()
            self.waited_s += time.perf_counter() - begun
            if item is _END:
                if self._error is not None:
                    raise self._error
                return
            yield item

    def close(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._thread.join()

    def __enter__(self) -> Ahead[Item]:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _produce(self) -> None:
        source = iter(self._source)
        try:
            for item in source:
                self.busy_s = time.thread_time()
                if not self._put(item):
                    break
        except BaseException as error:
            self._error = error
        finally:
            # A predictor holds files open until it is closed, and by its own thread.
            getattr(source, 'close', lambda: None)()
            self.busy_s = time.thread_time()
            self._put(_END)

    def _put(self, item: object) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=PATIENCE_S)
                return True
            except queue.Full:
                continue
        return False
