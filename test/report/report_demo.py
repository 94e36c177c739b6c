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

"""A report as a replay would make it: real frames of the embedded arm, invented figures.

`python test/report/report_demo.py out/report.html` writes it to look at.
"""

from pathlib import Path
import sys
import tempfile

import numpy as np

from vla_accel_ros.report.data import Bound, Estimate, Measure, MethodRow, Provenance, Report
from vla_accel_ros.report.moments import Camera, Clip, Step
from vla_accel_ros.report.page import write
from vla_accel_ros.report.recorder import Recorder

GRID = 6
CAMERAS = (Camera('agent', GRID, GRID), Camera('wrist', GRID, GRID))
REFERENCE = 'none'
# Name, what it does, share of intuitive steps, keep ratio, ms of a call, error in mm.
METHODS = (
    ('none', 'the policy at every step, unaccelerated', 0.0, 1.0, 14.4, 0.0),
    ('sp_vla', 'ridge while the speed is in a band', 0.35, 1.0, 14.4, 0.9),
    ('sp_vla+jacobi', 'the same, tokens decoded in parallel', 0.35, 1.0, 8.1, 0.9),
    ('fast', 'trust that is measured, early pruning', 0.5, 0.5, 6.8, 1.6),
    ('random@keep=0.25', 'tokens dropped by lot', 0.0, 0.25, 7.3, 3.1),
    ('hold', 'the last action again', 0.6, 1.0, 14.4, 2.35),
)
SUCCESSES = {
    'none': 198,
    'sp_vla': 197,
    'sp_vla+jacobi': 197,
    'fast': 196,
    'random@keep=0.25': 151,
    'hold': 186,
}
FAILED = ('hold', 'random@keep=0.25', 'fast')
MEASURES = (
    Measure(
        'p95',
        'departure from none, p95',
        'mm',
        'Against the unaccelerated policy',
        'lower',
        2,
        True,
        'Distance of the translations of one step, over all steps.',
    ),
    Measure(
        'mean', 'departure from none, mean', 'mm', 'Against the unaccelerated policy', 'lower', 2
    ),
    Measure('gripper', 'gripper agrees', '%', 'Against the unaccelerated policy', 'higher'),
    Measure('success', 'success', '%', 'In a closed loop', 'higher', 1, True),
    Measure(
        'success_against',
        'success against none',
        'points',
        'In a closed loop',
        'higher',
        1,
        True,
        'Paired over the same seeds.',
    ),
    Measure('ms', 'model time per step', 'ms', 'Cost', 'lower', 2, True),
    Measure('calls', 'model calls', '', 'Cost', 'lower', 0),
    Measure('kept', 'tokens kept', '%', 'Cost', '', 0, True),
    Measure('hz', 'effective rate', 'Hz', 'Cost', 'higher', 0),
)


def film(frames, side):
    """Yield episode, instruction, time, views, speed and the tool's place in each view."""
    from vla_accel_ros.sim.env import TabletopEnv
    from vla_accel_ros.sim.expert import Expert

    env, expert = TabletopEnv(image_size=side, cameras=('agent', 'wrist')), Expert()
    made, seed = 0, 0
    while made < frames:
        seen, _ = env.reset(seed=seed)
        done, step = False, 0
        while not done and made < frames:
            action = expert.action(env.state(), env.task)
            tool = env.state().ee_position[None]
            places = [
                np.asarray(env.project(tool, name, side))[0, :2] / side
                for name in ('agent', 'wrist')
            ]
            speed = float(np.linalg.norm(action[:3])) / env.control_dt
            yield (
                f'seed {seed}',
                env.instruction,
                step * env.control_dt,
                (seen['agent'], seen['wrist']),
                speed,
                places,
            )
            seen, _, over, cut, _ = env.step(action)
            done, step, made = over or cut, step + 1, made + 1
        seed += 1


def kept_near(places, ratio, rng):
    """Return tokens near the tool first, int [n] a camera, and none where all are kept."""
    if ratio == 1:
        return ()
    rows, columns = np.divmod(np.arange(GRID * GRID), GRID)
    chosen = []
    for x, y in places:
        far = np.hypot((columns + 0.5) / GRID - x, (rows + 0.5) / GRID - y)
        order = np.argsort(far + rng.normal(0, 0.12, far.size))
        chosen.append(np.sort(order[: max(1, round(ratio * far.size))]))
    return tuple(chosen)


