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

"""Vision towers: from normalised pixels to one feature vector a patch.

OpenVLA's two towers (DINOv2, SigLIP) and the embedded model's are the same pre-norm vision
transformer; only what `TowerConfig` says differs. The features are the output of one block,
without prefix tokens and, unless `final_norm` says otherwise, without the final norm: whatever
else follows that block is not built.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from vla_accel_ros.layers.drawn import drawn
from vla_accel_ros.layers.shapes import TowerConfig, groups_of


class PatchEmbed(nn.Module):
    """Cut an image into patches and embed each one linearly.

    The convolution's stride is its size, so it is one matrix product over the cut patches;
    written as a convolution it keeps the checkpoint's tensor shape.
    """

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, config.width, config.patch, config.patch)

    def forward(self, image: Tensor) -> Tensor:
        """Map an image [B, 3, H, W] to tokens [B, N, width], row by row."""
        return self.proj(image).flatten(2).transpose(1, 2)


class StemEmbed(nn.Module):
    """Embed patches through three stride-2 convolutions (ours, for the embedded model).

    A convolutional stem is what lets a small tower, trained for minutes, localise objects to
    a fraction of a pixel.
    """

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for channels in config.stem:
            layers += [
                nn.Conv2d(before, channels, 3, 2, 1, bias=False),
                nn.GroupNorm(groups_of(channels), channels),
                nn.GELU(),
            ]
            before = channels
        self.stem = nn.Sequential(*layers)
        self.proj = nn.Conv2d(before, config.width, config.patch // 8, config.patch // 8)

    def forward(self, image: Tensor) -> Tensor:
        """Map an image [B, 3, H, W] to tokens [B, N, width], row by row."""
        return self.proj(self.stem(image)).flatten(2).transpose(1, 2)


class Attention(nn.Module):
    """Self-attention over all tokens, with one matrix for queries, keys and values."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def separate(self, qkv: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Cut [B, N, 3 * width] into queries, keys, values, each [B, heads, N, head width]."""
        batch, length, width = qkv.shape
        qkv = qkv.view(batch, length, 3, self.heads, width // 3 // self.heads)
        return qkv.permute(2, 0, 3, 1, 4).unbind(0)

    def attend(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Attend over x [B, N, width]; give the result with queries and keys, as `separate`."""
        q, k, v = self.separate(self.qkv(x))
        out = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return self.proj(out), q, k

    def forward(self, x: Tensor) -> Tensor:
        """Attend over x [B, N, width]."""
        q, k, v = self.separate(self.qkv(x))
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class MLP(nn.Module):
    """Two linear layers around a GELU, an exact one or its approximation by a tangent."""

    def __init__(self, width: int, hidden: int, activation: str = 'gelu') -> None:
        super().__init__()
        self._approximate = 'tanh' if activation == 'gelu_tanh' else 'none'
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [..., width] to the same shape."""
        return self.fc2(F.gelu(self.fc1(x), approximate=self._approximate))


class LayerScale(nn.Module):
    """A learned factor a channel on a residual branch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale_factor = nn.Parameter(torch.full((width,), 1e-5))

    def forward(self, x: Tensor) -> Tensor:
        """Scale x [..., width]."""
        return x * self.scale_factor


class Block(nn.Module):
    """Pre-norm transformer block, with FiLM between attention and MLP where asked."""

    def __init__(self, config: TowerConfig, language_width: int = 0) -> None:
        super().__init__()
        width = config.width
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, config.heads)
        self.ls1 = LayerScale(width) if config.layer_scale else nn.Identity()
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = MLP(width, config.mlp, config.activation)
        self.ls2 = LayerScale(width) if config.layer_scale else nn.Identity()
        if language_width:
            self.scale = nn.Linear(language_width, width)
            self.shift = nn.Linear(language_width, width)
            for layer in (self.scale, self.shift):
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(layer.bias)

    def look(self, x: Tensor, language: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Map x as `forward` does; give the result with its attention's queries and keys."""
        out, queries, keys = self.attn.attend(self.norm1(x))
        return self._finish(x + self.ls1(out), language), queries, keys

    def forward(self, x: Tensor, language: Tensor | None = None) -> Tensor:
        """Map x [B, N, width]; `language` [B, d] modulates where the block has FiLM."""
        # No queries and keys are kept: the MLP takes their memory while it is in the core's cache.
        return self._finish(x + self.ls1(self.attn(self.norm1(x))), language)

    def _finish(self, x: Tensor, language: Tensor | None) -> Tensor:
        if language is not None:
            x = (1 + self.scale(language))[:, None] * x + self.shift(language)[:, None]
        return x + self.ls2(self.mlp(self.norm2(x)))


class Tower(nn.Module):
    """A vision transformer up to its feature block.

    Args:
        config: Its shape.
        image_size: Side of the image, pixels.
        language_width: Width of the language vector for FiLM, or 0 for none.
    """

    def __init__(self, config: TowerConfig, image_size: int, language_width: int = 0) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.patch_embed = (StemEmbed if config.patch_embed == 'stem' else PatchEmbed)(config)
        self.pos_embed = nn.Parameter(drawn(1, (image_size // config.patch) ** 2, width))
        if config.class_token:
            self.cls_token = nn.Parameter(drawn(1, 1, width))
        if config.registers:
            self.reg_token = nn.Parameter(drawn(1, config.registers, width))
        self.blocks = nn.ModuleList(Block(config, language_width) for _ in range(config.blocks))
        if config.final_norm:
            self.norm = nn.LayerNorm(width, eps=1e-6)

    def embed(self, image: Tensor) -> Tensor:
        """Map an image [B, 3, H, W] to tokens [B, prefix + N, width], prefix tokens first."""
        x = self.patch_embed(image)
        x = x + self.pos_embed
        prefix = []
        if self.config.class_token:
            prefix.append(self.cls_token.expand(len(x), -1, -1))
        if self.config.registers:
            prefix.append(self.reg_token.expand(len(x), -1, -1))
        return torch.cat([*prefix, x], dim=1) if prefix else x

    def finish(self, x: Tensor) -> Tensor:
        """Give the features [B, N, width] of the last block's output [B, prefix + N, width]."""
        x = x[:, self.config.prefix :]
        return self.norm(x) if self.config.final_norm else x

    def look(self, image: Tensor, language: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Map an image as `forward` does; give queries and keys of the last block as well.

        Returns:
            Features [B, N, width]; queries and keys [B, heads, prefix + N, head width].
        """
        x = self.embed(image)
        for block in self.blocks[:-1]:
            x = block(x, language)
        x, queries, keys = self.blocks[-1].look(x, language)
        return self.finish(x), queries, keys

    def forward(self, image: Tensor, language: Tensor | None = None) -> Tensor:
        """Map a normalised image to patch features.

        Args:
            image: [B, 3, H, W], normalised with this tower's mean and std.
            language: [B, d] for FiLM, None without.

        Returns:
            [B, N, width], row by row, prefix tokens stripped.
        """
        x = self.embed(image)
        for block in self.blocks:
            x = block(x, language)
        return self.finish(x)


class VisionBackbone(nn.Module):
    """All towers, each under its name in the checkpoint."""

    def __init__(
        self, towers: tuple[TowerConfig, ...], image_size: int, language_width: int = 0
    ) -> None:
        super().__init__()
        self.names = [tower.name for tower in towers]
        for tower in towers:
            self.add_module(tower.name, Tower(tower, image_size, language_width))

    def tower(self, index: int) -> Tower:
        """Give the tower of that index."""
        return self.get_submodule(self.names[index])


def look_at(
    backbone: VisionBackbone,
    image_towers: Sequence[Sequence[int]],
    pixels: Tensor,
    language: Tensor | None,
    attention: bool = False,
) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Run the towers over all images.

    Args:
        backbone: The towers.
        image_towers: For each image the towers that see it.
        pixels: [B, channels, H, W], three channels an image and tower, image by image.
        language: [B, d] for FiLM, None without.
        attention: Whether queries and keys are wanted.

    Returns:
        For each image the features [B, N, sum of its towers' widths], then, where wanted, queries
        and keys [B, heads, prefix + N, head width] of the last block of its last tower.
    """
    parts = iter(pixels.split(3, dim=1))
    features, queries, keys = [], [], []
    for *others, last in image_towers:
        seen = [backbone.tower(index)(next(parts), language) for index in others]
        if attention:
            own, q, k = backbone.tower(last).look(next(parts), language)
            queries.append(q)
            keys.append(k)
        else:
            own = backbone.tower(last)(next(parts), language)
        features.append(torch.cat([*seen, own], dim=-1))
    return features, queries, keys
