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

"""Episodes over the machines of a cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from vla_accel_ros.cluster.connection import Cluster
from vla_accel_ros.cluster.sending import Sent, places
from vla_accel_ros.cluster.workers import ClusterWorkers
from vla_accel_ros.evaluation import runner
from vla_accel_ros.evaluation.episode import EpisodeResult


class Spread:
    """Runs episodes on a cluster, and knows what became of its workers.

    Args:
        cluster: The cluster.
        workers: How many at once; as many as there is room for where None.

    Attributes:
        workers: How many at once.

    Raises:
        ValueError: When the number of workers is below 1.
    """

    def __init__(self, cluster: Cluster, workers: int | None = None) -> None:
        if workers is not None and workers < 1:
            raise ValueError(f'{workers} workers, expected at least 1')
        self._cluster, self.workers = cluster, workers or cluster.room
        self._team: ClusterWorkers | None = None
        self._first: tuple[str, str] | None = None

    def run(
        self, jobs: Sequence[runner.Job], here: runner.Worker, stop: Callable[[], bool]
    ) -> Iterator[EpisodeResult]:
        """Run episodes; yield each one's result as it ends.

        Args:
            jobs: At least one.
            here: From `runner.prepare`, which has checked them.
            stop: Asked meanwhile whether to end; episodes under way are left then.

        Raises:
            ValueError: When a machine refuses to begin, or an episode fails; names the machine.
            WorkerLostError: When no worker is left.
        """
        self._first = here.first_answer(jobs[0])
        sent = self._cluster.send([Path(here.setup.checkpoint)])
        # Where an engine is missing, another would give other bits: there it has to run as here.
        engine = replace(here.setup.engine, engine_required=True)
        setup = replace(here.setup, engine=engine, engine_checked=False)
        count = min(self.workers, len(jobs))
        self._team = self._cluster.workers(count, begin, (setup, sent, jobs[0]), stop)
        yield from runner.share(jobs, self._team, stop)

    def about(self) -> dict:
        """Return the machines that took part, and how many workers were lost, as plain values."""
        begun = Counter(host for host, _ in self._begun)
        processors = {each.facts.host: each.facts.processor for each in self._cluster.machines}
        return {
            'address': self._cluster.address,
            'machines': [
                {'host': host, 'processor': processors.get(host, ''), 'workers': count}
                for host, count in sorted(begun.items())
            ],
            'lost': [] if self._team is None else sorted(self._team.lost),
        }

    def notes(self) -> list[str]:
        """Say on which machines episodes may differ from those of this one."""
        other = sorted({host for host, first in self._begun if first != self._first})
        if not other:
            return []
        return [
            f'on {", ".join(other)} the first picture or the first action differs from this '
            "machine's: their episodes may, too"
        ]

    @property
    def _begun(self) -> list[tuple[str, object]]:
        return [] if self._team is None else self._team.begun


def begin(setup: runner.Setup, sent: Sequence[Sent], job: runner.Job) -> tuple[str, str]:
    """Build the worker of a process on the cluster; return what `Worker.first_answer` gives."""
    place = places(sent)[sent[0].path]
    return runner.begin(replace(setup, checkpoint=str(place))).first_answer(job)
