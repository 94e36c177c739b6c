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

"""How far an engine is from eager, each way of pruning and decoding, as rows of a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
import math

from vla_accel_ros.engines import registry
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.fallback import Fallback
from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.wish import WEIGHTS, EngineWish
from vla_accel_ros.models.engine_choice import BULK, Means, made
from vla_accel_ros.models.parity.engines import Bound, Frame, compare
from vla_accel_ros.models.policy import Policy


def verify(
    policy: Policy,
    wish: EngineWish,
    frames: Callable[[], Iterable[Frame]],
    ways: Mapping[str, Callable[[Policy], object]],
    say: Callable[[str], object],
    bound: float | None = None,
) -> dict:
    """Compare an engine with eager.

    Args:
        policy: The policy.
        wish: The engine, by name.
        frames: Gives the frames, the same each time.
        ways: By name, what sets pruning and decoding.
        say: Told what is built.
        bound: How far it may be: mean bins of tokens, or normalised numbers where a head gives
            no tokens; by default what its precision asks for.

    Returns:
        `engine`, `device` where it is not the engine's first, `precision`, `agrees`, `reason`,
        `on_eager` by program, and by way in `ways` the fields of `Agreement` and `objection`.
    """
    name, precision = wish.engine, wish.engine_precision
    if precision == WEIGHTS:
        precision = policy.in_use.weights
    row = {'engine': name, 'device': wish.device, 'precision': precision}
    row |= {'agrees': False, 'on_eager': {}, 'ways': {}}
    try:
        means = Means(built=lambda built: say(str(built)))
        kind = registry.find(name)
        made_here = made(policy, kind, precision, means, wish.engine_calibration, wish.device)
        engine = Fallback(made_here, EAGER, say)
    except EngineError as error:
        return row | {'reason': str(error)}
    limit = Bound.of(engine)
    if bound is not None:
        limit = replace(limit, bins=bound, numbers=bound)
    for way, prepare in ways.items():
        found = compare(policy, engine, frames(), prepare)
        row['ways'][way] = {**_plain(asdict(found)), 'objection': found.objection(limit)}
    objections = [
        f'{way}: {each["objection"]}' for way, each in row['ways'].items() if each['objection']
    ]
    row['on_eager'] = {**engine.left, **engine.reasons}
    if BULK in engine.reasons:
        # There eager was compared with itself.
        objections.insert(0, f'{BULK} runs on {EAGER.name}: {engine.reasons[BULK]}')
    return row | {'agrees': not objections, 'reason': '; '.join(objections)}


def _plain(values: dict) -> dict:
    """JSON knows no infinity."""
    return {name: None if value == math.inf else value for name, value in values.items()}


def render(row: Mapping) -> str:
    """Give a row as text."""
    head = f'{registry.titled(row["engine"], row["device"])} in {row["precision"]}: '
    lines = [head + ('agrees with eager' if row['agrees'] else f'no: {row["reason"]}')]
    for way, each in row['ways'].items():
        what = (
            f'{each["changed"]} of {each["tokens"]} tokens differ, {each["ties"]} ties, mean '
            f'{each["mean_bins"] or 0:.3f} bins'
            if each['tokens']
            else f'numbers up to {each["numbers"]} apart'
        )
        kept = f', other tokens kept in {each["kept"]}' if each['kept'] else ''
        lines.append(
            f'  {way:<12} {each["same"]} of {each["frames"]} frames the same, {what}{kept}'
        )
    lines += [f'  {name} runs on eager: {why}' for name, why in row['on_eager'].items()]
    return '\n'.join(lines)
