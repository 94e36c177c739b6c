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

"""Greedy decoding written down plainly, for what decodes otherwise to be compared with."""

import torch


def decode_greedily(model, logits, length, count, cache):
    """Decode one token after the other.

    Args:
        model: The model.
        logits: [B, vocabulary] of the prompt's last token.
        length: Position of the first new token, the prompt's full length.
        count: Tokens.
        cache: Holds the prompt.

    Returns:
        Tokens int64 [B, count], and the logit of each one [B, count].
    """
    tokens, peaks = [], []
    for step in range(count):
        if step:
            position = torch.tensor([[length + step - 1]])
            logits = model.decode_one_token(tokens[-1], position, cache)
        peak, token = logits.max(-1)
        tokens.append(token)
        peaks.append(peak)
    return torch.stack(tokens, 1), torch.stack(peaks, 1)
