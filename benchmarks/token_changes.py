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

"""How many action tokens each way of pruning, decoding and computing changes, on recorded frames.

The unaccelerated policy drives episodes of all tasks on eager; every method on every engine then
answers the same frames, with the same last action to prune and to draft by. A method may be called
lossless while it changes at most one token in a hundred.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import sys
import time
from typing import NamedTuple

import numpy as np

from vla_accel_ros.acceleration import BASELINE, apply_method, find, parse
from vla_accel_ros.engines.calibration import Calibration
from vla_accel_ros.engines.interface import Engine
from vla_accel_ros.engines.onnx.float8_graphs import Float8Graphs
from vla_accel_ros.engines.onnxruntime_engine import OnnxRuntime
from vla_accel_ros.engines.store import Store
from vla_accel_ros.engines.wish import EAGER, WEIGHTS, EngineWish
from vla_accel_ros.evaluation import runner, seeds
from vla_accel_ros.models.engine_choice import aloud, use_engine
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.prediction import Prediction
from vla_accel_ros.motion import Motion
from vla_accel_ros.observations import Observation
from vla_accel_ros.paths import checkpoint_folder

METHODS = (
    'none,jacobi,verify,relaxed,jacobi+sp_vla_pruning,jacobi+vla_pruner@keep=0.75,layer=3,'
    'jacobi+fastv@keep=0.75,layer=3,jacobi+fastv@keep=0.5,layer=3,jacobi+random@keep=0.75,'
    'jacobi+specprune'
)
FIRST_SEED = seeds.RANGES['tuning'].start + 600_000


class Frame(NamedTuple):
    """What was asked, and what the unaccelerated policy said."""

    observation: Observation
    last: np.ndarray | None
    bins: np.ndarray


def drive(worker: runner.Worker, seed: int, instruction: str, longest: int) -> list[Frame]:
    """Run an episode unaccelerated and return its frames."""
    environment, policy = worker.environment, worker.policy
    environment.reset(seed, instruction)
    policy.reset()
    frames: list[Frame] = []
    last, done = None, False
    while not done and len(frames) < longest:
        view = environment.observe()
        stamp_ns = 1_000_000_000 + round(len(frames) * environment.step_s * 1e9)
        seen = Observation(view.images, instruction, stamp_ns, view.proprio)
        answer = policy.predict(seen, motion=_motion(last, environment.step_s), draft=last)
        frames.append(Frame(seen, last, in_bins(policy, answer)))
        last = answer.chunk_values[0]
        done = environment.step(last).done
    return frames


def measure(
    policy: Policy, episodes: Sequence[Sequence[Frame]], step_s: float
) -> dict[str, float]:
    """Answer all frames; return means, and the median processor time of a call in ms."""
    changed, off, kept, passes, took = [], [], [], [], []
    for frames in episodes:
        policy.reset()
        for frame in frames:
            # Of all threads: an engine computes in one of its own.
            begun = time.process_time()
            answer = policy.predict(
                frame.observation, motion=_motion(frame.last, step_s), draft=frame.last
            )
            took.append(1e3 * (time.process_time() - begun))
            distance = np.abs(in_bins(policy, answer) - frame.bins)
            changed.append(np.mean(distance >= 0.5))
            off.append(np.mean(distance))
            kept.append(answer.kept)
            passes.append(answer.passes)
    return {
        'changed': 100 * float(np.mean(changed)),
        'off': float(np.mean(off)),
        'kept': float(np.mean(kept)),
        'passes': float(np.mean(passes)),
        'ms': float(np.median(took)),
    }


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _motion(last: np.ndarray | None, step_s: float) -> Motion | None:
    return None if last is None else Motion.from_action(last, step_s)


def in_bins(policy: Policy, answer: Prediction) -> np.ndarray:
    """Give an answer in bins, float64 [n]: its tokens, or where it has none its numbers as such.

    A number that moves by half a bin would be another token.
    """
    if len(answer.token_ids):
        return answer.token_ids.astype(float)
    low, high = policy.statistics.low, policy.statistics.high
    return ((answer.chunk_values - low) / (high - low) * policy.config.bins).ravel()


def wishes(text: str) -> list[EngineWish]:
    """Read engines, their precisions and calibration frames, `NAME[:PRECISION[:FILE]],...`.

    Raises:
        ValueError: When there is no such engine, or it does not know the precision.
    """
    result = []
    for piece in text.split(','):
        name, precision, file = [*piece.split(':', 2), '', ''][:3]
        result.append(EngineWish(name, precision or WEIGHTS, True, file))
    return result


def float8_on_cpu(policy: Policy, file: str) -> Engine:
    """Give what computes on the CPU what TensorRT does in float8, with its graphs.

    Args:
        policy: The policy, of float32.
        file: Calibration frames.

    Raises:
        EngineError: When the file is of another checkpoint, or a program was not recorded.
    """
    frames = Calibration.load(file, policy.model)
    return OnnxRuntime(Float8Graphs(policy.model, Store(), frames))


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--methods', default=METHODS)
    parser.add_argument(
        '--engines',
        default=EAGER.engine,
        metavar='NAME[:PRECISION[:FILE]],...',
        help='what every method is run on (%(default)s)',
    )
    parser.add_argument(
        '--float8',
        default='',
        metavar='FILE',
        help='calibration frames: also compute what tensorrt does in float8, by ONNX Runtime on '
        'the CPU',
    )
    parser.add_argument('--checkpoint', default='tabletop-s')
    parser.add_argument('--episodes', type=int, default=6)
    parser.add_argument('--longest', type=int, default=70, help='frames of an episode at most')
    options = parser.parse_args(argv)
    methods, engines = find(options.methods), wishes(options.engines)
    numbers = seeds.require('tuning', FIRST_SEED, options.episodes)
    worker = runner.Worker(runner.Setup(str(checkpoint_folder(options.checkpoint))))
    apply_method(parse(BASELINE), worker.policy)
    texts = runner.TABLETOP.instructions('all')
    # Instructions far apart in the list, so that few episodes have all kinds of tasks.
    episodes = [
        drive(
            worker,
            seed,
            texts[place * len(texts) // options.episodes % len(texts)],
            options.longest,
        )
        for place, seed in enumerate(numbers)
    ]
    print(f'{sum(map(len, episodes))} frames of {options.episodes} episodes\n')
    print(
        '| engine | method | tokens changed | bins off, mean | visual tokens kept | passes | '
        'processor time of a call |'
    )
    print('|---' * 7 + '|')
    for wish in [*engines, *([None] if options.float8 else [])]:
        for method in methods:
            policy = worker.policy.sibling()
            apply_method(method, policy)
            if wish is None:
                policy.set_engine(float8_on_cpu(policy, options.float8))
                ran = 'graphs of float8'
            else:
                # Not compared first: how far it is off is what is measured.
                in_use = use_engine(policy, wish, aloud(_say, check=False))
                throughout = ' throughout' if wish.engine_calibration else ''
                ran = f'{in_use.name} {in_use.precision}{throughout}'
            # Each shape is met twice before an engine has its own graph for it.
            for _ in range(2):
                found = measure(policy, episodes, worker.environment.step_s)
            print(
                f'| {ran} | `{method.name}` | {found["changed"]:.1f} % | '
                f'{found["off"]:.2f} | {found["kept"]:.1f} | {found["passes"]:.2f} | '
                f'{found["ms"]:.1f} ms |',
                flush=True,
            )
    return 0


if __name__ == '__main__':
    sys.exit(main())
