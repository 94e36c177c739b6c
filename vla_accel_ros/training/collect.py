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

"""Make frames in several processes.

Chunks are made independently, each from seeds of its own, so the result depends neither on the
number of processes nor on interruptions.
"""

from __future__ import annotations

from collections.abc import Callable
import multiprocessing
from pathlib import Path
import signal

import numpy as np

from vla_accel_ros.stopping import end_with_parent, starting_workers
from vla_accel_ros.training.disturbance import Disturbance
from vla_accel_ros.training.frames import Frames
from vla_accel_ros.training.worlds import world_of


class CollectError(RuntimeError):
    """Frames could not be made; the message says what ended it."""


def _work(
    folder: str,
    chunks: list[int],
    kind: str,
    first: int,
    how: Disturbance,
    policy: Path | None,
    errors,
) -> None:
    end_with_parent()
    try:
        frames = Frames(folder)
        maker = world_of(frames.spec.world).maker(frames.spec, kind, policy)
        for chunk in chunks:
            maker.make_chunk(frames, chunk, first, how)
    except (OSError, ValueError) as error:
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
    policy: Path | None = None,
) -> Frames:
    """Make all frames of a created folder that are not there yet.

    Args:
        folder: See `Frames.create`.
        kind: One of `recipe_parts.KINDS`; 'dagger' where episodes go one after the other.
        first_seed: Seed of the first episode, in the training range.
        disturbance: Of demonstrations.
        workers: Processes.
        progress: Called with frames made and frames wanted, about twice a second.
        stopped: Asked as often whether to stop before the end.
        policy: See `world.World.maker`.

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
            args=(str(folder), todo[i::workers], kind, first_seed, disturbance, policy, errors),
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
