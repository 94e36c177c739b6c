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

"""What a report is made of: plain data, nothing of policies, bags or ROS.

Names, instructions and notes may hold any text; the page escapes all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vla_accel_ros.report.moments import Camera, Clip, ShownEpisode


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval.

    Attributes:
        value: In the unit of its measure.
        low: Lower end of the interval; None where there is none.
        high: Upper end.

    Raises:
        ValueError: When only one end is given or the ends are out of order.
    """

    value: float
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if (self.low is None) != (self.high is None):
            raise ValueError(f'interval {self.low} to {self.high}: expected both ends or none')
        if self.low is not None and self.low > self.high:
            raise ValueError(f'interval {self.low} to {self.high}: expected low <= high')


@dataclass(frozen=True)
class Measure:
    """A column of the tables: what is measured of each method.

    Attributes:
        key: Under which `MethodRow.values` holds it.
        title: Its heading, such as 'translation error, p95'.
        unit: Such as 'mm', 'ms', '%'; empty for plain numbers. Values are in this unit: a share
            of a half is 50 where it is '%'.
        group: Heading of the table it stands in, such as 'Against the recorded actions'.
        better: 'lower', 'higher', or '' where neither is.
        digits: Decimals shown.
        headline: Whether it stands in the summary as well.
        note: How it is computed, one sentence.
    """

    key: str
    title: str
    unit: str = ''
    group: str = 'Measures'
    better: str = ''
    digits: int = 1
    headline: bool = False
    note: str = ''

    def __post_init__(self) -> None:
        if self.better not in ('lower', 'higher', ''):
            raise ValueError(
                f"measure {self.key!r}: better is {self.better!r}, expected lower, higher or ''"
            )


@dataclass(frozen=True)
class Bound:
    """What a method must keep to be trusted.

    Attributes:
        measure: Key of the measure that is bounded.
        limit: In the measure's unit. Measures whose lower values are better must be at most
            this, the others at least.
    """

    measure: str
    limit: float


@dataclass(frozen=True)
class MethodRow:
    """One method: what it is, and what was measured of it over all steps and episodes.

    Attributes:
        name: As on the command line.
        summary: One line on what it does.
        values: `Estimate` by key of measure; a key that is missing or None is shown as a dash.
        decisions: Share of the steps by kind, 0 to 1.
        latencies_ms: Milliseconds of every call of the model; only their histogram is written.
        settings: What it was set to, by name.
    """

    name: str
    summary: str = ''
    values: Mapping[str, Estimate | None] = field(default_factory=dict)
    decisions: Mapping[str, float] = field(default_factory=dict)
    latencies_ms: Sequence[float] = ()
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Provenance:
    """What is needed to make the report again.

    Attributes:
        command: The command line, quoted for a shell.
        date: When, UTC.
        inputs: What it was made from, such as {'bag': 'kitchen.mcap, sha256 ...'}.
        versions: By name of library or program.
        machine: Processor, cores, GPU, ...
        settings: What held for every method: seeds, clock, latency model, topics, ...
    """

    command: str
    date: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Units:
    """Units of what the timeline shows of each step.

    Attributes:
        error: Of the departure.
        speed: Of the speed.
    """

    error: str = 'mm'
    speed: str = 'm/s'


@dataclass(frozen=True, eq=False)
class Report:
    """One report: all that the page shows.

    Attributes:
        title: Such as 'Replay of kitchen.mcap'.
        subtitle: What was run over what: frames, episodes, checkpoint.
        reference: Name of the unaccelerated method that the others are compared with.
        measures: Columns of the tables, in order.
        methods: One row each, in order.
        bounds: What a method must keep; the verdicts follow from them.
        quality: Key of the measure that the scatter has upward: an error or the success.
        cost: Key of the measure that it has to the right; less is better.
        cameras: In the order of the pictures.
        pictures: For each moment one JPEG a camera, as the model sees the view (after resizing
            and cropping, or the tokens would not lie where they belong).
        episodes: What the timeline can show.
        clips: Films of the first failures.
        notes: What a reader must know first: interrupted, so much of the bag was lost, ...
        sampling: How the moments shown were chosen; empty where all are.
        provenance: How to make it again.
        units: Of what the timeline shows.

    Raises:
        ValueError: When a key, method or picture is named that is not there.
    """

    title: str
    subtitle: str
    reference: str
    measures: tuple[Measure, ...]
    methods: tuple[MethodRow, ...]
    bounds: tuple[Bound, ...]
    quality: str
    cost: str
    provenance: Provenance
    cameras: tuple[Camera, ...] = ()
    pictures: Sequence[tuple[bytes, ...]] = ()
    episodes: tuple[ShownEpisode, ...] = ()
    clips: tuple[Clip, ...] = ()
    notes: tuple[str, ...] = ()
    sampling: str = ''
    units: Units = Units()

    def __post_init__(self) -> None:
        names = [row.name for row in self.methods]
        keys = [measure.key for measure in self.measures]
        _known([self.reference], names, 'method')
        _known(
            [self.quality, self.cost, *(bound.measure for bound in self.bounds)], keys, 'measure'
        )
        for what, values in (('method', names), ('measure', keys)):
            if len(set(values)) < len(values):
                raise ValueError(f'{what} named twice in {values}')
        for episode in self.episodes:
            _known(episode.traces, names, 'method')
        shown = [trace.pictures for e in self.episodes for trace in e.traces.values()]
        for pictures in (*shown, *(clip.pictures for clip in self.clips)):
            wrong = [index for index in pictures if not 0 <= index < len(self.pictures)]
            if wrong:
                raise ValueError(f'picture {wrong[0]} of {len(self.pictures)} does not exist')

    def measure(self, key: str) -> Measure:
        """Return the measure of a key."""
        return next(measure for measure in self.measures if measure.key == key)


def _known(given, there: list[str], what: str) -> None:
    unknown = [name for name in given if name not in there]
    if unknown:
        raise ValueError(f'{what} {unknown[0]!r} is unknown, expected one of: {", ".join(there)}')