def record(recorder, frames, side, instruction=None):
    """Record every method on each frame; return the errors and the calls by method."""
    rng = np.random.default_rng(7)
    errors = {method[0]: [] for method in METHODS}
    calls = {method[0]: [] for method in METHODS}
    kinds = {method[0]: [] for method in METHODS}
    for number, moment in enumerate(film(frames, side)):
        episode, task, time_s, views, speed, places = moment
        recorder.add_frame(number, views)
        for name, _, intuitive, ratio, cost, wrong in METHODS:
            easy = intuitive > 0 and speed > 0.12 and rng.random() < 1.6 * intuitive
            kind = 'intuitive' if easy else 'verified' if 'jacobi' in name else 'deliberative'
            latency = None if easy else float(cost * rng.lognormal(0, 0.08))
            error = float(wrong * rng.gamma(2, 0.5) * (1.5 if easy else 0.7))
            step = Step(
                time_s,
                kind,
                'fast' if easy else 'precise' if speed < 0.12 else 'buffer_short',
                speed + float(rng.normal(0, 0.004 * wrong)),
                None if easy else ratio,
                latency,
                error,
                () if easy else kept_near(places, ratio, rng),
            )
            recorder.add_step(number, name, step, episode, instruction or task)
            errors[name].append(error)
            kinds[name].append(kind)
            calls[name] += [] if easy else [latency]
    return errors, calls, kinds


def around(value, spread, low=None, high=None):
    ends = [value - spread, value + spread]
    return Estimate(value, *np.clip(ends, low, high).tolist())


def row_of(method, errors, calls, kinds):
    name, summary, _, ratio, _, _ = method
    n, own, spent = len(errors[name]), np.array(errors[name]), np.array(calls[name])
    rate = SUCCESSES[name] / 2
    values = {
        'success': around(rate, 1.6 + (100 - rate) * 0.15, 0, 100),
        'ms': around(spent.sum() / n, 0.02 * spent.sum() / n),
        'calls': Estimate(len(spent)),
        'kept': Estimate(100 * ratio),
        'hz': Estimate(1000 * n / spent.sum()),
    }
    if name == REFERENCE:
        values |= {'p95': Estimate(0.0), 'mean': Estimate(0.0)}
    else:
        p95 = float(np.percentile(own, 95))
        values |= {
            'p95': around(p95, 0.09 * p95),
            'mean': around(own.mean(), 0.05 * own.mean()),
            'success_against': around(rate - 99, 1.2 + (99 - rate) * 0.12),
            'gripper': around(100 - own.mean(), 0.4, 0, 100),
        }
    shares = {kind: kinds[name].count(kind) / n for kind in set(kinds[name])}
    settings = {'keep_ratio': ratio, 'rule': 'never' if name == REFERENCE else 'velocity'}
    return MethodRow(name, summary, values, shares, spent, settings)


def demo_report(folder, frames=600, side=96, instruction=None, most=600, notes=()):
    """Return a report of so many frames; its moments are kept in `folder`."""
    recorder = Recorder(Path(folder) / 'moments.sqlite', CAMERAS, most)
    errors, calls, kinds = record(recorder, frames, side, instruction)
    shown = recorder.shown()
    recorder.close()
    clips = tuple(
        Clip(
            f'{name}, {episode.name}',
            f'{episode.instruction}: out of time',
            episode.traces[name].pictures,
        )
        for name, episode in zip(FAILED, shown.episodes, strict=False)
    )
    return Report(
        title='Replay of kitchen.mcap',
        reference=REFERENCE,
        measures=MEASURES,
        subtitle=f'{frames} frames of {len(shown.episodes)} episodes, policy tabletop-s, offline',
        methods=tuple(row_of(method, errors, calls, kinds) for method in METHODS),
        bounds=(Bound('p95', 5.0), Bound('success_against', -3.0)),
        quality='p95',
        cost='ms',
        cameras=CAMERAS,
        pictures=shown.pictures,
        episodes=shown.episodes,
        clips=clips,
        notes=tuple(notes),
        sampling=shown.sampling,
        provenance=Provenance(
            "vla-accel replay kitchen.mcap --methods 'none,sp_vla,fast' --out out",
            '2026-11-20 15:00 UTC',
            {'bag': 'kitchen.mcap, sha256 ' + '5e' * 32},
            {'python': '3.11.2', 'torch': '2.13.0', 'vla_accel_ros': '0.1.0'},
            {'processor': 'AMD EPYC', 'cores': 2, 'gpu': None},
            {'clock': 'offline'},
        ),
    )


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as folder:
        page = write(demo_report(folder), Path(sys.argv[1]))
    print(f'{page}: {page.stat().st_size / 1e6:.1f} MB')
