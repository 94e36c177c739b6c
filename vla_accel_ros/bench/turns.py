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

"""Those that take turns: a model on one engine with all its cases, here or in a process apart.

Two runtimes in one process spoil each other's times: their pools of threads wait for work by
spinning, and take the cores from one another. So several engines are a process each, and the
parent asks them one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
import gc
import os
from pathlib import Path
import random
import resource
import time
from typing import Any, Protocol

import torch

from vla_accel_ros.bench.cases import Case
from vla_accel_ros.bench.contestants import Group, Sample
from vla_accel_ros.bench.subjects import Subject
from vla_accel_ros.engines.device import RateMeter, Rates
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.planner import Costs
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.planned import sizes_of
from vla_accel_ros.models.token_costs import measured
from vla_accel_ros.stopping import never
from vla_accel_ros.workers import Workers

# Threads of a pool spin for a while after their work; the next process waits for that long.
QUIET_S = 0.01
# Memory that lies in no file, as /proc names it.
HELD = ('RssAnon', 'RssShmem', 'VmSwap')
Ready = Callable[[str, int | None], Subject]


@dataclass(frozen=True)
class Facts:
    """What is to be known of a model on an engine.

    Attributes:
        engine: As `--engines` has it.
        precision: What it computes in.
        exact: Whether its tokens are to be those of eager.
        about: The model; see `Subject.about`.
        config: The model's.
        weight_bytes: Bytes of one weight.
        device: As torch names it.
        dtype: Type of the weights, as torch names it.
        threads: That torch has there.
        process: Its number.
    """

    engine: str
    precision: str
    exact: bool
    about: dict[str, Any]
    config: VLAConfig
    weight_bytes: int
    device: str
    dtype: str
    threads: int
    process: int


class Turns(Protocol):
    """A model on one engine, asked a frame at a time."""

    @property
    def facts(self) -> Facts:
        """What is to be known of it."""

    def prepare(self, groups: Sequence[Sequence[Case]]) -> None:
        """Make cases ready that keep the same tokens together; raises ValueError for misfits."""

    def answer(self, group: int, index: int, seed: int) -> list[Sample]:
        """Let each case of a group answer a frame, in an order drawn by the seed."""

    def pause(self, measure: bool) -> None:
        """Clean up between two rounds, and measure the device where that is asked for."""

    def rates(self) -> Rates:
        """Give the best rates of the device that were measured."""

    def memory(self) -> int:
        """Give the bytes that it took at most of the GPU, or that the process holds.

        Files that it only reads are left out: the system can have their memory back.
        """

    def costs(self) -> Costs | None:
        """Time what depends on visual tokens; None where the engine cannot run that alone."""

    def end(self) -> None:
        """Give back what a process of its own holds; it is not asked again."""


class Here:
    """Turns in this process.

    Args:
        subject: The model with its engine.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._groups: list[Group] = []
        self._meter: RateMeter | None = None

    @property
    def facts(self) -> Facts:
        """What is to be known of it."""
        model, engine = self._subject.model, self._subject.engine
        weight = model.language_model.model.embed_tokens.weight
        dtype = str(model.dtype).removeprefix('torch.')
        return Facts(
            self._subject.engine_name,
            dtype if engine is EAGER else engine.precision,
            engine.exact,
            self._subject.about(),
            model.config,
            weight.element_size(),
            str(model.device),
            dtype,
            torch.get_num_threads(),
            os.getpid(),
        )

    def prepare(self, groups: Sequence[Sequence[Case]]) -> None:
        """Make the cases ready; see `Turns.prepare`."""
        self._groups = [Group(self._subject, cases) for cases in groups]

    def answer(self, group: int, index: int, seed: int) -> list[Sample]:
        """Answer a frame; see `Turns.answer`."""
        return self._groups[group].answer(self._subject.scene.frame(index), random.Random(seed))

    def pause(self, measure: bool) -> None:
        """Collect garbage, which must not fall into an answer; see `Turns.pause`."""
        gc.collect()
        if not measure:
            return
        if self._meter is None:
            model = self._subject.model
            layers = model.language_model.model.layers.parameters()
            self._meter = RateMeter(
                model.device, model.dtype, sum(weight.nbytes for weight in layers)
            )
        self._meter.sample()

    def rates(self) -> Rates:
        """Give the best rates; see `Turns.rates`."""
        if self._meter is None:
            raise ValueError('no rate was measured')
        return self._meter.best()

    def memory(self) -> int:
        """Give the bytes; see `Turns.memory`."""
        device = self._subject.model.device
        if device.type == 'cuda':
            return torch.cuda.max_memory_reserved(device)
        return _held_bytes()

    def costs(self) -> Costs | None:
        """Time what depends on visual tokens; see `Turns.costs`."""
        subject = self._subject
        try:
            with torch.inference_mode():
                return measured(
                    subject.model, subject.engine, subject.caches, sizes_of(subject.model.config)
                )
        except EngineError:
            return None

    def end(self) -> None:
        """Do nothing: the process is the caller's own."""


