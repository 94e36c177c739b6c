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

"""The parts of a run, the most important first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MACHINE, TESTS = 'machine', 'tests'
COMPILE, TENSORRT = 'compile', 'tensorrt'
ARMS = 'arms'
COMPILING = (COMPILE, 'cuda_graph_compile')
# Making these ready takes minutes, in which no other engine would be measured.
SLOW = (TENSORRT, *COMPILING)
EAGER, PLAIN = 'eager', 'transformers'
METHODS = ('fastv', 'sp_vla', 'specprune', 'vla_pruner')
# Of SP-VLA where there is no OpenCV to look for edges with.
WITHOUT_EDGES = 'sp_vla@edges=false'
KEEPS = '0.5,0.25'
DECODERS = 'greedy,verify,jacobi'


@dataclass(frozen=True)
class Scale:
    """What a run is made with.

    Attributes:
        device: As torch names it.
        tokens: Model that answers in tokens, as `--model` of bench names it.
        slots: Model that answers in one pass.
        rounds: Answers of each case that count.
        warm_up: Answers before these.
        engines: Those that are tried; eager is measured in any case.
        words: Further ones for every measurement.
    """

    device: str
    tokens: str
    slots: str
    rounds: int
    warm_up: int
    engines: tuple[str, ...]
    words: tuple[str, ...] = ()


FULL = Scale('cuda', 'openvla-7b', 'openvla-7b-oft', 60, 8, (EAGER, 'cuda_graph', *SLOW))
# VLA-Pruner takes three steps before it prunes. Other engines would be built first, for minutes.
REHEARSAL = Scale('cpu', 'tabletop-s', 'tabletop-m-oft', 2, 4, (EAGER,), ('--threads', '1'))


@dataclass(frozen=True)
class Part:
    """A part of a run: a process of its own.

    Attributes:
        name: What it is called, and its file.
        seconds: It is stopped after these.
        words: Of the command line, behind the interpreter.
    """

    name: str
    seconds: float
    words: tuple[str, ...]


def first_parts(scale: Scale, folder: Path) -> list[Part]:
    """Give what says what there is, and whether it works."""
    return [
        Part(
            MACHINE,
            240,
            (
                'benchmarks.gpu.machine',
                scale.device,
                ','.join(scale.engines),
                str(folder / f'{MACHINE}.json'),
            ),
        ),
        Part(TESTS, 150, ('benchmarks.gpu.marked', str(folder / f'{TESTS}.json'))),
    ]


def measured_parts(
    scale: Scale, folder: Path, engines: Sequence[str], plain: bool, edges: bool = True
) -> list[Part]:
    """Give what measures.

    Args:
        scale: What with.
        folder: Where the results go.
        engines: Those that work on this device, eager first.
        plain: Whether transformers is installed.
        edges: Whether OpenCV is.
    """
    pruning = [WITHOUT_EDGES if name == 'sp_vla' and not edges else name for name in METHODS]
    baselines = [PLAIN] if plain else []

    def bench(
        name: str,
        seconds: float,
        model: str,
        methods: Sequence[str],
        names: Sequence[str],
        *more: str,
    ) -> Part:
        words = [
            'vla_accel_ros.cli',
            'bench',
            *('--model', model, '--random-weights', '--device', scale.device),
            *('--engines', ','.join(names), '--methods', ','.join(methods)),
            *('--rounds', str(scale.rounds), '--warm-up', str(scale.warm_up)),
            *('--out', str(folder / f'{name}.json')),
        ]
        return Part(name, seconds, (*words, *scale.words, *more))

    exact = ('--decoders', DECODERS)
    fast = [name for name in engines if name not in SLOW]
    compiling = [name for name in engines if name in COMPILING]
    pruned = ('--keep', KEEPS)
    # Pruning is measured on top of the fastest way to run what is not pruned: the reader needs
    # eager beside it, and nothing else.
    others = [name for name in fast if name != EAGER]
    two = [EAGER, *(['cuda_graph'] if 'cuda_graph' in others else others[:1])]
    parts = [
        bench('exact', 330, scale.tokens, [*baselines, 'none'], fast, *exact),
        bench('slots', 310, scale.slots, [*baselines, 'none', *pruning], fast, *pruned),
        bench('pruned', 370, scale.tokens, ['none', *pruning], two, *pruned, *exact),
    ]
    # Of one process alone: eight copies of the weights leave no room for what they compute.
    rounds = ('--arms', '1,8', '--turns', '2', '--seconds', str(scale.rounds / 6))
    model = ('--model', scale.tokens, '--device', scale.device, '--decoder', 'verify')
    out = ('--out', str(folder / f'{ARMS}.json'))
    words = ('benchmarks.arms', *model, *rounds, '--only-one', *out)
    parts.append(Part(ARMS, 100, words))
    greedy = ('--decoders', 'greedy')
    if TENSORRT in engines:
        parts.append(bench(TENSORRT, 400, scale.tokens, ['none'], [EAGER, TENSORRT], *greedy))
    if compiling:
        parts.append(bench(COMPILE, 400, scale.tokens, ['none'], [EAGER, *compiling], *greedy))
    return parts
