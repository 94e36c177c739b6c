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

"""What a replay leaves behind: results.json, report.html, and what is said on the terminal."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
import json

import numpy as np

from vla_accel_ros.evaluation import clocks
from vla_accel_ros.evaluation.conditions import command_line, machine, today, versions
from vla_accel_ros.files.output_folder import OutputFolder
from vla_accel_ros.files.whole_files import plain
from vla_accel_ros.replay.measures import quantities
from vla_accel_ros.replay.session import Replay
from vla_accel_ros.replay.summary import Summary

SCHEMA = 1
RESULTS, REPORT = 'results.json', 'report.html'
# Faults that are no harm: cameras need not be as fast as each other, nor instruction and joint
# states be there from the first frame on.
HARMLESS = ('unpaired', 'no_instruction', 'no_proprio_yet')


@dataclass
class Reading:
    """What reading took.

    Attributes:
        run_s: The whole run, seconds.
        cpu_s: Processor time of this process for it.
        busy_s: Processor time of reading and decoding, in a thread of its own.
        waited_s: Time for which the model waited for a frame.
    """

    run_s: float = 0.0
    cpu_s: float = 0.0
    busy_s: float = 0.0
    waited_s: float = 0.0


@dataclass
class Outcome:
    """All that is known at the end of a run.

    Attributes:
        session: What was run.
        summary: The figures.
        identity: Of the run, as `Replay.identity` gives it.
        faults: Faults of the bag, by name: how many, and the first in words.
        interrupted: Whether it was ended before the end of the bag.
        reading: What reading took.
        notes: More for the reader.
    """

    session: Replay
    summary: Summary
    identity: dict
    faults: Mapping[str, tuple[int, str]]
    interrupted: bool
    reading: Reading
    notes: list[str] = field(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        """What was wrong with the bag, a line each; empty where nothing was."""
        lines = list(self.session.bag.losses.reasons)
        lines += [
            f'{count} x {name}: {first}'
            for name, (count, first) in self.faults.items()
            if name not in HARMLESS
        ]
        back = sum(e['begins'] == 'jumped_back' for e in self.summary.episodes)
        if back:
            lines.append(f'{back} x jumped_back: stamps that go back, an episode was begun there')
        return lines

    def remarks(self) -> list[str]:
        """Return all that a reader must know first."""
        lines = []
        if self.interrupted:
            lines.append(
                f'Interrupted: {self.summary.frames} of {self.session.observations} frames were '
                'replayed.'
            )
        if self.warnings:
            share = self._lost_share()
            lost = f', {share:.1%} of its bytes cannot be read' if share else ''
            lines.append(f'The bag is damaged{lost}: ' + '; '.join(self.warnings))
        lines += [
            f'{count} x {name}: {first}'
            for name, (count, first) in self.faults.items()
            if name in HARMLESS
        ]
        return lines + self.notes

    def to_dict(self) -> dict:
        """Return `results.json`; docs/replay.md says what is in it."""
        session, summary = self.session, self.summary
        losses = session.bag.losses
        return {
            'schema': SCHEMA,
            'complete': not self.interrupted,
            'sound': not self.warnings,
            'remarks': self.remarks(),
            'command': command_line(),
            'date': today(),
            'mode': session.args.mode,
            'clock': clock(session.args),
            'bag': {
                'path': plain(session.bag.path.name),
                'fingerprint': self.identity['bag'],
                'bytes': losses.total_bytes,
                'lost_bytes': losses.lost_bytes,
                'losses': losses.reasons,
                'faults': {n: {'count': c, 'first': f} for n, (c, f) in self.faults.items()},
                'roles': session.roles.facts(),
                'topics': {
                    n: {
                        'type': t.kind,
                        'messages': t.count,
                        **({'other_types': t.others} if t.others else {}),
                    }
                    for n, t in sorted(session.bag.topics.items())
                },
            },
            'checkpoint': session.checkpoint.name,
            'action_space': session.space.to_values(),
            'run': self.identity,
            'reference': session.reference.name,
            'frames': summary.frames,
            'steps': summary.steps,
            'episodes': summary.episodes,
            'measures': [asdict(q.measure) | {'pool': q.pool} for q in quantities(session.space)],
            'methods': [
                {
                    'name': row.name,
                    'summary': row.summary,
                    'settings': dict(row.settings),
                    'decisions': dict(row.decisions),
                    'values': {
                        key: None if value is None else asdict(value)
                        for key, value in row.values.items()
                    },
                }
                for row in summary.rows
            ],
            'reading': {**asdict(self.reading), 'share': self.reading_share},
            'engine': self.session.policy.in_use.facts(),
            'versions': versions(),
            'machine': machine(),
        }

    @property
    def reading_share(self) -> float | None:
        """Processor time of reading and decoding, over all of this process's.

        On a busy machine the time on the wall is somebody else's.
        """
        return self.reading.busy_s / self.reading.cpu_s if self.reading.cpu_s else None

    def _lost_share(self) -> float:
        losses = self.session.bag.losses
        return losses.lost_bytes / losses.total_bytes if losses.total_bytes else 0.0


def write(outcome: Outcome, files: OutputFolder) -> dict:
    """Write `results.json` and return what it holds."""
    found = outcome.to_dict()
    text = json.dumps(found, indent=1, default=_plain, allow_nan=False)
    files.write(RESULTS, text + '\n')
    return found


def clock(args: argparse.Namespace) -> str:
    """Say in words when answers are there."""
    if args.clock == clocks.STEP:
        return 'step clock: an answer is there with the frame that it answers'
    if args.latency_ms is None:
        return 'an answer is there after what the call took on this machine'
    try:
        return f'an answer is there after {float(args.latency_ms):g} ms'
    except ValueError:
        return f'an answer is there after a time drawn from {args.latency_ms}'


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f'{type(value).__name__} in results')
