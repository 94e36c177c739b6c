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

"""Every frame of a recording through every method, in one pass, in no particular hurry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
import time

import numpy as np

from vla_accel_ros.acceleration import Method
from vla_accel_ros.evaluation.driver import Driver
from vla_accel_ros.evaluation.latency import Latency
from vla_accel_ros.evaluation.records import StepRecord
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.observations import Observation
from vla_accel_ros.replay.episodes import Splitter
from vla_accel_ros.replay.moment import Faults, Moment, Sample, joined
from vla_accel_ros.replay.recorded import NS, Recorded
from vla_accel_ros.replay.trace import ReplayedEpisode, Trace
from vla_accel_ros.scheduling.decision import Kind

# After its last step an episode waits so long for what was recorded of it.
LATE_NS = NS // 2
# Steps that may fail before one has not.
PATIENCE = 20
# Called with the number of the observation, the observation, and each method's record of it.
Watch = Callable[['Seen', dict[str, StepRecord]], None]


@dataclass(frozen=True, eq=False)
class Seen:
    """An observation, and where it stands.

    Attributes:
        observation: The observation.
        number: In the bag, from 0.
        episode: Number of its episode, from 0.
        since_ns: Since the episode began.
    """

    observation: Observation
    number: int
    episode: int
    since_ns: int


class _Building:
    """An episode that goes on."""

    def __init__(self, number: int, first: Observation, reason: str, names: Sequence[str]) -> None:
        self.number, self.instruction, self.reason = number, first.instruction, reason
        self.begun_ns = self.newest_ns = first.stamp_ns
        self.stamps: list[int] = []
        self.frames = self.observations = 0
        self.faults: Mapping[str, tuple[int, str]] = {}
        self.records: dict[str, list[StepRecord]] = {name: [] for name in names}
        self.took: dict[str, list[float]] = {name: [] for name in names}
        self._rows: list[np.ndarray] = []

    def settle(self, recorded: Recorded) -> None:
        """Look up what was recorded of the steps so far, before it is forgotten."""
        self._rows += [recorded.at(stamp) for stamp in self.stamps[len(self._rows) :]]

    def finish(self, recorded: Recorded, complete: bool = True) -> ReplayedEpisode:
        """Return the episode, with what was recorded of it."""
        self.settle(recorded)
        traces = {
            name: Trace.of(records, self.took[name], recorded.space)
            for name, records in self.records.items()
        }
        return ReplayedEpisode(
            self.number,
            self.instruction,
            self.reason,
            np.array(self.stamps, dtype=np.int64),
            np.array(self._rows, dtype=np.float64).reshape(-1, recorded.space.width),
            traces,
            self.observations,
            self.frames,
            dict(self.faults),
            complete,
        )


class Offline:
    """Runs methods over moments; all of them see each frame before the next one comes.

    The unaccelerated policy goes first and answers on the step clock, whatever the latency: it is
    what the others are compared with.

    Args:
        policy: The policy.
        methods: To run, by their names.
        reference: The unaccelerated method; among the methods or not.
        latencies: Latency model by name of method; None or empty for the step clock.
        splitter: Says where episodes begin.
        recorded: Gathers what was recorded.
        first: Number of the first episode.

    Attributes:
        faults: Steps that failed, in this run.
    """

    def __init__(
        self,
        policy: Policy,
        methods: Sequence[Method],
        reference: Method,
        latencies: Mapping[str, Latency] | None,
        splitter: Splitter,
        recorded: Recorded,
        first: int = 0,
    ) -> None:
        self.reference = reference.name
        drivers = {reference.name: Driver(policy.sibling(), reference)}
        for method in methods:
            if method.name != reference.name:
                own = (latencies or {}).get(method.name)
                drivers[method.name] = Driver(policy.sibling(), method, own)
        self._drivers, self._splitter, self._recorded = drivers, splitter, recorded
        self._number, self._newest_sample_ns = first, None
        self._step_ns = round(reference.scheduler.policy_step_s * NS)
        self.faults, self._some_step_worked = Faults(), False
        self._failure: Exception | None = None
        self._late: list[_Building] = []
        self._now: _Building | None = None

    @property
    def names(self) -> list[str]:
        """The methods that are run, the reference first."""
        return list(self._drivers)

    def run(
        self, moments: Iterable[Moment], stop: Callable[[], bool], watch: Watch
    ) -> Iterator[ReplayedEpisode]:
        """Yield episodes as they end; the last one, of an interrupted run, is incomplete.

        Args:
            moments: Of the bag.
            stop: Whether to end before the next frame.
            watch: Called for each frame.
        """
        held: Seen | None = None
        faults: Mapping[str, tuple[int, str]] = {}
        for moment in moments:
            faults = moment.faults
            for sample in moment.samples:
                yield from self._take(sample)
            seen = moment.observation
            if held is not None and seen is None:
                continue
            if held is not None and stop():
                break
            if seen is None:
                # Of an earlier run; what comes next may belong to the same episode or not.
                self._splitter.why(moment.stamp_ns, moment.instruction)
                self._recorded.forget(moment.stamp_ns)
                continue
            reason = self._splitter.why(seen.stamp_ns, seen.instruction)
            if held is not None:
                self._step(held, None if reason else seen.stamp_ns, watch)
            if reason:
                self._begin(seen, reason)
            yield from self._ended(moment.stamp_ns)
            self._now.observations = moment.number
            self._now.faults = joined(moment.faults, self.faults.facts())
            held = Seen(
                seen, moment.number - 1, self._now.number, seen.stamp_ns - self._now.begun_ns
            )
        if held is not None and not stop():
            self._step(held, None, watch)
        if self._failure is not None and not self._some_step_worked:
            raise self._failure
        yield from self._close(joined(faults, self.faults.facts()), complete=not stop())

    # -- inside ----------------------------------------------------------------------------------

    def _begin(self, seen: Observation, reason: str) -> None:
        if self._now is not None:
            self._late.append(self._now)
        self._now = _Building(self._number, seen, reason, self.names)
        self._number += 1
        for driver in self._drivers.values():
            driver.reset(seen.instruction, seed=self._now.number)

    def _step(self, held: Seen, until_ns: int | None, watch: Watch) -> None:
        stamp_ns, records, took = held.observation.stamp_ns, {}, {}
        for name, driver in self._drivers.items():
            begun = time.perf_counter()
            records[name] = self._decided(name, driver, held.observation, until_ns)
            took[name] = (time.perf_counter() - begun) * 1e3
        building = self._now
        building.frames, building.newest_ns = building.frames + 1, stamp_ns
        if records[self.reference].kind != Kind.SKIPPED.value:
            building.stamps.append(stamp_ns)
            for name, record in records.items():
                # Which tokens were kept is for pictures, which were made by now.
                if record.call is not None:
                    call = replace(record.call, kept_ids=np.empty(0, dtype=np.int64))
                    record = replace(record, call=call)
                building.records[name].append(record)
                building.took[name].append(took[name])
        watch(held, records)

    def _decided(
        self, name: str, driver: Driver, seen: Observation, until_ns: int | None
    ) -> StepRecord:
        """Step a method; where that fails there is no answer, as of the inference node."""
        try:
            record = driver.step(seen.stamp_ns, seen.stamp_ns, lambda: seen, until_ns)
            self._some_step_worked = True
            return record
        except Exception as error:
            self._failure = self._failure or error
            # A defect, or a policy that does not fit, fails on every frame: that is no bag's.
            if not self._some_step_worked and self.faults.counts['failed_step'] >= PATIENCE:
                raise
            self.faults.add(
                'failed_step', (f'{name} at {seen.stamp_ns} ns: {type(error).__name__}: {error}')
            )
            return StepRecord(seen.stamp_ns, Kind.WAITING.value, 'failed', 0.0, 0.0, 0)

    def _take(self, sample: Sample) -> Iterator[ReplayedEpisode]:
        newest = self._newest_sample_ns
        if newest is not None and sample.stamp_ns < newest - NS:
            # The clock began anew: what comes now belongs to no episode before.
            yield from self._ended(None)
            if self._now is not None:
                self._now.settle(self._recorded)
        self._newest_sample_ns = sample.stamp_ns
        self._recorded.take(sample)

    def _ended(self, now_ns: int | None) -> Iterator[ReplayedEpisode]:
        """Yield ended episodes that nothing more will be heard of."""
        while self._late:
            newest = self._late[0].newest_ns
            if now_ns is not None and newest <= now_ns <= newest + self._step_ns + LATE_NS:
                return
            yield self._late.pop(0).finish(self._recorded)
        if now_ns is not None and self._now is not None:
            self._recorded.forget(self._now.begun_ns)

    def _close(self, faults: Mapping, complete: bool) -> Iterator[ReplayedEpisode]:
        # Of an interrupted run, too little may have been read of what was recorded.
        for building in self._late:
            yield building.finish(self._recorded, complete)
        if self._now is not None and self._now.stamps:
            self._now.faults = faults
            yield self._now.finish(self._recorded, complete)
