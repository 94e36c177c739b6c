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

"""What a link is like while episodes run over it, and for which parts of the time it is cut."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """A link, each way the same.

    Attributes:
        delay_ms: How late a frame is.
        jitter_ms: How much later at most, drawn for each frame.
        loss: Share of the frames that are lost.
        cut_s: How long it is cut at a time; 0 never cuts it.
        first_s: When it is cut first, from an episode's start.
        every_s: From one cut to the next; 0 cuts it once.
    """

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    cut_s: float = 0.0
    first_s: float = 2.0
    every_s: float = 0.0

    def is_cut(self, seconds: float) -> bool:
        """Tell whether the link is cut so long after an episode's start."""
        since = seconds - self.first_s
        if since < 0.0:
            return False
        return (since % self.every_s if self.every_s else since) < self.cut_s

    def link(self, seconds: float) -> dict[str, float | bool]:
        """Return the arguments of `Link.be` for that time."""
        return {
            'delay_s': self.delay_ms / 1e3,
            'jitter_s': self.jitter_ms / 1e3,
            'loss': self.loss,
            'cut': self.is_cut(seconds),
        }


CONDITIONS = {
    'no delay': Condition(),
    '5 ms': Condition(5),
    '20 ms': Condition(20),
    '40 ms': Condition(40),
    '80 ms': Condition(80),
    '160 ms': Condition(160),
    '240 ms': Condition(240),
    '320 ms': Condition(320),
    '400 ms': Condition(400),
    '20 ms, jitter of 30 ms': Condition(20, jitter_ms=30),
    '20 ms, 1 % loss': Condition(20, loss=0.01),
    '20 ms, 10 % loss': Condition(20, loss=0.1),
    '20 ms, cut for 0.2 s every 2 s': Condition(20, cut_s=0.2, every_s=2.0),
    '20 ms, cut for 5 s once': Condition(20, cut_s=5.0),
}
