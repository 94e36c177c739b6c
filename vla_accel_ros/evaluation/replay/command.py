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
from contextlib import closing, suppress
from itertools import chain
import json
from pathlib import Path
import shutil
import sys
import time

from vla_accel_ros.evaluation.methods import Method
from vla_accel_ros.evaluation.replay.moment import joined
from vla_accel_ros.evaluation.replay.results import REPORT, RESULTS, Outcome, Reading, write
from vla_accel_ros.evaluation.replay.store import (
    FOLDER,
    MOMENTS,
    RUN,
    ResumeError,
    Store,
)

INTERRUPTED, UNSOUND = 130, 1


def out_folder(args: argparse.Namespace) -> Path:
    """Return where the run goes, after making room or checking that there is some.

    Raises:
        ResumeError: When another run lies there.
    """
    out = args.out or Path('out/replay') / args.bag.resolve().stem
    if args.overwrite and args.resume:
        raise ValueError('--resume goes on with a run, --overwrite replaces it: choose one')
    if args.overwrite:
        clear(out)
    if not args.resume and any((out / name).exists() for name in (RESULTS, RUN)):
        raise ResumeError(
            f'{out} holds a run already: --resume goes on with it, --overwrite replaces it')
    return out


def clear(out: Path) -> None:
    """Remove what a run leaves in a folder, and the folder if nothing else is in it.

    Logs of nodes stay: they may say why there is nothing else.
    """
    for name in (RESULTS, REPORT, RUN, *(MOMENTS + end for end in ('', '-wal', '-shm'))):
        (out / name).unlink(missing_ok=True)
    shutil.rmtree(out / FOLDER, ignore_errors=True)
    with suppress(OSError):
        out.rmdir()


def run(args: argparse.Namespace) -> int:
    """Replay; return 0 when the whole bag was, and it was sound.

    Returns:
        0, 1 when the bag is damaged, 130 when interrupted.
    """
    from vla_accel_ros.evaluation.replay.session import prepare

    say = (lambda _text: None) if args.json else print
    out = out_folder(args)
    session = prepare(args, say)
    identity = session.identity()
    store = Store(out, identity, args.resume)
    try:
        outcome = _replay(session, identity, store, out)
    except BaseException:
        # Finished episodes are kept for --resume; without any there is nothing to keep.
        if not store.count:
            clear(out)
        raise
    return conclude(outcome, out, args.json)


def conclude(outcome: Outcome, out: Path, as_json: bool) -> int:
    """Write results.json, say what there is to say, and return the exit code."""
    from vla_accel_ros.evaluation.replay.table import render

    found = write(outcome, out)
    if as_json:
        print(json.dumps(found))
    else:
        summary = outcome.summary
        print(f'\n{summary.frames} frames, {summary.steps} steps in {len(summary.episodes)} '
              f'episodes; {found["clock"]}\n')
        print(render(summary.rows))
        print(f'\n  {out / RESULTS}\n  {out / REPORT}')
    for line in outcome.remarks():
        print(f'replay: {line}', file=sys.stderr)
    if outcome.interrupted:
        if outcome.session.args.mode == 'offline':
            print('replay: --resume goes on', file=sys.stderr)
        return INTERRUPTED
    return UNSOUND if outcome.warnings else 0


def _replay(session, identity: dict, store: Store, out: Path) -> Outcome:
    from vla_accel_ros.evaluation.replay.ahead import Ahead
    from vla_accel_ros.evaluation.replay.offline import Offline
    from vla_accel_ros.evaluation.replay.page import Moments, write_page
    from vla_accel_ros.evaluation.replay.progress import Bar, Interrupt
    from vla_accel_ros.evaluation.replay.summary import summarise

    begun, used = time.perf_counter(), time.process_time()
    first, skip, known = store.count, 0, {}
    if first:
        last = store.load(first - 1)
        skip, known = last.observations, last.faults
    stream = session.stream(skip, known)
    offline = Offline(
        session.policy, session.methods, session.reference, session.latencies, session.splitter(),
        session.recorded(), first)
    bar, moments, partial = Bar(session.observations, 'frames'), Moments(session, out), []
    bar.show(skip)

    def watch(seen, records) -> None:
        moments.watch(seen, records)
        bar.show(seen.number + 1)

    with closing(moments.recorder), Interrupt() as stop:
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
            raise KeyboardInterrupt
        summary = summarise(
            chain(store, partial), chosen, session.reference.name, session.step_s)
        reading = Reading(
            time.perf_counter() - begun, time.process_time() - used, ahead.busy_s, ahead.waited_s)
        outcome = Outcome(
            session, summary, identity, joined(stream.faults.facts(), offline.faults.facts()),
            interrupted, reading)
        write_page(outcome, moments, out)
    return outcome


def _in_order(
    methods: tuple[Method, ...], reference: Method, names: list[str],
) -> list[Method]:
    """Return what was run, as asked, the reference before them where it was not asked for."""
    asked = [method for method in methods if method.name in names]
    return asked if reference in asked else [reference, *asked]
