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

from vla_accel_ros.layers.shapes import TowerConfig
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.cost.decoder import layers
from vla_accel_ros.models.cost.operations import Cost, attention, convolution, linear, scores
from vla_accel_ros.models.cost.workload import Workload
from vla_accel_ros.models.families import registry
from vla_accel_ros.models.rows import kinds_at, wanted_rows


class CostModel:
    """Operations and traffic of a configuration.

    Args:
        config: Of the model.
    """

    def __init__(self, config: VLAConfig) -> None:
        self.config = config
        self._head = registry.of(config).cost(config)

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
        if config.projector_layers == 1:
            return linear(rows, config.feature_width, width)
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
        rest = work.text + self._head.rows(work)
        return tuple(tokens + rest for tokens in visual)

    def prefill(self, work: Workload) -> Cost:
        """Count the pass over the prompt and whatever the head has behind it."""
        decoder, lengths = self.config.decoder, self.lengths(work)
        kinds = kinds_at(work.needs, decoder.attending[-1] + 1)
        wanted = wanted_rows(lengths[-1], self._head.kinds(work), kinds, self._head.read(work))
        return layers(decoder, lengths, lengths, wanted) + self._head.prefill(work)

    def decode(self, work: Workload) -> Cost:
        """Count what the head does after the prefill."""
        return self._head.decode(work, self.lengths(work))

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
        if needs.distances and work.projected in (None, config.visual_tokens):
            rows = needs.from_pivots or config.tokens_per_image
            cost += Cost(2 * rows * config.visual_tokens * d.width)
        keys, inner = self.lengths(work), d.kv_heads * d.head_width
        for number, kinds in needs.layers.items():
            for kind in kinds:
                for rows, seen in self._head.scored(kind, keys[number - 1], work):
                    cost += scores(rows, seen, d.inner)
                cost += Cost(cached=keys[number - 1] * inner)
        for number in needs.decode:
            rows, seen = self._head.scored_later(keys[number - 1], work)
            cost += scores(rows, seen, d.inner, inner)
        return cost


def floor_s(
    stages: Sequence[Cost], flop_rate: float, byte_rate: float, weight_bytes: float = 2.0
) -> float:
    """Give the least time of stages that run one after the other; see `Cost.seconds`."""
    return sum(stage.seconds(flop_rate, byte_rate, weight_bytes) for stage in stages)
