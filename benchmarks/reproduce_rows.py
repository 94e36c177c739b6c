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

"""The rows of papers' tables that can be run again, with what was published and by whom."""

from __future__ import annotations

from dataclasses import dataclass

SUITES = ('spatial', 'object', 'goal', '10')
OPENVLA = 'openvla/openvla-7b-finetuned-libero-{suite}'
OFT = 'moojink/openvla-7b-oft-finetuned-libero-spatial-object-goal-10'
HARNESS = 'allenai/vla-evaluation-harness, its own runs'
PRUNER = 'VLA-Pruner, arXiv 2511.16449'
SP_VLA = 'SP-VLA, arXiv 2506.12723'
SPECPRUNE = 'SpecPrune-VLA, arXiv 2509.05614'


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        name: For the command line.
        checkpoint: Its name on the hub; `{suite}` where each suite has one of its own.
        method: As `vla-accel eval` takes it.
        source: Who published the figures.
        success: Per cent, one a suite of `SUITES`; empty where only a mean is published.
        mean: Per cent, over the suites; None where that follows from `success`, or is unknown.
        speed: What was published of time, in words.
        env: Environment, with `{suite}` in it.
        suites: Those that are run.
        words: Further words of the command line.
    """

    name: str
    checkpoint: str
    method: str
    source: str
    success: tuple[float, ...] = ()
    mean: float | None = None
    speed: str = ''
    env: str = 'libero:{suite}'
    suites: tuple[str, ...] = SUITES
    words: tuple[str, ...] = ()

    def folder(self, suite: str) -> str:
        """Return the name of a checkpoint's folder."""
        return self.checkpoint.format(suite=suite).rpartition('/')[2]

    @property
    def expected(self) -> float | None:
        """The published mean, per cent; None where there is none."""
        if self.success:
            return sum(self.success) / len(self.success)
        return self.mean


def _pruned(name: str, method: str, keep: float, success: tuple, speed: str) -> Row:
    return Row(
        f'{name}-{keep:g}', OPENVLA, f'{method}@keep={keep:g}', PRUNER, success, None, speed
    )


ROWS = (
    Row('openvla', OPENVLA, 'none', HARNESS, (86.6, 86.6, 79.0, 52.8), None, '236 ms, RTX 4090'),
    _pruned('vla-pruner', 'vla_pruner', 0.5, (88.2, 85.8, 79.4, 56.4), '178 ms, RTX 4090'),
    _pruned('vla-pruner', 'vla_pruner', 0.25, (85.4, 82.5, 78.4, 51.8), '145 ms, RTX 4090'),
    _pruned('vla-pruner', 'vla_pruner', 0.125, (80.2, 78.4, 69.0, 42.8), '129 ms, RTX 4090'),
    _pruned('fastv', 'fastv', 0.5, (86.2, 81.6, 77.2, 50.6), '172 ms, RTX 4090'),
    _pruned('fastv', 'fastv', 0.25, (81.6, 69.6, 71.6, 43.8), ''),
    _pruned('fastv', 'fastv', 0.125, (62.0, 58.5, 55.8, 18.8), ''),
    Row('sp-vla', OPENVLA, 'sp_vla', SP_VLA, mean=74.9, speed='1.35x'),
    Row('sp-vla-scheduling', OPENVLA, 'sp_vla_scheduling', SP_VLA, speed='1.27x'),
    Row('sp-vla-pruning', OPENVLA, 'sp_vla_pruning', SP_VLA, speed='1.21x'),
    Row('oft', OFT, 'none', HARNESS, (96.6, 97.6, 97.4, 95.4), None, '109 ms, A800'),
    Row('oft-specprune', OFT, 'specprune', SPECPRUNE, mean=96.1, speed='1.46x, 72-78 ms, A800'),
    Row('oft-fastv', OFT, 'fastv@keep=0.25', SPECPRUNE, mean=93.3, speed='1.44x, A800'),
)
