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

"""Finished episodes on disk, so that a run can be gone on with and memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator
import json
from pathlib import Path
from zipfile import BadZipFile
import zlib

import numpy as np

from vla_accel_ros.files.output_folder import OutputFolder
from vla_accel_ros.files.whole_files import replace_whole
from vla_accel_ros.replay.trace import ReplayedEpisode, Trace

FOLDER = 'episodes'
RUN = 'run.json'
MOMENTS = 'moments.sqlite'
# Differences that are named when a run is another; a method's settings alone are dozens.
SHOWN = 4


class ResumeError(ValueError):
    """What lies in the folder is of another run or damaged; the message names what."""


class Store:
    """A folder of finished episodes that belong to one run.

    Args:
        out: The run's folder; made.
        identity: What makes a run the same: bag, checkpoint, methods, topics, ...
        resume: Go on with what is there; otherwise the folder must not hold a run.
        files: The folder's list of outputs; a new one where None.

    Raises:
        ResumeError: When there is a run that is not to be resumed, or is another.
    """

    def __init__(
        self, out: Path, identity: dict, resume: bool = False, files: OutputFolder | None = None
    ) -> None:
        self._files = files or OutputFolder(out, 'replay', (FOLDER, RUN))
        self._folder, self._run = out / FOLDER, out / RUN
        identity = json.loads(json.dumps(identity))
        if self._run.exists():
            if not resume:
                raise ResumeError(
                    f'{out} holds a run already: go on with it by --resume, or choose another '
                    '--out'
                )
            _compare(_read_run(self._run), identity)
        elif resume:
            raise ResumeError(f'{out} holds no run to resume')
        else:
            self._files.write(RUN, json.dumps(identity, indent=1) + '\n')
            self._files.folder(FOLDER)
        self.count = 0
        while self._file(self.count).exists():
            self.count += 1

    def add(self, episode: ReplayedEpisode) -> None:
        """Keep an episode, whole or not at all."""
        arrays = {'stamps': episode.stamps, 'recorded': episode.recorded}
        for number, trace in enumerate(episode.traces.values()):
            arrays[f'{number}/actions'] = trace.actions
            arrays |= {f'{number}/word/{name}': values for name, values in trace.words.items()}
            arrays |= {f'{number}/number/{n}': values for n, values in trace.floats.items()}
        about = {
            'instruction': episode.instruction,
            'reason': episode.reason,
            'observations': episode.observations,
            'frames': episode.frames,
            'faults': dict(episode.faults),
            'methods': list(episode.traces),
        }
        file = self._file(episode.number)
        self._files.note(f'{FOLDER}/{file.name}')
        replace_whole(
            file,
            lambda beside: np.savez_compressed(
                beside, about=np.array(json.dumps(about)), **arrays
            ),
        )
        self.count = episode.number + 1

    def __iter__(self) -> Iterator[ReplayedEpisode]:
        """Yield the episodes one at a time, in their order."""
        for number in range(self.count):
            yield self.load(number)

    def load(self, number: int) -> ReplayedEpisode:
        """Read an episode.

        Raises:
            ResumeError: When its file is damaged.
        """
        file = self._file(number)
        try:
            with np.load(file, allow_pickle=False) as arrays:
                return _episode(number, {name: arrays[name] for name in arrays.files})
        except (ValueError, KeyError, TypeError, AttributeError, EOFError, BadZipFile, zlib.error):
            raise ResumeError(
                f'{file} is no episode of a replay: remove it, and --resume runs it again'
            ) from None

    def _file(self, number: int) -> Path:
        return self._folder / f'{number:06d}.npz'


def _episode(number: int, columns: dict[str, np.ndarray]) -> ReplayedEpisode:
    about = json.loads(str(columns['about']))

    def part(place: int, kind: str) -> dict[str, np.ndarray]:
        head = f'{place}/{kind}/'
        return {n.removeprefix(head): v for n, v in columns.items() if n.startswith(head)}

    traces = {
        method: Trace(columns[f'{place}/actions'], part(place, 'word'), part(place, 'number'))
        for place, method in enumerate(about['methods'])
    }
    return ReplayedEpisode(
        number,
        about['instruction'],
        about['reason'],
        columns['stamps'],
        columns['recorded'],
        traces,
        about['observations'],
        about['frames'],
        {name: tuple(fault) for name, fault in about['faults'].items()},
    )


def _read_run(file: Path) -> dict:
    try:
        found = json.loads(file.read_text(encoding='utf-8'))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ResumeError(f'{file} does not describe a replay: choose another --out')
    return found


def _compare(there: dict, wanted: dict) -> None:
    different = list(_differences(there, wanted))
    if different:
        more = len(different) - SHOWN
        shown = different[:SHOWN] + ([f'{more} more'] if more > 0 else [])
        raise ResumeError(f'the run to resume differs: {"; ".join(shown)}')


def _differences(was: dict, now: dict, head: str = '') -> Iterator[str]:
    """Yield in words what differs, each entry of nested dicts by its dotted name."""
    for name in sorted({*was, *now}):
        path, old, new = f'{head}{name}', was.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(old, new, f'{path}.')
        elif name not in now:
            yield f'{path} is left out'
        elif name not in was:
            yield f'{path} is new'
        elif old != new:
            yield f'{path} was {json.dumps(old)}, is {json.dumps(new)}'
