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

from dataclasses import dataclass

from .transformer_config import require

L1, DISCRETE = 'l1', 'discrete'


@dataclass(frozen=True)
class OFTConfig:
    """How a chunk of actions is answered in one pass (OpenVLA-OFT, arXiv 2502.19645).

    Attributes:
        chunk: Actions in an answer.
        head: `l1` (numbers regressed from hidden states) or `discrete` (arg-max of the bins).
        proprio: Numbers of proprioception, 0 where the checkpoint wants none.
        stop: Token behind the action slots, Llama's `</s>`.
        head_width: Hidden channels of the L1 head; 0 for the decoder's width.
        head_blocks: Residual blocks of the L1 head.
        span_added: Added to the span of each action column, and of each proprioception column,
            when they are scaled; the original's guard against a span of nothing.

    Raises:
        ValueError: When a number is out of range.
    """

    chunk: int = 8
    head: str = L1
    proprio: int = 8
    stop: int = 2
    head_width: int = 0
    head_blocks: int = 2
    span_added: float = 1e-8

    def __post_init__(self) -> None:
        require(self.chunk > 0, f'chunk is {self.chunk}, expected at least 1 action')
        require(
            self.head in (L1, DISCRETE), f"head is '{self.head}', expected '{L1}' or '{DISCRETE}'")
        for name in ('proprio', 'stop', 'head_width', 'head_blocks', 'span_added'):
            require(
                getattr(self, name) >= 0, f'{name} is {getattr(self, name)}, expected at least 0')
