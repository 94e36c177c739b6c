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

"""Make frames: random scenes to learn seeing from, and noisy demonstrations to learn doing from.

Chunks are made independently, each from seeds of its own, so the result depends neither on the
number of processes nor on interruptions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
import multiprocessing
from pathlib import Path
import signal

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.evaluation import seeds
from vla_accel_ros.sim.env import TabletopEnv
from vla_accel_ros.sim.expert import Expert
from vla_accel_ros.stopping import end_with_parent, starting_workers
from vla_accel_ros.training.disturbance import Disturbance
from vla_accel_ros.training.frames import Frames
from vla_accel_ros.training.labels import label
from vla_accel_ros.training.recipe import KINDS, SEEDS_A_CHUNK

# Sizes that frames are rendered at before they are fitted, as multiples of the frame's: a camera's
# own size is seldom the model's.
RENDERED = (1, 4 / 3, 2)
# Largest step of the arm, about: what noise is a share of.
STEP = np.array([0.020, 0.020, 0.020, 0.03, 0.03, 0.10])


def wander(
    env: TabletopEnv, random: np.random.Generator, instructions: tuple[str, ...], **_
) -> Iterator[tuple[bool, int]]:
    """Move the arm between random poses, mostly near cubes; yield which instants to keep.

    Nothing is being followed: any instruction stands for it.
    """
    while True:
        state = env.state()
        if random.random() < 0.7:
            cube = state.cubes[list(state.cubes)[random.integers(len(state.cubes))]]
            goal = cube + random.normal(0.0, [0.035, 0.035, 0.0])
            goal[2] = random.uniform(0.03, 0.22)
        else:
            goal = random.uniform([0.36, -0.24, 0.03], [0.62, 0.20, 0.28])
        turn = random.uniform(-0.45, 0.45) - state.ee_yaw
        grip = float(random.random() < 0.25)
        steps = int(random.integers(6, 14))
        for step in range(steps):
            position = env.ee_pose()[0]
            share = 1.0 / (steps - step)
            move = np.clip((goal - position) * share, -0.03, 0.03)
            yaw = np.clip(turn / steps, -0.15, 0.15)
            env.advance(np.concatenate([move, [0.0, 0.0, yaw, grip]]))
            asked = int(random.integers(len(instructions)))
            yield step == steps - 1 or random.random() < 0.15, asked
        if random.random() < 0.2:
            return


def demonstrate(
    env: TabletopEnv,
    random: np.random.Generator,
    expert: Expert,
    instructions: tuple[str, ...],
    disturbance: Disturbance,
) -> Iterator[tuple[bool, int]]:
    """Follow the expert with disturbances; keep a share of the instants."""
    asked = int(random.integers(len(instructions)))
    env.set_task(instructions[asked])
    # Disturbances of several sizes: without any, too, so that plain success is well covered.
    scale = random.choice([0.0, 0.5, 1.0, 1.5])
    moving, grippers = END_EFFECTOR.moving, END_EFFECTOR.grippers
    burst, drift, flipped, after = 0, np.zeros(len(STEP)), False, 0
    for _ in range(env.task.max_steps):
        yield disturbance.keep >= 1 or random.random() < disturbance.keep, asked
        action = expert.action(env.state(), env.task)
        if burst == 0 and random.random() < disturbance.burst * scale:
            burst = int(random.integers(3, 9))
            drift = random.normal(0.0, 0.6, len(STEP)) * STEP
            flipped = random.random() < disturbance.flip
        action[moving] += random.normal(0.0, disturbance.noise * scale, len(STEP)) * STEP
        if burst:
            burst -= 1
            action[moving] += drift
            if flipped:
                action[grippers] = 1.0 - action[grippers]
        if random.random() < disturbance.change:
            asked = int(random.integers(len(instructions)))
            env.set_task(instructions[asked])
        after += env.advance(action)
        if after > 4:
            return


_EPISODES = {'wander': wander, 'demonstration': demonstrate}


def write_frame(
    frames: Frames,
    at: int,
    env: TabletopEnv,
    expert: Expert,
    kind: str,
    asked: int,
    random: np.random.Generator,
) -> None:
    """Label the environment's instant and write it as one frame, rendered at some size."""
    spec = frames.spec
    size = round(spec.size * random.choice(RENDERED))
    values = label(env, expert, spec.instructions, spec.objects, size, spec.horizon)
    frames.write(at, {**values, 'kind': KINDS.index(kind), 'asked': asked})


