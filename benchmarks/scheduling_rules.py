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

"""Compare scheduling rules with the scripted expert in the VLA's place: nothing is rendered.

The expert answers what the scheduler asks, in microseconds, so that hundreds of episodes of all
tasks tell rules apart that a trained policy would take hours for. Its answers are spoilt as a
policy's are: by an error that lasts some steps, and by glitches.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
import json
import multiprocessing
from pathlib import Path
import sys

import numpy as np

from vla_accel_ros.acceleration import find
from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.actions import ActionChunk
from vla_accel_ros.evaluation.conditions import today
from vla_accel_ros.evaluation.seeds import RANGES, purpose
from vla_accel_ros.evaluation.statistics import bootstrap, paired_difference, wilson
from vla_accel_ros.files.outputs import beginning, check_file, json_with
from vla_accel_ros.files.whole_files import write_whole
from vla_accel_ros.scheduling.config import SchedulerConfig
from vla_accel_ros.scheduling.scheduler import Scheduler
from vla_accel_ros.sim.env import TabletopEnv
from vla_accel_ros.sim.expert import Expert
from vla_accel_ros.sim.tasks import all_tasks

TOOL = END_EFFECTOR.tool()
SP_VLA = 'SP-VLA, velocity band'
TRUST = 'hold@rule=trust,gripper_guard=false'
# So many steps without a look, whatever happens.
REPEAT = (
    'hold@rule=always,gripper_guard=false,capacity={0},min_actions=2,min_from_vla=1,'
    'step_skip=1,tau=0'
)
RULES = {
    'none': 'none',
    SP_VLA: 'ridge@v_min=0.08,tau=0.7',
    'SP-VLA, planar law': 'ridge@rule=planar',
    'velocity band, hold': 'hold@v_min=0.08',
    'every 3rd step, hold': REPEAT.format(2),
    'every 4th step, hold': REPEAT.format(3),
    'trust, hold': TRUST,
    'trust, ridge': f'{TRUST},predictor=ridge,trust_least=0',
}
# Errors of tabletop-s beside the expert, on 12 of its own episodes: standard deviations in mm and
# mrad, and the correlation from one step to the next.
SPREAD = np.array([0.25, 0.25, 0.7, 2.3, 2.4, 12.0]) * 1e-3
LASTING = np.array([0.5, 0.5, 0.4, 0.9, 0.6, 0.8])
# What a glitch does instead: a motion anywhere, and every other time the other gripper.
GLITCH_STEP, GLITCH_FLIPS = 0.015, 0.5


@dataclass(frozen=True)
class Spoilt:
    """How the expert's answers are spoilt.

    Attributes:
        name: What to call it.
        errors: Factor on the errors of tabletop-s.
        glitches: Share of steps at which an answer would be something else altogether.
    """

    name: str
    errors: float = 1.0
    glitches: float = 0.0


CONDITIONS = (
    Spoilt('errors of tabletop-s'),
    Spoilt('three times its errors', errors=3.0),
    Spoilt('its errors, 5 % glitches', glitches=0.05),
)


class Vla:
    """The expert in the VLA's place; what is wrong with a step is the same for every rule."""

    def __init__(self, env: TabletopEnv, seed: int, spoilt: Spoilt) -> None:
        self._env, self._spoilt, self._expert = env, spoilt, Expert()
        self._random = np.random.default_rng([seed, 1])
        self._error = np.zeros(6)

    def step(self) -> np.ndarray:
        """Return the answer at this step, float64 [7]; to be called at each, asked or not."""
        random, error = self._random, self._error
        error[:] = LASTING * error + np.sqrt(1 - LASTING**2) * SPREAD * random.normal(size=6)
        glitch, direction, flip = random.random(), random.normal(size=3), random.random()
        values = np.array(self._expert.action(self._env.state(), self._env.task))
        values[END_EFFECTOR.moving] += self._spoilt.errors * error
        if glitch < self._spoilt.glitches:
            values[TOOL.translation] = direction * (GLITCH_STEP / np.linalg.norm(direction))
            values[TOOL.rotation] = 0.0
            values[TOOL.gripper] = abs(values[TOOL.gripper] - (flip < GLITCH_FLIPS))
        return values


def episode(
    env: TabletopEnv, config: SchedulerConfig, seed: int, spoilt: Spoilt
) -> tuple[bool, int, int]:
    """Run one episode on the step clock; return success, steps and calls of the VLA."""
    tasks = all_tasks()
    instruction = tasks[seed % len(tasks)].instruction
    env.reset(seed=seed, options={'task': instruction})
    scheduler, vla = Scheduler(config), Vla(env, seed, spoilt)
    scheduler.set_instruction(instruction)
    steps = calls = 0
    done = cut = False
    while not (done or cut):
        now = 1_000_000_000 + steps * round(config.policy_step_s * 1e9)
        answer = vla.step()
        decision = scheduler.on_frame(now, now)
        if decision.request is not None:
            calls += 1
            decision = scheduler.on_answer(ActionChunk([answer], now), now)
        _, _, done, cut, _ = env.step(np.array(decision.action.values))
        steps += 1
    return done, steps, calls


