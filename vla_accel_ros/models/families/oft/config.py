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

"""What OpenVLA-OFT adds to a configuration."""

from __future__ import annotations

from dataclasses import dataclass, field

from vla_accel_ros.files.kinds import Number, Whole, Word, check_fields, of
from vla_accel_ros.layers.shapes import require
from vla_accel_ros.models.checkpoints.norm_stats import EXTREMES, QUANTILES
from vla_accel_ros.models.heads.config import HeadConfig

L1, DISCRETE = 'l1', 'discrete'
BOUNDS_Q99, BOUNDS = 'bounds_q99', 'bounds'


@dataclass(frozen=True)
class OFTConfig(HeadConfig):
    """How a chunk of actions is answered in one pass (OpenVLA-OFT, arXiv 2502.19645).

    Attributes:
        chunk: Actions in an answer.
        head: `l1` (numbers regressed from hidden states) or `discrete` (arg-max of the bins).
        proprio: Numbers of proprioception, 0 where the checkpoint wants none.
        stop: Token behind the action slots, Llama's `</s>`.
        head_width: Hidden channels of the L1 head; 0 for the decoder's width.
        head_blocks: Residual blocks of the L1 head.
        scaling: What stands for -1 and 1 of actions and proprioception: `bounds_q99` (the 1st and
            the 99th percentile) or `bounds` (the smallest and the largest value), the original's
            words.
        span_added: Added to the span of each action column, and of each proprioception column,
            when they are scaled; the original's guard against a span of nothing.

    Raises:
        ValueError: When a number is out of range.
    """

    family = 'oft'
    single_pass = True

    chunk: int = field(default=8, metadata=of(Whole(1, 512)))
    head: str = field(default=L1, metadata=of(Word((L1, DISCRETE))))
    proprio: int = field(default=8, metadata=of(Whole(0, 256)))
    stop: int = field(default=2, metadata=of(Whole(0, 2**21)))
    head_width: int = field(default=0, metadata=of(Whole(0, 2**16)))
    head_blocks: int = field(default=2, metadata=of(Whole(0, 64)))
    scaling: str = field(default=BOUNDS_Q99, metadata=of(Word((BOUNDS_Q99, BOUNDS))))
    span_added: float = field(default=1e-8, metadata=of(Number(0, 1e-3)))

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def in_tokens(self) -> bool:
        """Whether the head is the discrete one."""
        return self.head != L1

    @property
    def ends(self) -> tuple[str, str]:
        """Statistics that stand for -1 and 1."""
        return EXTREMES if self.scaling == BOUNDS else QUANTILES

    def rows(self, dims: int) -> int:
        """Give one slot a number; see `HeadConfig.rows`."""
        return dims * self.chunk

    def check(self, vocab: int) -> None:
        """Check that the stop token is one.

        Raises:
            ValueError: When it is not.
        """
        require(self.stop < vocab, f'stop token {self.stop} is beyond the vocabulary of {vocab}')
