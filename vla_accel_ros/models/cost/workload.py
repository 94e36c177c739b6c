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

"""What an inference does, as far as its cost is concerned."""

from __future__ import annotations

from dataclasses import dataclass, field

from vla_accel_ros.pruning.interface import Needs


@dataclass(frozen=True)
class Workload:
    """What an inference does.

    Attributes:
        text: Tokens of the prompt, BOS and its end included.
        visual: Visual tokens that each decoder layer sees; empty for all.
        projected: Visual tokens through the projector; None for all.
        draft_in_prefill: Draft tokens behind the prompt.
        passes: Further passes, each the tokens of the answer in the cache before it and its own
            tokens; `one_by_one` gives those of greedy decoding.
        needs: What the pruner has computed.
        words: Prompt tokens that are scored as text; 0 for all behind the visual tokens.
        steps: Evaluations of a flow's network, or of a diffusion's.
    """

    text: int
    visual: tuple[int, ...] = ()
    projected: int | None = None
    draft_in_prefill: int = 0
    passes: tuple[tuple[int, int], ...] = ()
    needs: Needs = field(default_factory=Needs)
    words: int = 0
    steps: int = 0


def one_by_one(count: int) -> tuple[tuple[int, int], ...]:
    """Give the passes of greedy decoding of `count` tokens, after the prefill."""
    return tuple((place, 1) for place in range(count - 1))


def dropped_after(layers: int, total: int, kept: int, layer: int) -> tuple[int, ...]:
    """Give the visual tokens that each decoder layer sees.

    Args:
        layers: Decoder layers.
        total: Visual tokens before the drop.
        kept: Those after it.
        layer: The layer after which they are dropped, 0 for before the decoder.
    """
    return (total,) * layer + (kept,) * (layers - layer)
