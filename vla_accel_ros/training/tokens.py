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

"""Action labels: from metres and radians to soft targets over bins and jittered input tokens."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.action_space import END_EFFECTOR, ActionSpace

# Least range of a column, m and rad: a finer scale would spend its bins on what no arm does.
LEAST_M, LEAST_RAD = 1e-3, 0.02


def statistics(actions: np.ndarray, space: ActionSpace = END_EFFECTOR) -> dict:
    """Return OpenVLA's statistics of actions [n, width]: q01, q99, min, max, mean, std, mask.

    Every column is normalised by its quantiles but the grippers, as OpenVLA has it.

    The quantiles are made symmetric, so that standing still is the exact centre of a bin, and a
    column that hardly moves gets a range all the same, for its values are divided by it.
    """
    actions = np.asarray(actions, dtype=np.float64)
    low, high = np.quantile(actions, 0.01, axis=0), np.quantile(actions, 0.99, axis=0)
    reach = np.maximum(np.maximum(-low, high), space.spread(LEAST_M, LEAST_RAD, gripper=1.0))
    reach[space.grippers] = 1.0
    mask = np.ones(space.width, bool)
    mask[space.grippers] = False
    named = {
        'mean': actions.mean(0),
        'std': actions.std(0),
        'max': actions.max(0),
        'min': actions.min(0),
        'q01': -reach,
        'q99': reach,
    }
    return {'action': {k: v.tolist() for k, v in named.items()} | {'mask': mask.tolist()}}


def places(normalised: np.ndarray, bins: int = 256) -> np.ndarray:
    """Return where normalised values lie on the axis of bin indices 0 ... bins - 2, unrounded."""
    return (np.clip(normalised, -1.0, 1.0) + 1.0) * 0.5 * (bins - 1) - 0.5


def soft_cross_entropy(logits: Tensor, target: Tensor, spread: float, bins: int = 256) -> Tensor:
    """Return the cross-entropy against a Gaussian over neighbouring bins.

    Args:
        logits: [..., tokeniser's vocabulary]: its last columns are the bins, in reverse.
        target: [...], labels on the axis of bin indices; see `places`.
        spread: Standard deviation in bins.
        bins: Edges, one more than there are bins.

    Returns:
        [...], nats above the label's own entropy.
    """
    wide = logits.float()
    index = torch.arange(bins - 1, device=logits.device, dtype=torch.float32)
    away = (index - target[..., None].clamp(0, bins - 2)) / spread
    label = (-0.5 * away.square()).softmax(-1)
    entropy = -(label * label.clamp_min(1e-12).log()).sum(-1)
    return wide.logsumexp(-1) - (label * wide[..., 1 - bins :].flip(-1)).sum(-1) - entropy


def jitter(target: Tensor, spread: float, generator: torch.Generator, bins: int = 256) -> Tensor:
    """Return teacher-forced input indices: the label moved by a few bins at random.

    Without it only the exact labels are ever inputs; at run time the model says a neighbouring
    bin with equal right, whose embedding was never trained, and the next tokens are noise.

    Args:
        target: [...], labels on the axis of bin indices, on the CPU.
        spread: Standard deviation in bins.
        generator: Source of the noise.
        bins: Edges, one more than there are bins.
    """
    noise = torch.randn(target.shape, generator=generator) * spread
    return (target + noise).round().long().clamp(0, bins - 2)
