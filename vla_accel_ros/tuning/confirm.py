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

"""What held-out episodes say of the points that a search has found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from vla_accel_ros.cluster.connection import Cluster
from vla_accel_ros.evaluation.statistics import Interval
from vla_accel_ros.tuning.points import Point
from vla_accel_ros.tuning.pool import pool
from vla_accel_ros.tuning.target import Plan, Run, Stop, Stopped, gain

CONFIRMED, OPEN, FELL = 'confirmed', 'open', 'fell'


@dataclass(frozen=True)
class Confirmation:
    """One point on episodes that the search has not seen, beside the unaccelerated policy.

    Attributes:
        name: The point's.
        loss: How much worse than the unaccelerated policy.
        loss_interval: Its 95 % interval, paired; None where it cannot be said.
        cost: What it took.
        gain: How many times less that is than without acceleration.
        gain_interval: Its 95 % interval; None where it cannot be said.
        verdict: `confirmed`: the interval of the loss reaches no further than the bound. `open`:
            the loss is within the bound, the interval is not. `fell`: the loss is beyond it.
        facts: More about it, as plain values.
    """

    name: str
    loss: float
    loss_interval: Interval | None
    cost: float
    gain: float
    gain_interval: Interval | None
    verdict: str
    facts: dict

    def to_dict(self) -> dict:
        """Return it as plain values."""
        return asdict(self)


def verdict(loss: float, interval: Interval | None, bound: float) -> str:
    """Return what held-out episodes say of a loss; see `Confirmation`."""
    if not loss <= bound:
        return FELL
    return CONFIRMED if interval is not None and interval[1] <= bound else OPEN


def confirm(
    held_out: Plan,
    points: Sequence[Point],
    bound: float,
    workers: int,
    show: Callable[[int], None],
    stop: Stop,
    cluster: Cluster | None = None,
) -> list[Confirmation]:
    """Try points on what the search has not seen, in their order.

    Args:
        held_out: That.
        points: To try.
        bound: Loss that is admitted.
        workers: Processes.
        show: Told how many points are done.
        stop: Asked whether to end.
        cluster: Where the processes run; on this machine where None.

    Raises:
        Stopped: When it was.
    """
    show(0)
    here = held_out.build(None, stop)
    plain = Run([], here.baseline['costs'], here.baseline['per'])
    found: dict[str, Run] = {}
    with pool(held_out, here, workers, stop, cluster) as processes:
        under_way = {}
        waiting = list(points)
        while waiting or under_way:
            while waiting and len(under_way) < workers:
                point = waiting.pop(0)
                under_way[processes.submit(point.method)] = point
            for future in processes.wait(set(under_way)):
                run = future.result()
                if run is None:
                    raise Stopped
                found[under_way.pop(future).name] = run
                show(len(found))
    return [_judge(point.name, found[point.name], plain, held_out, bound) for point in points]


def _judge(name: str, run: Run, plain: Run, held_out: Plan, bound: float) -> Confirmation:
    interval = held_out.interval(run)
    factor, around = gain(run, plain)
    return Confirmation(
        name,
        run.loss,
        interval,
        run.cost,
        factor,
        around,
        verdict(run.loss, interval, bound),
        run.facts,
    )
