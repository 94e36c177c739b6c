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

"""Training-only heads: they make the model see, and make it look at what is asked for.

None of them is shipped. `locate` asks the towers where each cube, the bin and the tool is, in the
image and, of a camera that stands still, in the robot's base frame too. `point` asks an
early layer of the decoder, at the last word of the instruction, which visual token is meant: it
is what binds the colour's word to the colour's token, which cloning alone learns far too slowly.
`relate` asks the first action position for the vector to the cube, its turn and the fingers.
`goal` asks both again of the second thing that an instruction may name: the bin, or the cube to
stack on.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.training.last_rows import rows_of

NEAR_M = 0.10
TURN_RAD = 0.30
WIDTH_M = 0.04
# What numbers weigh beside the choice of a token.
FINE = 3.0
# Some mm decide whether a cube is hit: a loss is square up to here only. That is 2 mm of what
# NEAR_M scales, and a fiftieth of a token, of TURN_RAD, of WIDTH_M.
BETA = 0.02


class Locate(nn.Module):
    """Which token of an image holds each object, where inside it, and where in space."""

    def __init__(self, width: int, objects: int) -> None:
        super().__init__()
        self.objects = objects
        self.out = nn.Linear(width, 6 * objects)
        self.none = nn.Parameter(torch.zeros(objects))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map features [B, N, width] to three answers.

        Returns:
            Logits [B, C, N + 1], offsets [B, N, C, 2] in sides of a token, and positions
            [B, N, C, 3], as `in_units` gives them.
        """
        batch = len(features)
        out = self.out(features).float().unflatten(-1, (self.objects, 6))
        none = self.none.float().expand(batch, -1)[..., None]
        logits = torch.cat([out[..., 0].transpose(1, 2), none], dim=-1)
        return logits, out[..., 1:3], out[..., 3:]


class Point(nn.Module):
    """Which token of each image the instruction means, asked of one layer's input."""

    def __init__(self, width: int, inner: int = 64) -> None:
        super().__init__()
        self.query = nn.Linear(width, inner)
        self.key = nn.Linear(width, inner)
        self.none = nn.Linear(inner, 1)

    def forward(self, words: Tensor, tokens: Tensor, cameras: int) -> Tensor:
        """Map words [B, P, width] and tokens [B, N, width] to logits [B, P, cameras, n + 1]."""
        query = self.query(words) * self.query.out_features**-0.5
        scores = query @ self.key(tokens).transpose(1, 2)
        scores = scores.float().unflatten(-1, (cameras, -1))
        none = self.none(query).float()[..., None].expand(-1, -1, cameras, -1)
        return torch.cat([scores, none], dim=-1)


class Heads(nn.Module):
    """All heads of one model.

    Args:
        config: The model's shape.
        objects: Things that are located.
        point_layers: Decoder layers whose input is asked what is meant.
        still: Indices of the cameras that do not move with the arm.
        middle: Middle of where things are, [3] in m, in the frame of proprioception.
    """

    def __init__(
        self,
        config: VLAConfig,
        objects: int,
        point_layers: tuple[int, ...],
        still: tuple[int, ...] = (),
        middle: tuple[float, float, float] = (0.0, 0.0, 0.0),
    ) -> None:
        super().__init__()
        width = config.decoder.width
        self.still, self.middle = still, middle
        self.config, self.point_layers = config, tuple(point_layers)
        tower = config.feature_width - 2 * config.coordinates
        self.locate = nn.ModuleList(Locate(tower, objects) for _ in range(config.cameras))
        self.point = nn.ModuleList(Point(width) for _ in self.point_layers)
        self.relate = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, 5))
        self.goal_point = nn.ModuleList(Point(width) for _ in self.point_layers)
        self.goal_relate = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, 3))


def cells(places: Tensor, seen: Tensor, grid: int) -> tuple[Tensor, Tensor]:
    """Turn places into token indices and offsets.

    Args:
        places: [..., 2], column and row as shares of the side.
        seen: [...], 1 in view, 0 not, -1 not to be told.
        grid: Tokens along a side.

    Returns:
        Index [...]: the token, grid * grid for none, -100 to be ignored; and the offset from
        the token's centre [..., 2] in sides of a token.
    """
    scaled = places * grid
    cell = scaled.floor().clamp(0, grid - 1)
    index = (cell[..., 1] * grid + cell[..., 0]).long()
    index = torch.where(seen > 0, index, torch.where(seen == 0, grid * grid, -100))
    return index, scaled - cell - 0.5


def in_units(positions: Tensor, middle: tuple[float, float, float]) -> Tensor:
    """Return positions [..., 3] in m as numbers of some units about 0."""
    return (positions - positions.new_tensor(middle)) / NEAR_M


