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

"""`vla-accel eval`: closed-loop success, with and without acceleration."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from dataclasses import replace
import json
from pathlib import Path
import sys
import time

from vla_accel_ros import acceleration as methods
from vla_accel_ros.cluster.connection import Cluster
from vla_accel_ros.cluster.options import workers_here
from vla_accel_ros.engines import wish
from vla_accel_ros.environments import registry
from vla_accel_ros.evaluation import clocks, runner, seeds
from vla_accel_ros.evaluation.episode import EpisodeResult
from vla_accel_ros.evaluation.journal import Journal, check_journal
from vla_accel_ros.evaluation.options import configure
from vla_accel_ros.evaluation.session import Evaluation
from vla_accel_ros.evaluation.spread import Spread
from vla_accel_ros.evaluation.table import render
from vla_accel_ros.files.locks import Lock
from vla_accel_ros.files.outputs import check_apart, check_file
from vla_accel_ros.files.own_outputs import (
    journal_beside,
    of_evaluation,
    of_page,
    report_file,
    write_whole,
)
from vla_accel_ros.files.whole_files import is_special, is_stdout
from vla_accel_ros.paths import checkpoint_folder
from vla_accel_ros.stopping import Interrupt

__all__ = ['configure', 'run', 'session_of']


def session_of(args: argparse.Namespace) -> Evaluation:
    """Return what the arguments ask for.

    Raises:
        ValueError: When they make no sense; names the value and what was expected.
        OSError: When a file is not there.
    """
    chosen = methods.find(args.methods)
    kind = registry.find(args.env, args.env_config)
    task = kind.default_task if args.task is None else args.task
    instructions = kind.instructions(task)
    purpose, seed_range = seeds.of_purpose(_first(args.seed), args.episodes)
    registry.check_sizes(args.image_size, args.max_steps)
    if args.resume and args.out is None:
        raise ValueError('--resume goes on with what is beside --out, expected both')
    setup = runner.Setup(
        str(checkpoint_folder(args.checkpoint)),
        kind,
        args.device,
        args.image_size,
        args.max_steps,
        args.unnorm_key,
        wish.wish_of(args),
    )
    return Evaluation(
        setup,
        chosen,
        clocks.latencies(args.clock, args.latency_ms, chosen),
        task,
        instructions,
        purpose,
        seed_range,
    )


def _first(text: str) -> int:
    if text in seeds.RANGES:
        return seeds.RANGES[text].start
    try:
        return int(text)
    except ValueError:
        raise ValueError(
            f"--seed is '{text}', expected a number or one of: {', '.join(seeds.RANGES)}"
        ) from None


def run(args: argparse.Namespace) -> int:
    """Evaluate; return 0 when every episode was run, 1 when one of them failed to be run."""
    session = session_of(args)
    page = None if args.report is None else report_file(args.report)
    check_outputs(args, page)
    jobs = session.jobs()
    workers = workers_here() if args.workers is None else args.workers
    with ExitStack() as stack:
        where, spread = '', None
        if args.cluster is not None:
            cluster = stack.enter_context(Cluster(args.cluster, args.device))
            spread = Spread(cluster, args.workers)
            where, workers = f' on {args.cluster}', spread.workers
        if workers > 0:
            count = min(workers, len(jobs))
            print(
                f'starting {count} worker{"s" * (count > 1)}{where} for {len(jobs)} episodes',
                file=sys.stderr,
            )
        here = runner.prepare(jobs, session.setup, workers)
        session = replace(
            session, setup=here.setup, engine=here.policy.in_use.facts(), spread=spread
        )
        for path in (args.out, page):
            if path is not None and not is_special(path):
                stack.enter_context(Lock.beside(path))
        stop = stack.enter_context(
            Interrupt('stopping: episodes under way are left, what is done is kept')
        )
        return _run(args, session, jobs, here, workers, page, stop)


def _run(
    args: argparse.Namespace,
    session: Evaluation,
    jobs: list[runner.Job],
    here: runner.Worker,
    workers: int,
    page: Path | None,
    stop: Interrupt,
) -> int:
    journal = None
    if args.out is not None and not is_special(args.out):
        journal = Journal(journal_beside(args.out), session.settings(), args.resume)
    start = time.monotonic()
    results, failed = _evaluate(session, jobs, here, workers, journal, stop)
    if journal is not None:
        journal.close()
    if failed and not results:
        raise failed
    if not results:
        print('interrupted before the first episode was over', file=sys.stderr)
        return stop.code
    report = session.report(results, time.monotonic() - start)
    if args.out is not None and not (args.json and is_stdout(args.out)):
        write_whole(args.out, json.dumps(report, indent=1) + '\n')
        print(f'{args.out}: {len(results)} episodes written', file=sys.stderr)
    _say(args, session, report)
    if page is not None:
        from vla_accel_ros.evaluation.pages import write_page

        write_page(page, session, report, results, here, sys.argv[1:])
    if not report['complete']:
        again = '; --resume goes on' if journal is not None else ''
        print(
            f'{failed or "interrupted"}: {len(results)} of {len(jobs)} episodes were run{again}',
            file=sys.stderr,
        )
    if failed:
        return 1
    return 0 if report['complete'] else stop.code


def check_outputs(args: argparse.Namespace, page: Path | None) -> None:
    """Refuse outputs that must not be written, before anything is run; nothing is made.

    Raises:
        ValueError: When one is somebody else's, or of another run that goes on, or an input.
    """
    drawn = None if args.latency_ms is None else Path(args.latency_ms)
    check_apart({'--out': args.out, '--report': page, '--latency-ms': drawn})
    if args.out is not None:
        if args.resume and is_special(args.out):
            raise ValueError(f'--out is {args.out}: no episodes are kept beside it to resume')
        check_file(args.out, '--out', of_evaluation)
        if not is_special(args.out):
            check_journal(journal_beside(args.out))
    if page is not None:
        check_file(page, '--report', of_page)


def _evaluate(
    session: Evaluation,
    jobs: list[runner.Job],
    here: runner.Worker,
    workers: int,
    journal: Journal | None,
    stop: Interrupt,
) -> tuple[list[EpisodeResult], Exception | None]:
    """Run what the journal does not hold.

    Returns:
        All episodes in the jobs' order, and what made it end before the last one.
    """
    failed = None
    done = {(r.method, r.seed): r for r in (journal.results if journal else ())}
    keys = [(job.method.name, job.seed) for job in jobs]
    left = [job for job, key in zip(jobs, keys, strict=True) if key not in done]
    if done:
        print(f'going on: {len(done)} of {len(jobs)} episodes were run', file=sys.stderr)
    live, start, fresh = sys.stderr.isatty(), time.monotonic(), 0
    spread = session.spread
    try:
        for result in (
            ()
            if not left
            else spread.run(left, here, stop)
            if spread
            else runner.run(left, session.setup, workers, here, stop)
        ):
            done[result.method, result.seed] = result
            fresh += 1
            if journal is not None:
                journal.add(result)
            if live:
                _progress(session, done, len(jobs), (time.monotonic() - start) / fresh)
    except KeyboardInterrupt:
        if stop.asked:
            # Asked twice: at once. The journal holds what was done.
            raise
    except (ValueError, runner.WorkerLostError) as error:
        failed = error
    if live:
        print(file=sys.stderr)
    return [done[key] for key in keys if key in done], failed


def _say(args: argparse.Namespace, session: Evaluation, report: dict) -> None:
    if args.json:
        print(json.dumps(report))
        return
    print(
        f'{report["checkpoint"]} in {report["environment"]}, {session.task}, '
        f'{session.purpose} seeds from {session.seeds.start}, {session.clock} clock'
    )
    print(render(report['methods']))
    for note in report['notes']:
        print(f'note: {note}')


def _progress(session: Evaluation, done: dict, total: int, each: float) -> None:
    parts = []
    for method in session.methods:
        mine = [r.success for (name, _), r in done.items() if name == method.name]
        if mine:
            parts.append(f'{method.name} {sum(mine)}/{len(mine)}')
    print(
        f'\r{len(done)}/{total}  {"  ".join(parts)}  {each * (total - len(done)):.0f} s left '
        f'\x1b[K',
        end='',
        file=sys.stderr,
        flush=True,
    )
