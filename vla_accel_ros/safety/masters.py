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

"""One master for the arm: when too many publish what moves it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HINT = 'one whose process was killed counts for some seconds, until it is forgotten'


@dataclass(frozen=True)
class Publishers:
    """Who publishes a topic that moves the arm.

    Attributes:
        topic: Its full name.
        count: How many publishers there are.
        most: How many there may be.
        parameter: The parameter that says so; empty where none does.
        names: Names of the publishing nodes, as far as they are known.
    """

    topic: str
    count: int
    most: int
    parameter: str = ''
    names: Sequence[str] = ()


def too_many(topics: Iterable[Publishers]) -> str:
    """Say which topics have more publishers than they may have; empty when none has.

    While this is not empty nobody knows whose motion the arm would make, so it is held.
    """
    said = [
        f'{each.count} publish {each.topic}{_by(each.names)}, at most {each.most} may'
        + (f' ({each.parameter})' if each.parameter else '')
        for each in topics
        if each.count > each.most
    ]
    return f'{"; ".join(said)}; {HINT}' if said else ''


def _by(names: Sequence[str]) -> str:
    return f' ({", ".join(sorted(names))})' if names else ''
