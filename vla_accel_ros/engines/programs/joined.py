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

"""Calls of several inferences as one run of a program, each with shapes and memory of its own.

Towers and projector take images of equal size as a batch. The decoder's programs take rows behind
one another (`layers.several`), so that sequences may differ in length, in what was dropped from
them and in what their memory holds. What comes out is equal to single runs but for rounding.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vla_accel_ros.engines.interface import Program, Tensors
from vla_accel_ros.engines.programs.call import Call
from vla_accel_ros.engines.programs.decoder import Loop, Pass, Span, memory_of, tapped
from vla_accel_ros.engines.programs.half_towers import TowersBegin
from vla_accel_ros.engines.programs.vision import Vision
from vla_accel_ros.layers.attending import Own, run_layers
from vla_accel_ros.layers.memory import Memory
from vla_accel_ros.layers.several import Several, behind_one_another

# Programs that are joined, in the order of an inference: one that is behind is let catch up.
STAGES = ('vision', 'vision_begin', 'projector', 'span', 'lm_head', 'pass', 'loop')
Outputs = list[dict[str, Tensor]]


@dataclass(frozen=True, eq=False)
class Asked:
    """One call of a program; see `Program.run`.

    Attributes:
        program: The program.
        given: The inputs by name.
        room: Memory for outputs by name.
    """

    program: Program
    given: Tensors
    room: Tensors


def stage_of(program: Program) -> tuple[int, int]:
    """Say how far an inference is that calls a program: stage, and first layer of a span."""
    return STAGES.index(program.name), getattr(program, 'first', 0)


def key_of(asked: Asked) -> Hashable | None:
    """Give what calls have in common that can be joined; None for one that is run alone."""
    program, given = asked.program, asked.given
    if isinstance(program, Span | Pass | Loop):
        return program
    if isinstance(program, Vision | TowersBegin):
        return program, tuple(given['pixels'].shape)
    if isinstance(program, Call) and program.inputs == ('rows',) and program.name == 'lm_head':
        return program
    if isinstance(program, Call) and program.inputs == ('features',):
        return program, tuple(given['features'].shape)
    return None


def run_joined(asked: Sequence[Asked]) -> Outputs:
    """Run calls of equal `key_of` as one.

    Args:
        asked: At least one call, each of a single sample.

    Returns:
        What each of them gives.
    """
    program = asked[0].program
    if isinstance(program, Span):
        return _span(program, asked)
    if isinstance(program, Pass):
        return _pass(program, asked)
    if isinstance(program, Loop):
        return _loop(program, asked)
    return _stacked(program, asked)


def _stacked(program: Program, asked: Sequence[Asked]) -> Outputs:
    """Put inputs behind one another in their first axis, and cut outputs there."""
    whole = {name: torch.cat([each.given[name] for each in asked]) for name in program.inputs}
    done = program.run(whole, {})
    counts = [len(each.given[program.inputs[0]]) for each in asked]
    parts = {name: torch.split(tensor, counts) for name, tensor in done.items()}
    return [{name: parts[name][index] for name in parts} for index in range(len(asked))]


def _span(program: Span, asked: Sequence[Asked]) -> Outputs:
    decoder, givens = program.decoder, [each.given for each in asked]
    x = torch.cat([given['x'] for given in givens], 1)
    if program.narrowed:
        before = [given['x'].shape[1] for given in givens]
        x = x.index_select(1, behind_one_another([given['stay'] for given in givens], before))
    counts = [len(given['positions']) for given in givens]
    rows, wanted = None, None
    if 'rows' in program.inputs:
        rows = behind_one_another([given['rows'] for given in givens], counts)
        wanted = [len(given['rows']) for given in givens]
    rope = decoder.rope(torch.cat([given['positions'] for given in givens])[None], x)
    own = [
        Own(
            program.slots,
            program.causal,
            each.given.get('rows'),
            each.room.get('new'),
            program.apart,
        )
        for each in asked
    ]
    attend = Several(own, counts, wanted)
    x, queries = program.run_rows(x, rope, attend, rows)
    outputs: Outputs = [{} for _ in asked]
    if not program.keys_only:
        for output, part in zip(outputs, torch.split(x, attend.cuts(x.shape[1]), 1), strict=True):
            output['x'] = part
    if program.slots:
        for output, one in zip(outputs, own, strict=True):
            output['new'] = one.new
    _add_queries(outputs, {layer: attend.split(each) for layer, each in queries.items()})
    return outputs


def _memories(asked: Sequence[Asked]) -> list[Memory]:
    return [
        memory_of(each.given, each.room, getattr(each.program, 'held', None)) for each in asked
    ]


def _pass(program: Pass, asked: Sequence[Asked]) -> Outputs:
    memories = _memories(asked)
    tokens = [each.given['tokens'] for each in asked]
    counts = [each.shape[1] for each in tokens]
    for memory, count in zip(memories, counts, strict=True):
        memory.begin(count)
    attend = Several(memories, counts)
    positions = torch.cat([each.given['positions'] for each in asked], 1)
    whole, queries = program.run_rows(torch.cat(tokens, 1), positions, attend)
    logits = torch.split(whole, counts, 1)
    outputs: Outputs = [
        {'logits': part, 'new': memory.new} for part, memory in zip(logits, memories, strict=True)
    ]
    _add_queries(outputs, {layer: attend.split(each) for layer, each in queries.items()})
    return outputs


def _loop(program: Loop, asked: Sequence[Asked]) -> Outputs:
    decoder, memories = program.decoder, _memories(asked)
    attend, depth = Several(memories, [1] * len(asked)), decoder.config.layers
    token = torch.cat([each.given['token'] for each in asked], 1)
    begins = torch.cat([each.given['position'] for each in asked], 1)
    places = begins + torch.arange(program.count, device=token.device)[:, None]
    cosines, sines = decoder.rope(places, decoder.embed_tokens.weight)
    tokens, peaks, looks = [], [], []
    for step in range(program.count):
        for memory in memories:
            memory.begin(1)
        x = decoder.embed_tokens(token)
        rope = cosines.narrow(0, step, 1), sines.narrow(0, step, 1)
        x, queries = run_layers(decoder, 0, depth, x, rope, attend, program.taps)
        peak, token = program.head(decoder.norm(x)).max(-1)
        tokens.append(token)
        peaks.append(peak)
        looks.append(queries)
    # [arms, count]: a step's tokens stand in a row.
    chosen, heights = torch.cat(tokens).T, torch.cat(peaks).T
    outputs: Outputs = [
        {'tokens': chosen[index, None], 'peaks': heights[index, None], 'new': memory.new}
        for index, memory in enumerate(memories)
    ]
    whole = {layer: torch.stack([step[layer] for step in looks], 3) for layer in program.taps}
    _add_queries(outputs, {layer: list(each.unbind(2)) for layer, each in whole.items()})
    return outputs


def _add_queries(outputs: Outputs, by_layer: dict[int, list[Tensor]]) -> None:
    for index, output in enumerate(outputs):
        output |= tapped({layer: parts[index] for layer, parts in by_layer.items()})


def groups(asked: Sequence[Asked], most: int) -> list[list[int]]:
    """Say which calls run as one, by place: those of the earliest stage, equal keys together.

    Args:
        asked: Calls that can be joined.
        most: Largest group.
    """
    first = min(stage_of(each.program) for each in asked)
    by_key: dict[Hashable, list[int]] = {}
    for place, each in enumerate(asked):
        if stage_of(each.program) == first:
            by_key.setdefault(key_of(each), []).append(place)
    return [
        places[begin : begin + most]
        for places in by_key.values()
        for begin in range(0, len(places), most)
    ]
