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

"""What models of every family are made of: towers, projector and language model.

The sequence begins with [BOS | visual tokens | rest of the prompt], or with the visual tokens
where the family has BOS behind them; positions are absolute, so that a visual token keeps its own
whatever happens to the others. A family adds what makes actions of it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import call
from vla_accel_ros.engines.onnx.linked_weights import LinkedWeights
from vla_accel_ros.engines.programs.call import Call
from vla_accel_ros.engines.programs.decoder import Span
from vla_accel_ros.engines.programs.vision import Vision
from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.layers.llama import LanguageModel
from vla_accel_ros.layers.projector import Projector, patch_coordinates
from vla_accel_ros.layers.vit import VisionBackbone, look_at
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.passes import extend


class VLA(nn.Module):
    """The parts that are run before a family's head.

    Args:
        config: Its shape.

    Attributes:
        on_disk: Says where its tensors lie in files, None where they lie in none.
    """

    def __init__(self, config: VLAConfig) -> None:
        super().__init__()
        self.config = config
        self.on_disk: Callable[[], LinkedWeights] | None = None
        width = config.decoder.width
        self.vision_backbone = VisionBackbone(
            config.towers, config.image_size, width if config.film else 0
        )
        self.projector = Projector(config.feature_width, width, config.projector_layers)
        self.language_model = LanguageModel(config.decoder)
        self.register_buffer(
            'coordinates', patch_coordinates(config.grid, 'cpu'), persistent=False
        )

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.language_model.model.embed_tokens.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights."""
        return self.language_model.model.embed_tokens.weight.dtype

    def language(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor | None:
        """Give the mean embedding of the prompt [B, width] for FiLM, None without FiLM.

        Padding and action tokens do not count.
        """
        if not self.config.film:
            return None
        last = self.config.tokenizer_vocab
        counts = (input_ids < last - self.config.bins) | (input_ids >= last)
        if attention_mask is not None:
            counts = counts & attention_mask.bool()
        weight = counts / counts.sum(1, keepdim=True).clamp(min=1)
        embedded = self.language_model.model.embed_tokens(input_ids)
        return (weight[..., None].to(embedded.dtype) * embedded).sum(1)

    def tower_features(self, pixel_values: Tensor, language: Tensor | None = None) -> list[Tensor]:
        """Run the towers.

        Args:
            pixel_values: [B, channels, H, W], three channels an image and tower, image by image.
            language: [B, width] for FiLM.

        Returns:
            For each image [B, N, sum of its towers' widths].

        Raises:
            ValueError: When the shape is not what the configuration says.
        """
        self.check_pixels(pixel_values)
        return look_at(self.vision_backbone, self.config.image_towers, pixel_values, language)[0]

    def check_pixels(self, pixel_values: Tensor) -> None:
        """Check pixel values [B, channels, H, W].

        Raises:
            ValueError: When the shape is not what the configuration says.
        """
        size = self.config.image_size
        expected = (self.config.channels, size, size)
        if tuple(pixel_values.shape[1:]) != expected:
            raise ValueError(
                f'pixel values are {list(pixel_values.shape)}, expected [B, '
                f'{", ".join(map(str, expected))}] for {self.config.cameras} images'
            )

    def project(self, features: list[Tensor], ids: Tensor | None = None) -> Tensor:
        """Map the features of all images to visual tokens.

        Args:
            features: For each image [B, N, feature width].
            ids: int [n], the visual tokens wanted, image * N + index; all if None.

        Returns:
            [B, n, width].
        """
        return self.project_rows(torch.cat(features, dim=1), ids)

    def project_rows(self, features: Tensor, ids: Tensor | None = None) -> Tensor:
        """Map features [B, images * N, feature width] as `project` does."""
        if self.config.coordinates:
            where = self.coordinates.to(features.dtype).repeat(self.config.cameras, 1)
            features = torch.cat([features, where.expand(len(features), -1, -1)], dim=-1)
        return self.projector(features if ids is None else features[:, ids])

    def encode_images(self, pixel_values: Tensor, language: Tensor | None = None) -> Tensor:
        """Map pixel values [B, channels, H, W] to visual tokens [B, visual tokens, width]."""
        return self.project(self.tower_features(pixel_values, language))

    def embed_prompt(self, input_ids: Tensor, visual: Tensor) -> Tensor:
        """Put the visual tokens behind what stands in front of them, BOS or nothing.

        Args:
            input_ids: int [B, T], BOS first.
            visual: [B, N, width].

        Returns:
            [B, T + N, width].
        """
        text = self.language_model.model.embed_tokens(input_ids)
        front = self.config.head.before
        return torch.cat([text[:, :front], visual.to(text.dtype), text[:, front:]], dim=1)

    # -- the programs that the model is made of, beside those of `engines.programs.decoder` ------

    def instruction(self) -> Call:
        """Give the program from a prompt to what FiLM is given of it."""
        return Call('language', self.language, ('ids',), 'language')

    def vision(self, attention: bool = False) -> Vision:
        """Give the program of the towers, with what the last blocks look at where asked."""
        config = self.config
        return Vision(self.vision_backbone, config.image_towers, config.film, attention)

    @property
    def prefixes(self) -> tuple[int, ...]:
        """For each image the tokens before the patches in the last tower that sees it."""
        config = self.config
        return tuple(config.towers[towers[-1]].prefix for towers in config.image_towers)

    def projection(self, narrowed: bool = False) -> Call:
        """Give the program of the projector, over the visual tokens `ids` alone where asked."""
        inputs = ('features', 'ids') if narrowed else ('features',)
        return Call('projector', self.project_rows, inputs, 'visual')

    def prompt(self) -> Call:
        """Give the program that puts a prompt's sequence together."""
        return Call('prompt', self.embed_prompt, ('ids', 'visual'), 'x')

    def logits_of(self) -> Call:
        """Give the program from hidden rows to logits."""
        return Call('lm_head', self.language_model.lm_head, ('rows',), 'logits')

    # ---------------------------------------------------------------------------------------------

    def new_cache(self, capacity: int, batch: int = 1) -> KVCache:
        """Make an empty cache that fits this model."""
        return KVCache(self.config.decoder, capacity, batch, self.device, self.dtype)

    def prefill(self, x: Tensor, cache: KVCache) -> Tensor:
        """Run the prompt.

        Args:
            x: [B, S, width] from `embed_prompt`.
            cache: Empty; filled with the S tokens.

        Returns:
            Logits of the last token [B, vocabulary].
        """
        language, layers, length = self.language_model, self.config.decoder.layers, x.shape[1]
        places = torch.arange(length, device=x.device)
        done = call(
            EAGER,
            Span(language.model, 0, layers, norm=True),
            {'x': x, 'positions': places, 'rows': places[-1:]},
            {'new': cache.room(0, layers, length)},
        )
        cache.grow(length)
        return language.lm_head(done['x'][:, -1])

    def decode_one_token(self, token: Tensor, position: Tensor, cache: KVCache) -> Tensor:
        """Run one more token.

        Args:
            token: int [B].
            position: int [1 or B, 1], the token's absolute position, which is not the number
                of cached tokens once any was dropped.
            cache: Holds what came before; grows by one.

        Returns:
            Logits of the next token [B, vocabulary].
        """
        return extend(self.language_model, token[:, None], position, cache)[0][:, -1]
