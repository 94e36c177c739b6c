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

"""Replaying a bag offline: every frame, no ROS graph, the same result every time."""

from __future__ import annotations

import argparse
from contextlib import closing
from itertools import chain
import json
from pathlib import Path
import sys
import time

from vla_accel_ros.acceleration import Method
from vla_accel_ros.files.output_folder import OutputFolder
from vla_accel_ros.files.outputs import check_outside, json_with
from vla_accel_ros.paths import checkpoint_folder
from vla_accel_ros.replay.moment import joined
from vla_accel_ros.replay.results import REPORT, RESULTS, Outcome, Reading, write
from vla_accel_ros.replay.store import FOLDER, MOMENTS, RUN, ResumeError, Store
from vla_accel_ros.stopping import Interrupt

UNSOUND = 1
LOGS = 'logs'
# All that a run may leave at the top of its folder.
NAMES = (RUN, RESULTS, REPORT, FOLDER, LOGS, *(MOMENTS + end for end in ('', '-wal', '-shm')))
STOPPING = 'stopping after the frame under way; what is done is kept'


def out_folder(args: argparse.Namespace) -> OutputFolder:
    """Return where the run goes, checked; nothing is made and nothing removed.

    Raises:
        ValueError: When what lies there is another's, or the folder is an input.
        ResumeError: When another run lies there.
    """
    out = args.out or Path('out/replay') / args.bag.resolve().stem
    if args.overwrite and args.resume:
        raise ValueError('--resume goes on with a run, --overwrite replaces it: choose one')
    beside = args.bag.resolve().parent
    read = beside if (beside / 'metadata.yaml').is_file() else args.bag
    check_outside(out, (read, args.bag, checkpoint_folder(args.checkpoint)))
    files = OutputFolder(out, 'replay', NAMES, _of_earlier)
    files.check()
    if not (args.resume or args.overwrite) and any(
        (out / name).exists() for name in (RESULTS, RUN)
    ):
        raise ResumeError(
            f'{out} holds a run already: --resume goes on with it, --overwrite replaces it'
        )
    return files


def _of_earlier(folder: Path) -> bool:
    """Say whether a folder without a list of outputs is of a replay."""
    return json_with('bag', 'checkpoint', 'methods', 'images')(folder / RUN) or (
        json_with('schema', 'mode', 'reference', 'bag')(folder / RESULTS)
    )


def moments_of(session, files: OutputFolder, later: bool = False):
    """Return what keeps the moments of a page, its files put on the list of outputs."""
    from vla_accel_ros.replay.page import Moments

    for end in ('', '-wal', '-shm'):
        files.note(MOMENTS + end)
    return Moments(session, files.path, later)


def run(args: argparse.Namespace) -> int:
    """Replay; return 0 when the whole bag was, and it was sound.

    Returns:
        0, 1 when the bag is damaged, 128 and the signal's number when interrupted.
    """
    files = out_folder(args)
    session = prepare(args)
    identity = session.identity()
    with files, Interrupt(STOPPING) as stop:
        if args.overwrite:
            files.clear_earlier()
        store = None
        try:
            store = Store(files.path, identity, args.resume, files)
            outcome = _replay(session, identity, store, files, stop)
        except BaseException:
            # Finished episodes are kept for --resume; without any there is nothing to keep.
            if store is None or not store.count:
                files.clear()
            raise
        return conclude(outcome, files, args.json, stop)


def prepare(args: argparse.Namespace):
    """Return the session of a command line, after a word on what takes a moment."""
    from vla_accel_ros.replay import session

    print(f'replay: opening {args.bag} and {args.checkpoint}', file=sys.stderr)
    return session.prepare(args, (lambda _text: None) if args.json else print)


def conclude(outcome: Outcome, files: OutputFolder, as_json: bool, stop: Interrupt) -> int:
    """Write results.json, say what there is to say, and return the exit code."""
    from vla_accel_ros.replay.table import render

    found, out = write(outcome, files), files.path
    if as_json:
        print(json.dumps(found))
    else:
        summary = outcome.summary
        print(
            f'\n{summary.frames} frames, {summary.steps} steps in {len(summary.episodes)} '
            f'episodes; {found["clock"]}\n'
        )
        print(render(summary.rows, outcome.session.space))
        print(f'\n  {out / RESULTS}\n  {out / REPORT}')
    for line in outcome.remarks():
        print(f'replay: {line}', file=sys.stderr)
    if outcome.interrupted:
        if outcome.session.args.mode == 'offline':
            print('replay: --resume goes on', file=sys.stderr)
        return stop.code
    return UNSOUND if outcome.warnings else 0


def _replay(
    session, identity: dict, store: Store, files: OutputFolder, stop: Interrupt
) -> Outcome:
    from vla_accel_ros.replay.ahead import Ahead
    from vla_accel_ros.replay.offline import Offline
    from vla_accel_ros.replay.page import write_page
    from vla_accel_ros.replay.progress import Bar
    from vla_accel_ros.replay.summary import summarise

    begun, used = time.perf_counter(), time.process_time()
    first, skip, known = store.count, 0, {}
    if first:
        last = store.load(first - 1)
        skip, known = last.observations, last.faults
    stream = session.stream(skip, known)
    offline = Offline(
        session.policy,
        session.methods,
        session.reference,
        session.latencies,
        session.splitter(),
        session.recorded(),
        first,
    )
    bar, partial = Bar(session.observations, 'frames'), []
    moments = moments_of(session, files)
    bar.show(skip)

    def watch(seen, records) -> None:
        moments.watch(seen, records)
        bar.show(seen.number + 1)

    with closing(moments.recorder):
        with Ahead(stream) as ahead:
            for episode in offline.run(ahead, stop, watch):
                if episode.complete:
                    store.add(episode)
                    moments.recorder.commit()
                else:
                    partial.append(episode)
        bar.end()
        interrupted = stop()
        chosen = _in_order(session.methods, session.reference, offline.names)
        if not store.count and not partial:
            stop.end()
        summary = summarise(
            chain(store, partial), chosen, session.reference.name, session.step_s, session.space
        )
        reading = Reading(
            time.perf_counter() - begun, time.process_time() - used, ahead.busy_s, ahead.waited_s
        )
        outcome = Outcome(
            session,
            summary,
            identity,
            joined(stream.faults.facts(), offline.faults.facts()),
            interrupted,
            reading,
        )
        files.note(REPORT)
        write_page(outcome, moments, files.path)
    return outcome


def _in_order(methods: tuple[Method, ...], reference: Method, names: list[str]) -> list[Method]:
    """Return what was run, as asked, the reference before them where it was not asked for."""
    asked = [method for method in methods if method.name in names]
    return asked if reference in asked else [reference, *asked]
