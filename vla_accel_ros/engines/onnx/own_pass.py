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

"""A pass of a few tokens in operators that ONNX Runtime alone has; see `own_layers`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vla_accel_ros.engines.interface import Tensors
from vla_accel_ros.engines.onnx.own_layers import Held, run_layers
from vla_accel_ros.engines.programs.decoder import Pass, tapped


@dataclass(frozen=True)
class OwnPass:
    """A pass; it can be exported, but not run. Inputs and outputs are those of `Pass`.

    Attributes:
        whole: The pass.
    """

    whole: Pass
    name = 'pass'

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tensors that go in."""
        return self.whole.inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors that come out."""
        return self.whole.outputs

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Run the tokens, while it is traced; see `Program.run`."""
        decoder, store, lengths = self.whole.decoder, given['store'], given['lengths']
        count = given['tokens'].shape[1]
        filled = (lengths + count).to(torch.int32)
        parts = [(slot[0], slot[1]) for slot in store.unbind(0)]
        x = decoder.embed_tokens(given['tokens'])
        held = Held(parts, filled - 1, filled)
        x, made, queries = run_layers(decoder, x, given['positions'], held, self.whole.taps)
        places = lengths[:, None] + torch.arange(count, device=store.device)
        new = [part.index_select(2, places[index // 2]) for index, part in enumerate(made)]
        return {
            'logits': self.whole.head(x),
            'new': torch.stack(new).view(-1, 2, *new[0].shape),
            **tapped(queries),
        }
