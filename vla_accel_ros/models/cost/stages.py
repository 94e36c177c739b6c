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

"""What an inference of a model takes, stage by stage, from its configuration alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from vla_accel_ros.layers.shapes import TowerConfig
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.cost.operations import Cost, attention, convolution, linear, scores
from vla_accel_ros.models.families.oft.config import L1
from vla_accel_ros.pruning.interface import Needs, Rows


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
        compared: Visual tokens of each camera that a filter compares with one another.
    """

    text: int
    visual: tuple[int, ...] = ()
    projected: int | None = None
    draft_in_prefill: int = 0
    passes: tuple[tuple[int, int], ...] = ()
    needs: Needs = field(default_factory=Needs)
    compared: tuple[int, ...] = ()


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


class CostModel:
    """Operations and traffic of a configuration.

    Args:
        config: Of the model.
    """

    def __init__(self, config: VLAConfig) -> None:
        self.config = config

    def inference(self, work: Workload) -> dict[str, Cost]:
        """Count an inference by stage, the stages of `stopwatch.STAGES` that have arithmetic."""
        return {
            'towers': self.towers(),
            'projector': self.projector(work.projected),
            'selection': self.selection(work),
            'prefill': self.prefill(work),
            'decode': self.decode(work),
        }

    def total(self, work: Workload) -> Cost:
        """Count an inference."""
        return sum(self.inference(work).values(), Cost())

    # -- vision ----------------------------------------------------------------------------------

    def towers(self) -> Cost:
        """Count the towers; one that sees two images runs twice."""
        return sum(
            (
                self._tower(self.config.towers[index])
                for image in self.config.image_towers
                for index in image
            ),
            Cost(),
        )

    def _tower(self, tower: TowerConfig) -> Cost:
        width, size = tower.width, self.config.image_size
        length = self.config.tokens_per_image + tower.prefix
        block = (
            linear(length, width, 3 * width)
            + attention(length, length, width)
            + linear(length, width, width)
            + linear(length, width, tower.mlp)
            + linear(length, tower.mlp, width)
            + Cost(0, (4 + 2 * tower.layer_scale) * width)
        )
        if self.config.film:
            block = block + linear(1, self.config.decoder.width, width) * 2
        embedded = Cost(0, length * width)
        channels, patch = 3, tower.patch
        if tower.patch_embed == 'stem':
            for outputs in tower.stem:
                size = (size + 1) // 2
                embedded += convolution(size, channels, outputs, 3, bias=False)
                embedded += Cost(0, 2 * outputs)
                channels, patch = outputs, tower.patch // 8
        return (
            embedded + convolution(self.config.grid, channels, width, patch) + block * tower.blocks
        )

    def projector(self, tokens: int | None = None) -> Cost:
        """Count the projector over some visual tokens, all if None."""
        config = self.config
        rows = config.visual_tokens if tokens is None else tokens
        width = config.decoder.width
        if config.projector_layers == 2:
            return linear(rows, config.feature_width, width) + linear(rows, width, width)
        hidden = 4 * config.feature_width
        return (
            linear(rows, config.feature_width, hidden)
            + linear(rows, hidden, width)
            + linear(rows, width, width)
        )

    # -- the decoder -----------------------------------------------------------------------------

    def lengths(self, work: Workload) -> tuple[int, ...]:
        """Give the tokens that each decoder layer sees in the prefill."""
        config = self.config
        visual = work.visual or (config.visual_tokens,) * config.decoder.layers
        if len(visual) != config.decoder.layers:
            raise ValueError(
                f'visual tokens of {len(visual)} layers, the decoder has {config.decoder.layers}'
            )
        rest = work.text + work.draft_in_prefill
        if config.oft:
            rest += bool(config.oft.proprio) + config.slots + 1
        return tuple(tokens + rest for tokens in visual)

    def layer(self, tokens: int, keys: int) -> Cost:
        """Count a decoder layer.

        Args:
            tokens: Rows that run.
            keys: Keys that they see, their own included.
        """
        d = self.config.decoder
        inner = d.kv_heads * d.head_width
        # Keys and values are written once, and read with all that was there before.
        return (
            linear(tokens, d.width, d.width, False) * 2
            + linear(tokens, d.width, inner, False) * 2
            + attention(tokens, keys, d.width)
            + linear(tokens, d.width, d.mlp, False) * 2
            + linear(tokens, d.mlp, d.width, False)
            + Cost(0, 2 * d.width, 2 * inner * (tokens + keys))
        )

    def _logits(self, rows: int) -> Cost:
        d = self.config.decoder
        return linear(rows, d.width, d.vocab, False) + Cost(0, d.width)

    def prefill(self, work: Workload) -> Cost:
        """Count the pass over the prompt, of a single-pass model over the whole sequence."""
        d, oft = self.config.decoder, self.config.oft
        cost = sum((self.layer(n, n) for n in self.lengths(work)), Cost())
        if oft is None:
            return cost + self._logits(1 + work.draft_in_prefill)
        if oft.proprio:
            cost += linear(1, oft.proprio, d.width) + linear(1, d.width, d.width)
        return cost + Cost(0, d.width)

    def decode(self, work: Workload) -> Cost:
        """Count the passes after the prefill; of a single-pass model its head."""
        if self.config.oft is not None:
            return self._head()
        cost = Cost()
        for before, tokens in work.passes:
            for n in self.lengths(work):
                cost += self.layer(tokens, n - work.draft_in_prefill + before + tokens)
            cost += self._logits(tokens)
        return cost

    def _head(self) -> Cost:
        config, oft = self.config, self.config.oft
        if oft.head != L1:
            return linear(config.slots, config.decoder.width, config.decoder.vocab, False)
        inputs, hidden = config.action_dims * config.decoder.width, oft.head_width
        hidden = hidden or config.decoder.width
        norms = Cost(0, 2 * (inputs + hidden * (1 + oft.head_blocks)))
        return (
            linear(oft.chunk, inputs, hidden)
            + linear(oft.chunk, hidden, hidden) * oft.head_blocks
            + linear(oft.chunk, hidden, config.action_dims)
            + norms
        )

    # -- selection -------------------------------------------------------------------------------

    def selection(self, work: Workload) -> Cost:
        """Count the products that choosing tokens takes.

        Edges, frame comparisons and sorting have next to no arithmetic; what they take is time,
        which the benchmark measures.
        """
        config, needs = self.config, work.needs
        d = config.decoder
        cost = Cost()
        if needs.tower_attention:
            for image in config.image_towers:
                tower = config.towers[image[-1]]
                length = config.tokens_per_image + tower.prefix
                cost += scores(length, length, tower.width)
        for tokens in work.compared:
            cost += Cost(2 * tokens * tokens * d.width)
        keys, inner = self.lengths(work), d.kv_heads * d.head_width
        for layer, kinds in needs.layers.items():
            for kind in kinds:
                for rows, seen in self._blocks(kind, keys[layer - 1], work):
                    cost += scores(rows, seen, d.width)
                cost += Cost(cached=keys[layer - 1] * inner)
        if not config.oft:
            for layer in needs.decode:
                seen = keys[layer - 1] - work.draft_in_prefill + config.action_dims - 1
                cost += scores(config.action_dims, seen, d.width, inner)
        return cost

    def _blocks(self, kind: Rows, length: int, work: Workload) -> list[tuple[int, int]]:
        """Return the rows of each block that `RowScores` takes, and the keys that they meet."""
        if self.config.oft:
            rows = {Rows.TEXT: work.text - 1, Rows.LAST: 1, Rows.ACTION: self.config.slots}
            return [(rows.get(kind, length - self.config.slots - 1), length)]
        from vla_accel_ros.engines.programs.scores import BLOCK

        end = length - work.draft_in_prefill
        begin = end - {Rows.ALL: end, Rows.TEXT: work.text - 1, Rows.LAST: 1}[kind]
        edges = pairwise([*range(begin, end, BLOCK), end])
        return [(stop - start, stop) for start, stop in edges]


def floor_s(
    stages: Sequence[Cost], flop_rate: float, byte_rate: float, weight_bytes: float = 2.0
) -> float:
    """Give the least time of stages that run one after the other; see `Cost.seconds`."""
    return sum(stage.seconds(flop_rate, byte_rate, weight_bytes) for stage in stages)
