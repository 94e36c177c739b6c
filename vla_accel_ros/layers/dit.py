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

"""CogACT's action transformer: predicts the noise in a chunk of actions (arXiv 2411.19650).

It is a plain pre-norm transformer over the actions of a chunk. What it is conditioned on enters
as one token in front of them, and through no norm: the sum of an embedded time and an embedded
feature of the language model. Norms have neither weights nor biases.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from vla_accel_ros.layers.dit_shape import DiTConfig
from vla_accel_ros.layers.vit import Attention

EPS = 1e-6
# Longest period of a time's embedding.
LONGEST_PERIOD = 10000.0


def embed_times(times: Tensor, size: int, dtype: torch.dtype) -> Tensor:
    """Embed times by cosines and then sines (DiT; pi0 has them the other way round).

    Args:
        times: int or float [n].
        size: Numbers of an embedding.
        dtype: To compute in; the frequencies are float32 numbers in any case.

    Returns:
        [n, size].
    """
    places = torch.arange(size // 2, dtype=torch.float32, device=times.device)
    rates = torch.exp(-math.log(LONGEST_PERIOD) * places / (size // 2))
    angles = times.to(dtype)[:, None] * rates.to(dtype)
    return torch.cat([angles.cos(), angles.sin()], -1)


class TimeEmbedder(nn.Module):
    """From times to vectors of the transformer's width."""

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        self._size = config.frequencies
        self.mlp = nn.Sequential(
            nn.Linear(config.frequencies, config.width),
            nn.SiLU(),
            nn.Linear(config.width, config.width),
        )

    def forward(self, times: Tensor) -> Tensor:
        """Map times [n] to [n, width]."""
        return self.mlp(embed_times(times, self._size, self.mlp[0].weight.dtype))


class ConditionEmbedder(nn.Module):
    """From a feature to a vector of the transformer's width; one stands for no feature."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, width)
        self.uncondition = nn.Parameter(torch.randn(1, features) * 0.02)

    def forward(self, feature: Tensor, guided: bool) -> Tensor:
        """Map features.

        Args:
            feature: [B, features].
            guided: Whether the vector for no feature is wanted as well.

        Returns:
            [B, width]; guided [2 * B, width], where the second half is without a feature.
        """
        feature = feature.to(self.linear.weight.dtype)
        if guided:
            feature = torch.cat([feature, self.uncondition.expand_as(feature)])
        return self.linear(feature)


class Embedder(nn.Module):
    """A linear layer under the name that checkpoints have for it."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [..., inputs] to [..., outputs]."""
        return self.linear(x)


class TanhMLP(nn.Module):
    """Two linear layers around the GELU that tanh approximates."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [..., width] to the same shape."""
        return self.fc2(F.gelu(self.fc1(x), approximate='tanh'))


class DiTBlock(nn.Module):
    """Attention over all tokens and MLP, each behind a norm without parameters."""

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        self.attn = Attention(config.width, config.heads)
        self.mlp = TanhMLP(config.width, config.mlp)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, n, width] to the same shape."""
        x = x + self.attn(plain_norm(x))
        return x + self.mlp(plain_norm(x))


def plain_norm(x: Tensor) -> Tensor:
    """Normalise x [..., width] to mean 0 and variance 1."""
    return F.layer_norm(x, x.shape[-1:], eps=EPS)


class DiT(nn.Module):
    """The action transformer.

    Args:
        config: Its shape.
        features: Channels of the feature that it is conditioned on.
        chunk: Actions in a chunk.
        dims: Numbers in an action.
    """

    def __init__(self, config: DiTConfig, features: int, chunk: int, dims: int) -> None:
        super().__init__()
        self.config, self.features, self.chunk, self.dims = config, features, chunk, dims
        self.x_embedder = Embedder(dims, config.width)
        self.t_embedder = TimeEmbedder(config)
        self.z_embedder = ConditionEmbedder(features, config.width)
        self.positional_embedding = nn.Parameter(torch.randn(chunk + 1, config.width) * 0.02)
        self.blocks = nn.ModuleList(DiTBlock(config) for _ in range(config.depth))
        self.final_layer = Embedder(config.width, dims)

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights."""
        return self.positional_embedding.dtype

    def forward(self, x: Tensor, condition: Tensor, collect: list[Tensor] | None = None) -> Tensor:
        """Predict the noise.

        Args:
            x: [B, chunk, dims], noisy actions.
            condition: [B, width], embedded time and embedded feature, added.
            collect: Receives the input of the first block, then what each block gives.

        Returns:
            [B, chunk, dims].
        """
        tokens = torch.cat([condition[:, None], self.x_embedder(x)], 1)
        tokens = tokens + self.positional_embedding
        if collect is not None:
            collect.append(tokens)
        for block in self.blocks:
            tokens = block(tokens)
            if collect is not None:
                collect.append(tokens)
        return self.final_layer(plain_norm(tokens[:, 1:]))