def row(name: str, found: np.ndarray, against: np.ndarray) -> dict:
    """Sum up one rule's episodes, int [n, 3], beside those of SP-VLA's rule."""
    won, steps, calls = found.T
    calls_of = [
        bootstrap(lambda i, e=e: e[i, 2].sum(1) / e[i, 0].sum(1), len(e)) for e in (found, against)
    ]
    return {
        'rule': name,
        'episodes': len(found),
        'success': float(won.mean()),
        'success_ci': wilson(int(won.sum()), len(won)),
        'success_against_sp_vla': paired_difference(won.astype(bool), against[:, 0].astype(bool)),
        'steps_per_success': float(steps[won > 0].mean()) if won.any() else None,
        'calls_per_success': float(calls.sum() / won.sum()) if won.any() else None,
        'calls_per_success_ci': calls_of[0],
        'calls_per_step': float(calls.sum() / steps.sum()),
    }


def to_markdown(report: dict) -> str:
    """Return the report for people."""
    lines = [
        '# Scheduling rules, the expert in the place of the VLA',
        '',
        f'{report["date"]}, by `{report["command"]}`: all tasks in turn, {report["episodes"]} '
        f'episodes of {report["seeds"]} seeds from {report["first_seed"]}, the same for every '
        'rule. Made by `benchmarks/scheduling_rules.py`, which says how answers are spoilt.',
        '',
        'Calls are calls of the VLA per successful episode, with a 95 % bootstrap interval; '
        'difference is success less that of the velocity band, a paired 95 % interval.',
    ]
    for name, rows in report['conditions'].items():
        lines += [
            '',
            f'## {name[0].upper()}{name[1:]}',
            '',
            '| rule | success | difference | steps | calls | calls a step |',
            '|---' * 6 + '|',
        ]
        for found in rows:
            low, high = found['success_against_sp_vla']
            few, many = found['calls_per_success_ci'] or (float('nan'),) * 2
            lines.append(
                f'| {found["rule"]} | {found["success"]:.1%} | {low:+.1%} to {high:+.1%} | '
                f'{found["steps_per_success"] or float("nan"):.1f} | '
                f'{found["calls_per_success"] or float("nan"):.1f} ({few:.1f} to {many:.1f}) | '
                f'{found["calls_per_step"]:.2f} |'
            )
    settings = ['', '## Settings', '', *(f'- {k}: `{v}`' for k, v in report['rules'].items())]
    return '\n'.join(lines + settings) + '\n'


_env: TabletopEnv | None = None


def _run(job: tuple[SchedulerConfig, int, Spoilt]) -> tuple[bool, int, int]:
    global _env
    _env = _env or TabletopEnv(image_size=32, cameras=())
    return episode(_env, *job)


def measure(rules: dict[str, str], seeds: range, workers: int) -> dict[str, list[dict]]:
    """Run every rule on the same seeds under all conditions."""
    configs = {name: find(text)[0].scheduler for name, text in rules.items()}
    measured: dict[str, list[dict]] = {}
    with multiprocessing.get_context('spawn').Pool(workers) as pool:
        for spoilt in CONDITIONS:
            found = {
                name: np.array(pool.map(_run, [(config, seed, spoilt) for seed in seeds], 4), int)
                for name, config in configs.items()
            }
            against = found.get(SP_VLA, next(iter(found.values())))
            measured[spoilt.name] = [row(name, runs, against) for name, runs in found.items()]
    return measured


def check_outputs(folder: Path) -> None:
    """Refuse a folder whose files others made; nothing is made.

    Raises:
        OutputError: When it holds such files, or cannot be written.
    """
    check_file(folder / 'scheduling_rules.json', '--out', json_with('rules', 'conditions'))
    check_file(folder / 'scheduling_rules.md', '--out', beginning('# Scheduling rules'))


def main(argv: list[str] | None = None) -> int:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--episodes', type=int, default=200)
    parser.add_argument('--seed', type=int, default=RANGES['reporting'].start)
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument(
        '--rule',
        action='append',
        default=[],
        metavar='METHOD',
        help='beside those of the file; see `vla-accel eval --help`',
    )
    parser.add_argument('--only', action='store_true', help="those rules and SP-VLA's alone")
    parser.add_argument('--out', type=Path, help='folder for scheduling_rules.json and .md')
    options = parser.parse_args(argv)
    if options.out:
        try:
            check_outputs(options.out)
        except ValueError as error:
            parser.error(str(error))
    rules = {SP_VLA: RULES[SP_VLA]} if options.only else dict(RULES)
    rules |= {text: text for text in options.rule}
    seeds = range(options.seed, options.seed + options.episodes)
    report = {
        'date': today(),
        'command': 'python -m benchmarks.scheduling_rules '
        + ' '.join(sys.argv[1:] if argv is None else argv),
        'episodes': options.episodes,
        'seeds': purpose(options.seed),
        'first_seed': options.seed,
        'rules': rules,
        'conditions': measure(rules, seeds, options.workers),
    }
    text = to_markdown(report)
    print(text)
    if options.out:
        write_whole(options.out / 'scheduling_rules.json', json.dumps(report, indent=1) + '\n')
        write_whole(options.out / 'scheduling_rules.md', text)
    return 0


if __name__ == '__main__':
    sys.exit(main())
