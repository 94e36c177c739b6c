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

"""Tuning on recorded bags: how far a setting departs, and what it costs, frame by frame."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from pathlib import Path

import numpy as np

from vla_accel_ros.acceleration import BASELINE, Method, parse
from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.evaluation.statistics import Interval
from vla_accel_ros.files import fingerprints
from vla_accel_ros.paths import checkpoint_folder
from vla_accel_ros.replay.ahead import Ahead
from vla_accel_ros.replay.measures import Quantity, quantities, view
from vla_accel_ros.replay.offline import Offline, Seen
from vla_accel_ros.replay.pooling import estimate
from vla_accel_ros.replay.session import Replay, prepare
from vla_accel_ros.replay.trace import ReplayedEpisode, Trace
from vla_accel_ros.tuning.target import UNITS, Run, Stop, Stopped
from vla_accel_ros.tuning.timing import Pace, load, timed, typical

# A setting is given up as hopeless only once it has seen this share of the frames.
SEEN = 0.25
# Frames after which the machine's pace is taken again.
PACE_EVERY = 20


def errors(space: ActionSpace) -> dict[str, Quantity]:
    """Return the errors that can be tuned on, by key: means of what should be small."""
    return {
        q.measure.key: q
        for q in quantities(space)
        if q.measure.key.startswith(('reference_', 'recorded_'))
        and q.pool == 'mean'
        and q.measure.better == 'lower'
        and 'gripper' not in q.measure.key
    }


@dataclass(frozen=True)
class BagPlan:
    """See `target.Plan`.

    Attributes:
        args: How bags are read, as `vla-accel replay` takes it.
        bags: Replayed, by their fingerprints.
        cost: One of `target.UNITS`.
        error: A key of `errors`.
        space: What the checkpoint's actions are.
        hopeless: A setting is given up once its loss is above this.
        confirming: Confirmed on, none where empty.
    """

    args: argparse.Namespace
    bags: dict[str, Path]
    cost: str
    error: str
    space: ActionSpace
    hopeless: float
    confirming: dict[str, Path]

    @property
    def step_s(self) -> float:
        """Policy step, seconds."""
        return self.args.policy_step

    @property
    def loss_unit(self) -> str:
        """Unit of the loss."""
        return f'{errors(self.space)[self.error].measure.unit} of {self.error}'

    @property
    def cost_unit(self) -> str:
        """Unit of the cost."""
        return f'{UNITS[self.cost]} per step'

    @property
    def timed(self) -> bool:
        """Whether the cost is time as measured."""
        return self.cost == 'time'

    def identity(self) -> dict:
        """Return what makes two searches the same."""
        weights = checkpoint_folder(self.args.checkpoint)
        return {
            'tuned on': 'bags',
            'bags': list(self.bags),
            'checkpoint': fingerprints.of_folder(weights),
            'cost': self.cost,
            'error': self.error,
            'hopeless': self.hopeless,
            'reading': vars(self.args),
        }

    def build(self, baseline: dict | None, stop: Stop) -> BagTarget:
        """Build the target."""
        return BagTarget(self, baseline, stop)

    def paths(self) -> tuple[Path, ...]:
        """List what `build` reads."""
        return (checkpoint_folder(self.args.checkpoint), *self.bags.values())

    def at(self, places: Mapping[str, Path]) -> BagPlan:
        """Return the same where that lies elsewhere."""
        weights = checkpoint_folder(self.args.checkpoint).resolve()
        args = argparse.Namespace(**{**vars(self.args), 'checkpoint': str(places[str(weights)])})
        bags = {mark: places[str(bag.resolve())] for mark, bag in self.bags.items()}
        return replace(self, args=args, bags=bags)

    def held_out(self) -> BagPlan | None:
        """Return the same on the bags to confirm on."""
        if not self.confirming:
            return None
        return replace(self, bags=self.confirming, confirming={}, hopeless=inf)

    def describe(self) -> str:
        """Say what is tuned on."""
        return ', '.join(bag.name for bag in self.bags.values())

    def interval(self, run: Run) -> Interval | None:
        """Return the bootstrap interval over episodes."""
        found = estimate(run.losses, 'mean')
        return None if found is None or found.low is None else (found.low, found.high)


class BagTarget:
    """See `target.Target`.

    Every process replays the unaccelerated policy once, which all losses are taken from.
    """

    def __init__(self, plan: BagPlan, baseline: dict | None, stop: Stop) -> None:
        self._plan, self._quantity = plan, errors(plan.space)[plan.error]
        self._sessions = _open(plan)
        self._pace = Pace(self._sessions[0].policy)
        self._plain, paces = [], []
        for episode in self._replay(parse(BASELINE), stop, paces):
            self._plain.append(episode)
        self._steps = sum(map(len, self._plain))
        if not any(np.isfinite(self._losses(episode, episode)).any() for episode in self._plain):
            raise ValueError(
                f'{plan.describe()}: no frame tells {plan.error}; recorded_... wants recorded '
                'actions, reference_... at least one step of the policy'
            )
        self.baseline = baseline or {
            **self._facts(self._plain),
            'load': load(),
            'pace_ms': typical(paces) if paces else None,
            'costs': [self._cost(episode) for episode in self._plain],
            'per': [len(episode) for episode in self._plain],
        }

    def measure(self, method: Method, stop: Stop) -> Run:
        """Replay the bags, until it is plain that the setting departs too far."""
        episodes, losses, paces, seen = [], [], [], 0
        for episode in self._replay(method, stop, paces):
            losses.append(self._losses(self._plain[len(episodes)], episode))
            episodes.append(episode)
            seen += len(episode)
            if seen >= SEEN * self._steps and Run(losses, [], []).loss > self._plan.hopeless:
                break
        slower = typical(paces) / self.baseline['pace_ms'] if paces else 1.0
        return Run(
            losses,
            [self._cost(episode) / slower for episode in episodes],
            [len(episode) for episode in episodes],
            seen < self._steps,
            {**self._facts(episodes), 'slower': round(slower, 3), 'load': load()},
        )

    def _losses(self, plain: ReplayedEpisode, mine: ReplayedEpisode) -> np.ndarray:
        """Return by how much more an episode errs than it does unaccelerated, step by step."""
        return self._errors(plain, mine) - self._errors(plain, plain)

    def _errors(self, plain: ReplayedEpisode, mine: ReplayedEpisode) -> np.ndarray:
        both = replace(mine, traces={'mine': _trace(mine), BASELINE: _trace(plain)})
        return self._quantity.of(view(both, 'mine', BASELINE, self._plan.step_s, self._plan.space))

    def _replay(self, method: Method, stop: Stop, paces: list[float]) -> Iterator[ReplayedEpisode]:
        """Yield the episodes of all bags, on the step clock."""
        for session in self._sessions:
            own = method.at_step(session.step_s)
            offline = Offline(
                session.policy, (), own, None, session.splitter(), session.recorded()
            )
            with Ahead(session.stream()) as ahead:
                for episode in offline.run(ahead, stop, partial(self._look, paces)):
                    if stop():
                        raise Stopped
                    yield episode
            if stop():
                raise Stopped

    def _look(self, paces: list[float], seen: Seen, _records: object) -> None:
        if self._plan.timed and seen.number % PACE_EVERY == 0:
            paces.append(self._pace())

    def _cost(self, episode: ReplayedEpisode) -> float:
        trace = _trace(episode)
        if self._plan.cost == 'calls':
            return float(trace.called.sum())
        if self._plan.cost == 'flops':
            return float(np.nansum(trace.floats['flops'])) / 1e9
        return float(np.nansum(trace.floats['model_ms']))

    def _facts(self, episodes: Sequence[ReplayedEpisode]) -> dict:
        parts = [self._errors(a, b) for a, b in zip(self._plain, episodes, strict=False)]
        error = estimate(parts, 'mean')
        steps = sum(map(len, episodes))
        called = {
            name: np.concatenate([_trace(e).floats[name][_trace(e).called] for e in episodes])
            for name in ('model_ms', 'keep', 'passes')
        }
        means = {
            name: round(float(values.mean()), 3) if len(values) else None
            for name, values in called.items()
        }
        return {
            'episodes': len(episodes),
            'steps': steps,
            'error': error and error.value,
            'calls_a_step': round(len(called['keep']) / max(steps, 1), 4),
            'call_ms': means['model_ms'],
            'keep': means['keep'],
            'passes': means['passes'],
        }


def _open(plan: BagPlan) -> list[Replay]:
    """Open the bags over one policy."""
    sessions: list[Replay] = []
    for bag in plan.bags.values():
        own = argparse.Namespace(**{**vars(plan.args), 'bag': bag})
        session = prepare(own, lambda _text: None)
        policy = sessions[0].policy if sessions else timed(session.policy)
        sessions.append(replace(session, policy=policy))
    return sessions


def _trace(episode: ReplayedEpisode) -> Trace:
    return next(iter(episode.traces.values()))
