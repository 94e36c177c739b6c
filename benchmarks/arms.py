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

"""Arms on one inference process, against an inference process for each arm.

Every arm asks again as soon as it is answered, so that what is measured is a full machine. Both
ways take turns. No ROS is on the way: the worker, its turns and the meeting are those of the
inference node. Processes of an arm each share the cores out among them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
import json
import os
from pathlib import Path
import shlex
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np

from vla_accel_ros.evaluation import conditions
from vla_accel_ros.files.outputs import beginning, check_file, json_with
from vla_accel_ros.files.whole_files import write_whole

COMMAND = 'python -m benchmarks.arms'
RESULTS = Path(__file__).parent / 'results'
TITLE = '# Several arms on one inference process'
WARM_UP = 3
INSTRUCTIONS = (
    'pick up the red cube',
    'stack the red cube on the green cube',
    'pick up the blue cube and place it in the bin',
    'pick up the green cube',
)


class Serving:
    """A model that answers so many arms in this process.

    Args:
        options: Model, device, pruning and decoder.
        arms: How many.
        threads: Of torch.
    """

    def __init__(self, options: argparse.Namespace, arms: int, threads: int) -> None:
        os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
        import torch

        from vla_accel_ros.bench.scenes import synthetic
        from vla_accel_ros.engines.meeting import Meeting
        from vla_accel_ros.ros.worker import Worker

        self._meeting = Meeting()
        self._worker: Worker[int] = Worker(self._answer, self._failed, 'inference')
        self._worker.most, self._worker.bound = arms, 0.002

        def load() -> None:
            torch.set_num_threads(threads)
            first = load_policy(options)
            self._policies = [first, *(first.sibling() for _ in range(arms - 1))]
            for policy in self._policies:
                policy.meet()
                policy.set_pruning(options.pruning)
                policy.set_decoder(options.decoder, draft='previous')

        self._worker.call(load).result()
        config = self._policies[0].config
        self._scenes = [synthetic(config, 16, options.first + arm) for arm in range(arms)]
        self._words = [INSTRUCTIONS[(options.first + k) % len(INSTRUCTIONS)] for k in range(arms)]
        self._steps = [0] * arms
        self._asked = [0.0] * arms
        self._left = threading.Semaphore(0)
        self.errors: list[str] = []
        self.run(lambda: self._steps[0] >= WARM_UP)

    def run(self, over: Callable[[], bool]) -> list[float]:
        """Have every arm ask again and again; return the milliseconds of each answer."""
        self._over, self._took = over, []
        arms = range(len(self._policies))
        for arm in arms:
            self._ask(arm)
        for _ in arms:
            self._left.acquire()
        if self.errors:
            raise RuntimeError(self.errors[0])
        return self._took

    def close(self) -> None:
        """End the threads."""
        self._worker.close()
        self._meeting.close()

    def _ask(self, arm: int) -> None:
        self._asked[arm] = time.perf_counter()
        self._worker.put(arm, arm)

    def _answer(self, arms: Sequence[int]) -> Sequence[Exception | None]:
        return self._meeting.run([lambda arm=arm: self._answer_one(arm) for arm in arms])

    def _answer_one(self, arm: int) -> None:
        frame = self._scenes[arm].frame(self._steps[arm])
        observation = type(frame.observation)(
            frame.observation.images,
            self._words[arm],
            frame.observation.stamp_ns,
            frame.observation.proprio,
        )
        self._policies[arm].predict(observation, motion=frame.motion)
        self._took.append((time.perf_counter() - self._asked[arm]) * 1e3)
        self._steps[arm] += 1
        if self._over():
            self._left.release()
        else:
            self._ask(arm)

    def _failed(self, error: Exception, arm: int) -> None:
        self.errors.append(f'arm {arm}: {error!r}')
        self._left.release()


def load_policy(options: argparse.Namespace):
    """Load the model, with random weights where the name has a size only."""
    from vla_accel_ros.bench import subjects
    from vla_accel_ros.models.policy import Policy
    from vla_accel_ros.paths import shipped_checkpoints

    shipped = shipped_checkpoints()
    if options.model in shipped:
        return Policy.load(shipped[options.model], options.device)
    return subjects.find(options.model, options.device, random=True).policy()


def child(options: argparse.Namespace) -> int:
    """Serve arms in this process: a turn for each line that says how long, until there is none."""
    serving = Serving(options, options.child, options.threads)
    print('ready', flush=True)
    for line in sys.stdin:
        begun, seconds = time.perf_counter(), float(line)
        took = serving.run(lambda end=begun + seconds: time.perf_counter() >= end)
        print(json.dumps({'ms': took, 'seconds': time.perf_counter() - begun}), flush=True)
    serving.close()
    return 0


class Child:
    """A process that serves arms."""

    def __init__(self, words: Sequence[str], arms: int, threads: int, first: int) -> None:
        self._process = subprocess.Popen(
            [
                *(sys.executable, '-m', 'benchmarks.arms', *words),
                *('--child', str(arms), '--threads', str(threads), '--first', str(first)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def hear(self) -> str:
        """Wait for a line."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ChildProcessError(f'a process has ended with code {self._process.wait()}')
        return line

    def say(self, line: str) -> None:
        """Send a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f'{line}\n')
        self._process.stdin.flush()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def measure(options: argparse.Namespace, arms: int) -> list[dict[str, Any]]:
    """Measure so many arms both ways, in turns; return a row each."""
    words = ['--model', options.model, '--device', options.device]
    words += ['--pruning', options.pruning, '--decoder', options.decoder]
    cores = len(os.sched_getaffinity(0))
    ways = {'one': [Child(words, arms, options.threads or cores, 0)]}
    if arms > 1 and not options.only_one:
        each = max(1, (options.threads or cores) // arms)
        ways['apart'] = [Child(words, 1, each, arm) for arm in range(arms)]
    took: dict[str, list[float]] = {way: [] for way in ways}
    spent = dict.fromkeys(ways, 0.0)
    try:
        for children in ways.values():
            for one in children:
                one.hear()
        for _ in range(options.turns):
            for way, children in ways.items():
                for one in children:
                    one.say(str(options.seconds))
                found = [json.loads(one.hear()) for one in children]
                took[way] += [ms for each in found for ms in each['ms']]
                spent[way] += max(each['seconds'] for each in found)
    finally:
        for children in ways.values():
            for one in children:
                one.close()
    return [row(arms, way, took[way], spent[way]) for way in ways]


def row(arms: int, way: str, took: Sequence[float], spent_s: float) -> dict[str, Any]:
    """Sum up the answers of one way.

    Args:
        arms: How many asked.
        way: `one` process for all, or processes `apart`.
        took: Milliseconds from asking to the answer, of each.
        spent_s: Seconds that all of them took together.
    """
    p50, p95, p99 = np.percentile(took, [50, 95, 99])
    return {
        'arms': arms,
        'way': way,
        'answers': len(took),
        'ms_p50': float(p50),
        'ms_p95': float(p95),
        'ms_p99': float(p99),
        'ms_an_answer': spent_s * 1e3 / len(took),
    }


def to_markdown(report: dict[str, Any]) -> str:
    """Write the report as a page."""
    lines = [
        TITLE,
        '',
        f'{report["date"]}, by `{report["command"]}`: {report["model"]}, pruning '
        f'{report["pruning"]}, decoder {report["decoder"]}, on {report["machine"]["processor"]}, '
        f'{report["machine"]["cores"]} cores; other programs kept {report["busy"]} processes '
        'running meanwhile.',
        '',
        'Every arm asks again as soon as it is answered. A call is the time from asking to the '
        'answer, with what it waits for others. Time an answer is what the machine needs for one, '
        'all arms together. Saved is how much less that is than with a process for each arm.',
        '',
        '| arms | process | answers | call, ms p50 | p95 | p99 | time an answer, ms | saved |',
        '|---' * 8 + '|',
    ]
    apart = {each['arms']: each for each in report['rows'] if each['way'] == 'apart'}
    for each in report['rows']:
        saved = '-'
        if each['way'] == 'one' and each['arms'] in apart:
            saved = f'{1 - each["ms_an_answer"] / apart[each["arms"]]["ms_an_answer"]:.0%}'
        way = {'one': 'one for all', 'apart': 'one an arm'}[each['way']]
        lines.append(
            f'| {each["arms"]} | {way} | {each["answers"]} | {each["ms_p50"]:.0f} | '
            f'{each["ms_p95"]:.0f} | {each["ms_p99"]:.0f} | {each["ms_an_answer"]:.1f} | '
            f'{saved} |'
        )
    return '\n'.join(lines) + '\n'


def main(argv: list[str] | None = None) -> int:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument('--model', default='tabletop-m', help='shipped, or a size by name')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--pruning', default='none')
    parser.add_argument('--decoder', default='greedy')
    parser.add_argument('--arms', default='1,2,4,8', help='numbers of arms (default %(default)s)')
    parser.add_argument('--turns', type=int, default=3, help='turns of each way')
    parser.add_argument('--seconds', type=float, default=8.0, help='of a turn')
    parser.add_argument('--threads', type=int, default=0, help='of torch; 0: as many as cores')
    parser.add_argument('--only-one', action='store_true', help='leave out a process an arm')
    parser.add_argument('--out', type=Path, default=RESULTS / 'arms.json', metavar='FILE')
    parser.add_argument('--child', type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument('--first', type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.child:
        return child(options)
    page = options.out.with_suffix('.md')
    check_file(options.out, 'a report of arms', json_with('rows', 'busy'))
    check_file(page, 'a page of arms', beginning(TITLE))
    busy = os.getloadavg()[0]
    rows = [each for arms in options.arms.split(',') for each in measure(options, int(arms))]
    report = {
        'date': conditions.today(),
        'command': shlex.join([*COMMAND.split(), *(sys.argv[1:] if argv is None else argv)]),
        'machine': conditions.machine(),
        'versions': conditions.versions(),
        'model': options.model,
        'pruning': options.pruning,
        'decoder': options.decoder,
        'busy': round(busy, 1),
        'rows': rows,
    }
    write_whole(options.out, json.dumps(report, indent=1) + '\n')
    write_whole(page, to_markdown(report))
    print(to_markdown(report))
    return 0


if __name__ == '__main__':
    sys.exit(main())
