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

"""One pass of greedy decoding in operators that ONNX Runtime alone has, for few and large nodes.

A pass over one token of a small model takes as long as its nodes are many: ONNX's own operators
need some fifty a layer, these nine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
import torch.nn.functional as F

from vla_accel_ros.engines.interface import Tensors
from vla_accel_ros.engines.onnx.nodes import Nodes
from vla_accel_ros.engines.onnx.signature import Port
from vla_accel_ros.engines.onnx.step import Step
from vla_accel_ros.engines.programs.decoder import Loop, tapped
from vla_accel_ros.layers.llama import DecoderLayer, RMSNorm, SelfAttention
from vla_accel_ros.layers.rotary import rotate

if TYPE_CHECKING:
    from onnxscript import ir

DOMAIN = 'com.microsoft'
# Its rotation takes so many channels at once.
CHANNELS = 16


@dataclass(frozen=True)
class OwnStep:
    """One pass of a loop; it can be exported, but not run.

    In: `token` and `position` as for `Loop`; `seen` int32 [slots], the rows that each slot holds,
    and `filled`, those with the new one; for each slot s `keys.s` and `values.s` [B, kv heads,
    capacity, head width]. Out: the same for the next pass, `peak` [B, 1], and `queries.l`
    [B, heads, 1, head width] of each tapped layer.

    Attributes:
        loop: The loop.
    """

    loop: Loop
    name = 'step'

    @staticmethod
    def fits(loop: Loop) -> bool:
        """Say whether ONNX Runtime's operators do what the layers of a loop do."""
        config = loop.decoder.config
        whole = not config.drop_attention and not config.drop_mlp and not config.norm_adds_one
        return whole and config.head_width % CHANNELS == 0

    @property
    def made(self) -> tuple[str, ...]:
        """Names of keys and values, slot by slot."""
        return Step(self.loop).made

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tensors that go in."""
        return ('token', 'position', 'seen', 'filled', *self.made)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors that come out."""
        queries = (f'queries.{layer}' for layer in self.loop.taps)
        return (*self.inputs, 'peak', *queries)

    def ports(self, inputs: Sequence[Port]) -> tuple[Port, ...]:
        """Give the inputs of a pass, from those of the loop; see `Step.ports`."""
        config, (token, position, store, _) = self.loop.decoder.config, inputs
        counts = (Port(name, torch.int32, (config.layers,)) for name in ('seen', 'filled'))
        rows = store.shape[2:]
        made = (Port(name, store.dtype, rows) for name in self.made)
        return (token, position, *counts, *made)

    def begin(self, nodes: Nodes, given: Sequence[ir.Value]) -> dict[str, ir.Value | None]:
        """Give what goes into the first pass; see `Step.begin`."""
        from onnxscript import ir

        token, position, store, lengths = given
        config, parts = self.loop.decoder.config, len(self.made)
        seen = nodes.add('Cast', [lengths], to=ir.DataType.INT32)
        one = nodes.constant('one', np.ones(1, np.int32))
        sizes = np.array([parts, 1, config.kv_heads, -1, config.head_width])
        rows = nodes.add('Reshape', [store, nodes.constant('sizes_of_parts', sizes)])
        axis = nodes.constant('axis_of_parts', np.zeros(1, np.int64))
        made = [
            nodes.add('Squeeze', [part, axis])
            for part in nodes.split('Split', [rows], parts, axis=0, num_outputs=parts)
        ]
        return {
            'token': token,
            'position': position,
            'seen': seen,
            'filled': nodes.add('Add', [seen, one]),
            **dict(zip(self.made, made, strict=True)),
        }

    def new(
        self, nodes: Nodes, state: Mapping[str, ir.Value | None], given: Sequence[ir.Value]
    ) -> ir.Value:
        """Give keys and values of all passes; see `Step.new`."""
        config, count, lengths = self.loop.decoder.config, self.loop.count, given[-1]
        axis = nodes.constant('axis_of_rows', np.ones(1, np.int64))
        begins = nodes.add('Unsqueeze', [lengths, axis])
        steps = nodes.constant('passes', np.arange(count)[None])
        places = nodes.add('Add', [begins, steps])
        first = nodes.constant('axis_of_slots', np.zeros(1, np.int64))
        rows = [
            nodes.add('Squeeze', [part, first])
            for part in nodes.split(
                'Split', [places], config.layers, axis=0, num_outputs=config.layers
            )
        ]
        found = [
            nodes.add('Gather', [state[name], rows[index // 2]], axis=2)
            for index, name in enumerate(self.made)
        ]
        sizes = np.array([config.layers, 2, 1, config.kv_heads, count, config.head_width])
        whole = nodes.joined(found, 0)
        return nodes.add('Reshape', [whole, nodes.constant('sizes_of_new', sizes)])

    def run(self, given: Tensors, room: Tensors) -> dict[str, Tensor]:
        """Run the pass, while it is traced; see `Program.run`."""
        decoder, taps = self.loop.decoder, self.loop.taps
        layers: list[DecoderLayer] = list(decoder.layers)  # type: ignore[arg-type]
        x = decoder.embed_tokens(given['token'])
        rope = decoder.rope(given['position'], x)
        half = decoder.config.head_width // 2
        table = decoder.rotary.table.to(x.dtype)
        # See `rope_table`: cosines twice, then sines twice, of which the first are negative.
        turns = table[:, :half], table[:, -half:]
        ones = [1] * len(layers)
        seen, filled = (given[name].split_with_sizes(ones) for name in ('seen', 'filled'))
        norms = [layer.input_layernorm for layer in layers[1:]]
        normed, queries, made = _norm(layers[0].input_layernorm, x), {}, []
        for slot, (layer, after) in enumerate(zip(layers, [*norms, decoder.norm], strict=True)):
            attention, mlp = layer.self_attn, layer.mlp
            assert attention is not None and mlp is not None
            projected = _projected(attention, normed)
            if slot + 1 in taps:
                one = projected[0][..., : attention.heads * attention.head_width]
                heads = one.view(1, attention.heads, 1, attention.head_width)
                queries[slot + 1] = rotate(heads, rope)
            read, keys, values = _grouped_attention(
                attention,
                projected,
                (given[f'keys.{slot}'], given[f'values.{slot}']),
                (seen[slot], filled[slot]),
                turns,
                given['position'],
            )
            made += [keys, values]
            out = attention.o_proj(read)
            normed, x = _added_norm(layer.post_attention_layernorm, out, x)
            normed, x = _added_norm(after, mlp(normed), x)
        peak, token = self.loop.head(normed)[:, 0].max(-1, keepdim=True)
        return {
            'token': token,
            'position': given['position'] + 1,
            'seen': given['filled'],
            'filled': given['filled'] + 1,
            **dict(zip(self.made, made, strict=True)),
            'peak': peak,
            **tapped(queries),
        }


def _projected(attention: SelfAttention, x: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Give queries, keys and values of x, all of them as the first where they are packed."""
    packed = attention.matrix()
    if packed is not None:
        return F.linear(x, packed), None, None
    return attention.q_proj(x), attention.k_proj(x), attention.v_proj(x)


def _grouped_attention(
    attention: SelfAttention,
    projected: tuple[Tensor, Tensor | None, Tensor | None],
    held: tuple[Tensor, Tensor],
    counts: tuple[Tensor, Tensor],
    turns: tuple[Tensor, Tensor],
    position: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Rotate, put keys and values behind those that are held, and attend.

    Returns:
        What is read [1, 1, width], keys and values, both as those that are held.
    """
    # The first count is of what is held already: the operator takes all rows, less one.
    return tuple(
        torch.onnx.ops.symbolic_multi_out(
            f'{DOMAIN}::GroupQueryAttention',
            [*projected, *held, *counts, *turns, position],
            {'num_heads': attention.heads, 'kv_num_heads': attention.kv_heads, 'do_rotary': 1},
            dtypes=[held[0].dtype] * 3,
            shapes=[(1, 1, attention.o_proj.in_features), held[0].shape, held[1].shape],
            version=1,
        )
    )


def _norm(norm: RMSNorm, x: Tensor) -> Tensor:
    """Normalise in the form in which ONNX Runtime knows it as one operation."""
    return x / torch.sqrt(x.square().mean(-1, keepdim=True) + norm.eps) * norm.weight


def _added_norm(norm: RMSNorm, x: Tensor, more: Tensor) -> tuple[Tensor, Tensor]:
    """Add two, and give the norm of the sum, and the sum."""
    normed, _, _, whole = torch.onnx.ops.symbolic_multi_out(
        f'{DOMAIN}::SkipSimplifiedLayerNormalization',
        [x, more, norm.weight],
        {'epsilon': norm.eps},
        dtypes=[x.dtype] * 4,
        shapes=[x.shape] * 4,
        version=1,
    )
    return normed, whole