def _smooth(error: Tensor) -> Tensor:
    """Return the sum of a loss that is square up to BETA."""
    return F.smooth_l1_loss(error, torch.zeros_like(error), beta=BETA, reduction='sum')


def _cross_entropy(logits: Tensor, index: Tensor) -> Tensor:
    """Return the sum of what choices [..., n] miss an index [...] by; -100 is ignored."""
    flat = logits.flatten(0, -2)
    return F.cross_entropy(flat, index.flatten(), ignore_index=-100, reduction='sum')


def _mean(total: Tensor, count: Tensor | int) -> Tensor:
    """Return a mean of what there is; of nothing it is 0, where NaN would spoil every gradient."""
    return total / max(1, int(count))


def locate_loss(
    heads: Heads, features: list[Tensor], places: Tensor, seen: Tensor, positions: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the towers' loss and their median error in token sides.

    Args:
        heads: The heads.
        features: For each image [B, N, width].
        places: [B, cameras, C, 2].
        seen: [B, cameras, C].
        positions: [B, C, 3], m, base frame.
    """
    grid, loss, errors = heads.config.grid, 0.0, []
    for camera, (head, feature) in enumerate(zip(heads.locate, features, strict=True)):
        logits, offsets, spatial = head(feature)
        index, target = cells(places[:, camera], seen[:, camera], grid)
        told = (index != -100).sum()
        loss = loss + _mean(_cross_entropy(logits, index), told)
        valid = (index >= 0) & (index < grid * grid)
        at = index.clamp(0, grid * grid - 1)[:, None, :, None]
        error = (offsets.gather(1, at.expand(-1, -1, -1, 2))[:, 0] - target)[valid]
        loss = loss + FINE * _mean(_smooth(error), error.numel())
        errors.append(error.detach().norm(dim=-1))
        if camera in heads.still:
            said = spatial.gather(1, at.expand(-1, -1, -1, 3))[:, 0]
            away = (said - in_units(positions, heads.middle))[valid]
            loss = loss + FINE * _mean(_smooth(away), away.numel())
    return loss / len(features), torch.cat(errors).median()


def point_loss(
    heads: Heads,
    points: nn.ModuleList,
    layers: list[Tensor],
    visual: int,
    rows: Tensor,
    index: Tensor,
):
    """Return the loss of pointing, and the share pointed right by the last asked layer, or NaN.

    Args:
        heads: The heads.
        points: Which of them: `heads.point` or `heads.goal_point`.
        layers: Input of each decoder layer [B, S, width].
        visual: How many visual tokens these hold, behind the first.
        rows: int [B, P], each instruction's last word in the sequence.
        index: [B, P, cameras], the meant object's token among these; see `cells`.
    """
    config, known = heads.config, index >= 0
    loss, right = (index.new_full((), value, dtype=torch.float32) for value in (0.0, torch.nan))
    for head, layer in zip(points, heads.point_layers, strict=True):
        x = layers[layer]
        logits = head(rows_of(x, rows), x[:, 1 : 1 + visual], config.cameras)
        loss = loss + _mean(_cross_entropy(logits, index), known.sum())
        right = (logits.detach().argmax(-1) == index)[known].float().mean()
    return loss / max(1, len(points)), right


def relate_loss(heads: Heads, first: Tensor, vectors: Tensor, turns: Tensor, width: Tensor):
    """Return the loss of the vector, turn and finger width, and the median error in m.

    Args:
        heads: The heads.
        first: [B, P, width], hidden at the row that predicts the first action token.
        vectors: [B, P, 3], tool to the meant cube, m.
        turns: [B, P], rad.
        width: [B], m.
    """
    said = heads.relate(first).float()
    target = torch.cat(
        [
            vectors / NEAR_M,
            turns[..., None] / TURN_RAD,
            (width / WIDTH_M - 1.0)[:, None, None].expand(-1, vectors.shape[1], -1),
        ],
        dim=-1,
    )
    away = said - target
    loss = FINE * _mean(_smooth(away), away.numel())
    error = (said.detach()[..., :3] - target[..., :3]).norm(dim=-1).median() * NEAR_M
    return loss, error


def goal_loss(heads: Heads, first: Tensor, vectors: Tensor, there: Tensor):
    """Return the loss of the vector to the second thing named, and its median error in m.

    Args:
        heads: The heads.
        first: [B, P, width], hidden at the row that predicts the first action token.
        vectors: [B, P, 3], tool to the bin or to the cube to stack on, m.
        there: bool [B, P], whether the instruction names one.
    """
    said = heads.goal_relate(first).float()
    error = said - vectors / NEAR_M
    loss = FINE * _mean(_smooth(error[there]), error[there].numel())
    return loss, error.detach().norm(dim=-1)[there].median() * NEAR_M
