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

"""A bag as one stream of messages, counted against what was promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from vla_accel_ros.evaluation import fingerprints
from vla_accel_ros.evaluation.replay.bag import storage
from vla_accel_ros.evaluation.replay.bag.files import find
from vla_accel_ros.evaluation.replay.bag.raw import BagError, Raw, Topic


class Bag:
    """A rosbag2: mcap or sqlite3, one file or many, compressed or not, sound or not.

    Args:
        path: Folder of the bag, or a bare `.mcap` or `.db3` file.

    Attributes:
        path: As given.
        topics: By name, with the number of messages that can be expected.
        losses: What could not be read; complete once everything was.

    Raises:
        BagError: When there is no bag, or none of its messages can be read.
    """

    def __init__(self, path: Path | str) -> None:
        found = find(path)
        self.path, self._files, self.losses = found.path, found.files, found.losses
        if found.promised is not None:
            self.topics = found.promised
        else:
            self.topics = {}
            for file in self._files:
                for name, topic in storage.survey(file, self.losses).items():
                    self.topics.setdefault(name, Topic(topic.kind)).count += topic.count
        if not sum(topic.count for topic in self.topics.values()):
            why = '; '.join(self.losses.reasons)
            raise BagError(f'{path} holds no messages' + (f': {why}' if why else ''))

    def messages(self, topics: set[str]) -> Iterator[Raw]:
        """Yield the messages of some topics, file by file; then count them.

        Raises:
            BagError: When none could be read although there should be some.
        """
        seen: Counter[str] = Counter()
        for file in self._files:
            for raw in storage.read(file, topics, self.losses):
                seen[raw.topic] += 1
                yield raw
        for name in sorted(topics):
            expected = self.topics[name].count
            if seen[name] < expected:
                self.losses.add(
                    self.path, f'{expected - seen[name]} of {expected} messages on {name} '
                    'are lost')
        if not seen:
            why = '; '.join(self.losses.reasons)
            raise BagError(f'{self.path}: not one message of {sorted(topics)} can be read; {why}')

    def fingerprint(self) -> str:
        """Return what tells this bag from others."""
        return fingerprints.of_files(self._files)