_here: Here | None = None


def _begin() -> None:
    """Do nothing: what fails here breaks the process without a word of why."""


def _make(ready: Ready, engine: str, threads: int | None) -> Facts:
    global _here
    _here = Here(ready(engine, threads))
    return _here.facts


def _ask(name: str, arguments: tuple) -> Any:
    value = getattr(_here, name)
    return value(*arguments) if callable(value) else value


class Apart:
    """Turns in a process of its own, which ends with the block.

    Args:
        ready: Makes the model, importable; called with engine and threads in the process.
        engine: As `--engines` has it.
        threads: Of the process; its own default if None.
    """

    def __init__(self, ready: Ready, engine: str, threads: int | None) -> None:
        self._workers = Workers(1, _begin, (), never)
        self._make, self._engine = (ready, engine, threads), engine
        self._quiet = 0.0 if threads == 1 else QUIET_S
        self._first: Future | None = None

    @property
    def facts(self) -> Facts:
        """What is to be known of it, once the model is ready; raises what keeps it from that."""
        if self._first is None:
            raise ValueError(f'the process of {self._engine} was not started')
        self._workers.wait({self._first})
        return self._first.result()

    def prepare(self, groups: Sequence[Sequence[Case]]) -> None:
        """Make the cases ready; see `Turns.prepare`."""
        self._do('prepare', groups)

    def answer(self, group: int, index: int, seed: int) -> list[Sample]:
        """Answer a frame; see `Turns.answer`."""
        found = self._do('answer', group, index, seed)
        time.sleep(self._quiet)
        return found

    def pause(self, measure: bool) -> None:
        """Clean up; see `Turns.pause`."""
        self._do('pause', measure)

    def rates(self) -> Rates:
        """Give the best rates; see `Turns.rates`."""
        return self._do('rates')

    def memory(self) -> int:
        """Give the bytes; see `Turns.memory`."""
        return self._do('memory')

    def costs(self) -> Costs | None:
        """Time what depends on visual tokens; see `Turns.costs`."""
        return self._do('costs')

    def end(self) -> None:
        """End the process; see `Turns.end`."""
        self._workers.__exit__(None)

    def _do(self, name: str, *arguments: object) -> Any:
        future = self._workers.submit(_ask, name, arguments)
        self._workers.wait({future})
        return future.result()

    def __enter__(self) -> Apart:
        self._workers.__enter__()
        # Not waited for: several make their models ready at the same time.
        self._first = self._workers.submit(_make, *self._make)
        return self

    def __exit__(self, *error) -> None:
        self._workers.__exit__(*error)


def _held_bytes() -> int:
    """Give the memory that this process holds, without files that it only reads.

    Where the system does not tell that apart it is the most that the process had, with files.
    """
    try:
        lines = Path('/proc/self/status').read_text(encoding='utf-8').splitlines()
    except OSError:
        lines = []
    found = sum(1024 * int(each.split()[1]) for each in lines if each.startswith(HELD))
    return found or 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def settings(facts: Facts, memory: int) -> dict[str, Any]:
    """Give what a report says of an engine, as plain values.

    Args:
        facts: Of the engine.
        memory: Bytes, as `Turns.memory` gives them.
    """
    found = asdict(facts)
    own = {name: found[name] for name in ('engine', 'precision', 'exact')}
    return own | {'memory_mib': round(memory / 2**20)}
