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

"""Have a policy run on the engine that is asked for, or on the next one, and say which and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch

from vla_accel_ros.engines import registry
from vla_accel_ros.engines.digest import digest_of
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.fallback import Fallback, Told
from vla_accel_ros.engines.interface import Engine, EngineError
from vla_accel_ros.engines.registry import EngineKind, Order
from vla_accel_ros.engines.store import Store
from vla_accel_ros.engines.timings import Timings
from vla_accel_ros.engines.watched_store import Built, WatchedStore, always, never
from vla_accel_ros.engines.wish import WEIGHTS, EngineWish
from vla_accel_ros.models.in_use import InUse
from vla_accel_ros.models.parity.engines import Bound, compare
from vla_accel_ros.models.parity.frames import few_frames
from vla_accel_ros.models.prediction import NotFiniteError

if TYPE_CHECKING:
    from vla_accel_ros.models.policy import Policy

# What does most of the work of every model: an engine that cannot run it runs nothing.
BULK = 'span'


@dataclass(frozen=True)
class Means:
    """What engines are made with, and who is told.

    Attributes:
        store: What engines keep on disk; a user's own when None.
        may_build: Says whether what is missing there is built, now and as long as the engine is in
            use; `auto` never builds.
        built: Told before and after something is built.
        told: Told when a program cannot run on the engine, in the thread that infers.
        prepare: Sets pruning and decoding of a policy that is compared with eager.
        check: Whether the engine is compared with eager first.
    """

    store: Store | None = None
    may_build: Callable[[], bool] = always
    built: Callable[[Built], None] | None = None
    told: Told | None = None
    prepare: Callable[[Policy], object] = field(default=lambda policy: None)
    check: bool = True


def use_engine(policy: Policy, wish: EngineWish, means: Means | None = None) -> InUse:
    """Have a policy run on an engine, from its next inference on.

    Where the engine cannot run here, or does not give what eager gives, the next one runs: the
    fastest exact one of those that are built, else eager.

    Args:
        policy: The policy.
        wish: What is asked for.
        means: What engines are made with.

    Returns:
        What runs; also what `policy.in_use` is.

    Raises:
        EngineError: When the engine is required and cannot run; the policy stays as it is.
    """
    chosen = choose(policy, wish, means or Means())
    policy.run_on(chosen)
    return chosen


def aloud(say: Callable[[str], object], check: bool = True) -> Means:
    """Give means that say what is built, and what cannot run, as it happens.

    Args:
        say: Takes a line.
        check: Whether the engine is compared with eager first.
    """
    return Means(built=lambda built: say(str(built)), told=say, check=check)


def notice(in_use: InUse) -> str:
    """Give a line on what runs, and on what would be faster; empty where it is as asked."""
    if not in_use.trouble and in_use.wish.engine == in_use.name:
        return ''
    return f'engine: {in_use}' + (f' ({in_use.hint})' if in_use.hint else '')


def use_engine_aloud(policy: Policy, wish: EngineWish, say: Callable[[str], object]) -> InUse:
    """Do as `use_engine` for a command, which says all that its user wants to know of it.

    Args:
        policy: The policy.
        wish: What is asked for.
        say: Takes a line.

    Raises:
        EngineError: As `use_engine`.
    """
    in_use = use_engine(policy, wish, aloud(say))
    if line := notice(in_use):
        say(line)
    return in_use


def choose(policy: Policy, wish: EngineWish, means: Means) -> InUse:
    """Find what a policy is to run on; the policy stays as it is.

    Raises:
        EngineError: When the engine is required and cannot run.
    """
    reasons: list[str] = []
    named = wish.engine != registry.AUTO
    if named:
        try:
            return _make(policy, wish, registry.find(wish.engine), means)
        except EngineError as error:
            if wish.engine_required:
                raise
            reasons.append(_line(error))
    hint = ''
    ranked = list(_ranked(policy, means))
    for kind in ranked:
        # On its first device, and exactly, it may run where it could not as it was asked for.
        exact = wish.engine_precision in (WEIGHTS, policy.in_use.weights)
        if kind.name == wish.engine and exact and not wish.device:
            continue
        try:
            found = _make(policy, wish, kind, _only_built(means), behind=True)
        except EngineError as error:
            reasons.append(f'{kind.name}: {_line(error)}')
            continue
        return replace(found, reason='; '.join(reasons))
    if not ranked:
        hint = 'no engine is built and timed for this checkpoint: `vla-accel engine build` does it'
    if not named and wish.engine_required and reasons:
        raise EngineError('; '.join(reasons))
    return InUse(wish, EAGER, policy.in_use.weights, '; '.join(reasons), hint)


def store_of(means: Means) -> Store:
    """Give the store that is meant."""
    return Store() if means.store is None else means.store


def timings_of(policy: Policy, store: Store) -> Timings:
    """Give the timings of a policy's checkpoint."""
    return Timings(store.folder, digest_of(policy.model))


