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

"""How long calls took on an engine on this machine; `auto` chooses by it.

Timings are kept in the folder of the store, one file a checkpoint. They hold for the processor,
the GPU and the number of threads that they were measured with.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
import json
from pathlib import Path
import platform
import re
import sys

from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.files.locks import Lock
from vla_accel_ros.files.whole_files import write_whole

FOLDER = 'timings'
# A file is written in no time.
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Timing:
    """A measured call.

    Attributes:
        engine: The engine.
        precision: What it computed in.
        exact: Whether it gives the same tokens as eager.
        threads: Threads of torch.
        ms: Median of a whole call without pruning, milliseconds.
        machine: What `machine` gave.
        device: Kind of the device that the model was on, as torch names it.
        engine_device: Device that the engine was told to run on; empty for its first one.
    """

    engine: str
    precision: str
    exact: bool
    threads: int
    ms: float
    machine: str
    device: str = 'cpu'
    engine_device: str = ''


def machine() -> str:
    """Give the processor's model, and the GPU's where torch sees one."""
    try:
        text = Path('/proc/cpuinfo').read_text(encoding='utf-8')
    except OSError:
        text = ''
    found = re.search(r'^model name\s*:\s*(.+)$', text, re.MULTILINE)
    words = [found.group(1).strip() if found else platform.machine()]
    torch = sys.modules.get('torch')
    if torch is not None and torch.cuda.is_available():
        words.append(torch.cuda.get_device_name(0))
    return ', '.join(words)


def _checked(timing: Timing) -> Timing:
    """Give a timing back; raises TypeError for a value of another type than it has to have."""
    for each in fields(timing):
        value = getattr(timing, each.name)
        # Types are texts here, for annotations are not evaluated.
        if type(value).__name__ not in (each.type, 'int' if each.type == 'float' else each.type):
            raise TypeError(f'{each.name} is {value!r}')
    return timing


class Timings:
    """The timings of one checkpoint.

    Args:
        folder: Of the store.
        checkpoint: What tells the checkpoint from others: a hexadecimal digest of its weights.
    """

    def __init__(self, folder: Path, checkpoint: str) -> None:
        self._file = folder / FOLDER / f'{checkpoint[:40]}.json'

    def all(self) -> list[Timing]:
        """List them, of every machine; none where there are none, or the file is damaged."""
        try:
            rows = json.loads(self._file.read_text(encoding='utf-8'))
            return [_checked(Timing(**row)) for row in rows]
        except (OSError, ValueError, TypeError):
            return []

    def here(self, threads: int, device: str = 'cpu') -> list[Timing]:
        """List those of a device of this machine, the fastest first.

        Args:
            threads: Where nothing was timed with so many, those with the nearest number.
            device: Kind of the device, as torch names it.
        """
        own = [each for each in self.all() if (each.machine, each.device) == (machine(), device)]
        if not own:
            return []
        nearest = min((abs(each.threads - threads), each.threads) for each in own)[1]
        return sorted((each for each in own if each.threads == nearest), key=lambda each: each.ms)

    def record(self, timing: Timing) -> None:
        """Keep a timing in the place of the one before of the same engine on the same device.

        Several processes may do so at once.

        Raises:
            EngineError: When the file cannot be written.
        """

        def place(each: Timing) -> tuple[object, ...]:
            facts = asdict(each)
            return tuple(value for name, value in facts.items() if name not in ('ms', 'exact'))

        lock = Lock.beside(self._file)
        try:
            lock.take_when_free(PATIENCE_S)
            kept = [each for each in self.all() if place(each) != place(timing)]
            rows = [asdict(each) for each in (*kept, timing)]
            write_whole(self._file, json.dumps(rows, indent=1) + '\n')
        except (OSError, ValueError) as error:
            raise EngineError(f'timings cannot be kept in {self._file}: {error}') from error
        finally:
            lock.release()

    def forget(self) -> None:
        """Remove them."""
        self._file.unlink(missing_ok=True)