def make_chunk(
    frames: Frames,
    chunk: int,
    kind: str,
    first_seed: int,
    disturbance: Disturbance,
    env: TabletopEnv,
) -> None:
    """Fill one chunk.

    Args:
        frames: Where to.
        chunk: Which.
        kind: 'wander' or 'demonstration'.
        first_seed: Of chunk 0; each chunk has its own episodes' seeds after it.
        disturbance: Of demonstrations.
        env: With the frames' cameras and size.
    """
    spec, expert = frames.spec, Expert()
    span = spec.span(chunk)
    start = first_seed + chunk * SEEDS_A_CHUNK
    random = np.random.default_rng([first_seed, chunk])
    at = span.start
    for seed in seeds.require('training', start, SEEDS_A_CHUNK):
        env.reset(seed=seed)
        steps = _EPISODES[kind](
            env, random, expert=expert, instructions=spec.instructions, disturbance=disturbance
        )
        for keep, asked in steps:
            if not keep:
                continue
            write_frame(frames, at, env, expert, kind, asked, random)
            at += 1
            if at == span.stop:
                frames.finish(chunk)
                return
    raise RuntimeError(f'{SEEDS_A_CHUNK} episodes did not fill chunk {chunk}')


class CollectError(RuntimeError):
    """Frames could not be made; the message says what ended it."""


def _work(folder: str, chunks: list[int], kind: str, first: int, how: Disturbance, errors) -> None:
    end_with_parent()
    try:
        frames = Frames(folder)
        env = TabletopEnv(image_size=frames.spec.size, cameras=())
        env.cameras = frames.spec.cameras
        for chunk in chunks:
            make_chunk(frames, chunk, kind, first, how, env)
    except OSError as error:
        errors.put(str(error))
        raise SystemExit(1) from None


def collect(
    folder: str | Path,
    kind: str,
    first_seed: int,
    disturbance: Disturbance,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Frames:
    """Make all frames of a created folder that are not there yet.

    Args:
        folder: See `Frames.create`.
        kind: 'wander' or 'demonstration'.
        first_seed: Seed of the first episode, in the training range.
        disturbance: Of demonstrations.
        workers: Processes.
        progress: Called with frames made and frames wanted, about twice a second.
        stopped: Asked as often whether to stop before the end.

    Returns:
        The frames, complete unless stopped.

    Raises:
        CollectError: When a process failed.
    """
    frames = Frames(folder)
    todo = [int(c) for c in np.flatnonzero(~frames.done)]
    context = multiprocessing.get_context('spawn')
    errors = context.SimpleQueue()
    processes = [
        context.Process(
            target=_work,
            args=(str(folder), todo[i::workers], kind, first_seed, disturbance, errors),
        )
        for i in range(min(workers, len(todo)))
    ]
    with starting_workers():
        for process in processes:
            process.start()
    try:
        while any(process.is_alive() for process in processes) and not (
            stopped() or any(process.exitcode for process in processes)
        ):
            for process in processes:
                process.join(timeout=0.5 / len(processes))
            if progress is not None:
                progress(len(frames.ready()), len(frames))
    finally:
        for process in processes:
            process.kill()
            process.join()
    if not frames.done.all() and not stopped():
        codes = [process.exitcode for process in processes if process.exitcode]
        why = 'see the error above' if errors.empty() else errors.get()
        if errors.empty() and codes and codes[0] < 0:
            why = (
                f'a process was ended by signal {-codes[0]}, '
                f'{signal.Signals(-codes[0]).name}: mostly memory or disk is full'
            )
        raise CollectError(f'making {kind} frames in {folder} failed: {why}')
    return frames
