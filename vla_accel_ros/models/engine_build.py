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

"""Build all that an engine needs for a checkpoint, compare it with eager, and time it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
import statistics
import time

import torch

from vla_accel_ros.decoding.registry import DECODERS
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.fallback import Fallback
from vla_accel_ros.engines.interface import Engine, EngineError
from vla_accel_ros.engines.registry import EngineKind
from vla_accel_ros.engines.timings import Timing, machine
from vla_accel_ros.engines.watched_store import Built
from vla_accel_ros.models.engine_choice import BULK, Means, made, store_of, timings_of
from vla_accel_ros.models.heads.drafts import PREVIOUS
from vla_accel_ros.models.parity.engines import Agreement, Bound, compare
from vla_accel_ros.models.parity.frames import few_frames, recorded
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.pruning.registry import METHODS

# The second step of an episode has a motion and a previous answer, so that methods prune and
# decoders verify; on the third one a program meets its shapes once more.
STEPS = 3
# A timing is the median of so many calls, fewer where calls are slow.
ROUNDS, LEAST_ROUNDS, LONGEST_S = 30, 5, 3.0
Way = Callable[[Policy], object]


@dataclass(frozen=True)
class Outcome:
    """What came of building an engine.

    Attributes:
        engine: Its name.
        precision: What it computes in.
        exact: Whether it is to give the tokens of eager.
        built: What was built; empty where all was there.
        seconds: What building and trying took.
        agreement: How far it is from eager, all ways together the worst.
        failure: Why it is not used; empty where it can be.
        reasons: Why programs run on eager, by their names.
        timings: What calls take, of the engine and of eager.
        device: What the engine was told to run on; empty for its first device.
    """

    engine: str
    precision: str
    exact: bool
    built: tuple[Built, ...]
    seconds: float
    agreement: Mapping[str, Agreement]
    failure: str
    reasons: Mapping[str, str]
    timings: tuple[Timing, ...]
    device: str = ''


def _prune(method: str, policy: Policy) -> None:
    policy.set_pruning(method)


def _decode(decoder: str, policy: Policy) -> None:
    policy.set_decoder(decoder, draft=PREVIOUS)


def all_ways(
    methods: Sequence[str] = tuple(METHODS), decoders: Sequence[str] = tuple(DECODERS)
) -> dict[str, Way]:
    """Give what a policy may be asked to do: prune by each method, decode by each decoder."""
    ways: dict[str, Way] = {method: partial(_prune, method) for method in methods}
    return ways | {decoder: partial(_decode, decoder) for decoder in decoders}


def build(
    policy: Policy,
    kind: EngineKind,
    precision: str,
    means: Means,
    ways: Mapping[str, Way],
    threads: Sequence[int],
    calibration: str = '',
    device: str = '',
) -> Outcome:
    """Build an engine by running the policy on it, each way, over a recorded frame.

    Args:
        policy: The policy; it is left on what it ran on.
        kind: The engine.
        precision: What it is to compute in.
        means: Where it keeps what it builds, and who is told.
        ways: By name, what sets pruning and decoding.
        threads: Numbers of threads that calls are timed with.
        calibration: File of recorded frames, for int8 throughout and float8.
        device: What it is to run on; empty for its first device.

    Raises:
        EngineError: When the engine cannot be made here at all.
    """
    begun, built = time.monotonic(), []

    def watch(each: Built) -> None:
        if each.seconds is not None and not each.waiting:
            built.append(each)
        if means.built is not None:
            means.built(each)

    own = Means(means.store, built=watch)
    make = partial(made, policy, kind, precision, own, calibration, device)
    engine = Fallback(make(), EAGER)
    bound, failure, agreement = Bound.of(engine), '', {}
    few = few_frames(policy, engine.exact)
    frames = [recorded(policy, step) for step in range(STEPS)]
    for name, way in {'few frames': lambda policy: None, **ways}.items():
        try:
            found = compare(policy, engine, frames if agreement else few, way)
        except EngineError:
            raise
        except ValueError:
            # A method or decoder that does not fit the model, which is no fault of the engine.
            continue
        except Exception as error:  # an engine's library may fail in any way
            raise EngineError(f'{kind.name} fails with {name}: {error}') from error
        if not agreement:
            # Else eager would be compared, and timed, with itself.
            failure = engine.reasons.get(BULK, '')
        agreement[name] = found
        failure = failure or (found.objection(bound) or '')
    timings: list[Timing] = []
    if not failure:
        before = torch.get_num_threads()
        try:
            for count in threads:
                torch.set_num_threads(count)
                timings += _timed(policy, Fallback(make(), EAGER), count, device)
        finally:
            torch.set_num_threads(before)
        kept = timings_of(policy, store_of(means))
        for timing in timings:
            kept.record(timing)
    return Outcome(
        kind.name,
        precision,
        engine.exact,
        tuple(built),
        time.monotonic() - begun,
        agreement,
        failure,
        {**engine.left, **engine.reasons},
        tuple(timings),
        device,
    )


def _timed(policy: Policy, engine: Engine, threads: int, device: str) -> list[Timing]:
    """Time calls on an engine, and on eager in turns with it."""
    seen = recorded(policy).observation
    pair = (engine, EAGER)
    took: dict[str, list[float]] = {each.name: [] for each in pair}
    policies = {}
    for each in pair:
        policies[each.name] = policy.sibling()
        policies[each.name].set_engine(each)
        for _ in range(STEPS):
            policies[each.name].predict(seen)
    begun = time.monotonic()
    for number in range(ROUNDS):
        if number >= LEAST_ROUNDS and time.monotonic() - begun > LONGEST_S:
            break
        for each in pair:
            took[each.name].append(policies[each.name].predict(seen).timings_ms['total'])
    return [
        Timing(
            each.name,
            policy.in_use.weights if each is EAGER else each.precision,
            each.exact,
            threads,
            round(statistics.median(took[each.name]), 3),
            machine(),
            policy.model.device.type,
            '' if each is EAGER else device,
        )
        for each in dict.fromkeys(pair)
    ]