def _only_built(means: Means) -> Means:
    return Means(means.store, never, None, means.told, means.prepare, means.check)


def _ranked(policy: Policy, means: Means) -> Iterator[EngineKind]:
    """Give the exact engines that were timed for a policy on this machine, the fastest first.

    Those of another device than the engine's first one are left out: it must be asked for.
    """
    timings, device = timings_of(policy, store_of(means)), policy.model.device.type
    for timing in timings.here(torch.get_num_threads(), device):
        if not timing.exact or timing.precision != policy.in_use.weights or timing.engine_device:
            continue
        try:
            yield registry.find(timing.engine)
        except registry.EngineNameError:
            # Its package was removed since.
            continue


def _make(
    policy: Policy, wish: EngineWish, kind: EngineKind, means: Means, behind: bool = False
) -> InUse:
    """Make an engine, and try it.

    One that stands behind what was asked for is exact, and on its first device.

    Raises:
        EngineError: When it cannot run here, or does not give what eager gives.
    """
    weights = policy.in_use.weights
    named = kind.name == wish.engine and not behind
    precision = weights if behind or wish.engine_precision == WEIGHTS else wish.engine_precision
    if kind.name == registry.EAGER:
        if precision != weights:
            raise EngineError(
                f'eager computes in the type of the weights, which is {weights}, not {precision}'
            )
        return InUse(wish, EAGER, weights)
    calibration, device = (wish.engine_calibration, wish.device) if named else ('', '')
    engine = made(policy, kind, precision, means, calibration, device)
    if not wish.engine_required:
        engine = Fallback(engine, EAGER, means.told)
    if means.check:
        try:
            found = compare(policy, engine, few_frames(policy, engine.exact), means.prepare)
        except (EngineError, NotFiniteError):
            # NaN of eager is found by the self-test.
            raise
        except Exception as error:  # an engine's library may fail in any way
            raise EngineError(f'{kind.name} fails: {_line(error)}') from error
        objection = found.objection(Bound.of(engine))
        if objection is not None:
            raise EngineError(f'{kind.name} does not agree with eager: {objection}')
        if isinstance(engine, Fallback) and BULK in engine.reasons:
            raise EngineError(engine.reasons[BULK])
    return InUse(wish, engine, weights, device=device)


def made(
    policy: Policy,
    kind: EngineKind,
    precision: str,
    means: Means,
    calibration: str = '',
    device: str = '',
) -> Engine:
    """Make an engine for a policy's model, on its first device where none is given.

    Raises:
        EngineError: When it cannot run here.
    """
    if precision not in kind.precisions:
        raise EngineError(f'{kind.name} does not compute in {precision}')
    why = kind.probe()
    if why is not None:
        raise EngineError(why)
    store = WatchedStore(store_of(means), means.built, means.may_build)
    threads, device = torch.get_num_threads(), device or next(iter(kind.devices), '')
    order = Order(policy.model, precision, store, threads, calibration, device)
    try:
        return kind.make(order)
    except EngineError:
        raise
    except Exception as error:  # an engine's library may fail in any way
        raise EngineError(f'{kind.name} cannot be made: {_line(error)}') from error


def _line(error: Exception) -> str:
    return ' '.join(str(error).split()) or type(error).__name__
