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

"""What is compared: methods as `--methods` of eval names them, and the plain Hugging Face path."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vla_accel_ros.acceleration import Method, grammar
from vla_accel_ros.acceleration.components import BASELINE
from vla_accel_ros.acceleration.settings import make
from vla_accel_ros.bench.names import EAGER, PLAIN
from vla_accel_ros.decoding.greedy import Greedy
from vla_accel_ros.decoding.jacobi import Relaxed
from vla_accel_ros.decoding.registry import DECODERS
from vla_accel_ros.models.heads import drafts
from vla_accel_ros.pruning.early import AFTER_LAYER
from vla_accel_ros.pruning.parameters import FIXED
from vla_accel_ros.pruning.registry import parameters_of

OWN = 'own'
SINGLE_PASS = 'single pass'
# A draft that is given is made from the model's own answer: that, or another token throughout.
RIGHT, WRONG = GIVEN = ('right', 'wrong')
# What an entry of `--decoders` may set.
OF_DECODING = {'decoder', 'relaxed_bins', 'draft'}
GREEDY = Greedy.name


@dataclass(frozen=True)
class Case:
    """One row of the comparison.

    Attributes:
        method: What is measured, its scheduling apart; None for the plain path.
        draft: What is verified: `right`, `wrong`, `previous` (the last answer) or `none`.
        single_pass: Whether the model answers in one pass, so that there is nothing to decode.
        asked: The method as it was given, before a decoder was written into it; empty for the
            method's own name.
        engine: What runs the model, as `--engines` has it.
    """

    method: Method | None
    draft: str = drafts.NONE
    single_pass: bool = False
    asked: str = ''
    engine: str = EAGER

    @property
    def name(self) -> str:
        """What it is called in tables and in JSON, unique among those of an engine."""
        if self.method is None:
            return PLAIN
        return f'{self.method.name}, wrong draft' if self.draft == WRONG else self.method.name

    @property
    def pruner(self) -> str:
        """The pruning method, or `PLAIN`."""
        return PLAIN if self.method is None else self.method.pruning

    @property
    def parameters(self) -> dict[str, Any]:
        """The pruning method's parameters that are not at their defaults."""
        return {} if self.method is None else dict(self.method.pruning_parameters)

    @property
    def keep(self) -> float | None:
        """The keep ratio asked for; None where there is none or the method finds its own count."""
        if self.method is None:
            return None
        values = {name: each.default for name, each in parameters_of(self.pruner).items()}
        values |= self.parameters
        return values.get('keep') if values.get('budget', FIXED) == FIXED else None

    @property
    def pruning(self) -> tuple[object, ...]:
        """What decides the tokens that are kept: equal for cases that keep the same ones."""
        return self.pruner, *(self.method.pruning_parameters if self.method else ())

    @property
    def decoder(self) -> str:
        """The decoder's name; greedy where nothing is decoded token by token."""
        if self.single_pass or self.method is None:
            return GREEDY
        return self.method.decoder

    @property
    def decoding(self) -> str:
        """How tokens are decoded and from which draft, in words."""
        if self.single_pass:
            return SINGLE_PASS
        if self.method is None or self.method.decoder == GREEDY:
            return GREEDY
        text = self.method.decoder
        if text == Relaxed.name:
            text = f'{text} by {self.method.relaxed_bins}'
        return f'{text}, {"no" if self.draft == drafts.NONE else self.draft} draft'

    @property
    def greedy(self) -> bool:
        """Whether other decoders' answers are held against its own."""
        return self.decoding in (GREEDY, SINGLE_PASS)


def cases(
    text: str,
    keeps: Sequence[str] = (),
    decoders: str = '',
    layer: int = 0,
    given: Sequence[str] = (RIGHT,),
    single_pass: bool = False,
) -> list[list[Case]]:
    """Return what is compared.

    Keep ratios, decoders and the layer are written into the methods that say nothing of them, in
    the same language: `fastv` and the ratio 0.5 make `fastv@keep=0.5`.

    Args:
        text: Methods as `acceleration.grammar` reads them, and `PLAIN`.
        keeps: Ratios, and `own` for the count of a method that finds its own; none leaves
            methods as they are.
        decoders: Decoders as the grammar reads them, `greedy,jacobi@draft=previous`; empty
            leaves methods as they are.
        layer: Decoder layer after which methods drop that drop after one; 0 for each one's own.
        given: Which drafts are given, of `GIVEN`.
        single_pass: Whether the model answers in one pass; there is nothing to decode then.

    Returns:
        Cases that keep the same tokens together, greedy decoding first.

    Raises:
        ValueError: When something cannot be read, comes twice, or nothing is left.
    """
    ratios = [_keep(entry) for entry in keeps]
    ways = [] if single_pass else [_decoder(entry) for entry in grammar.split(decoders)]
    if unknown := [draft for draft in given if draft not in GIVEN]:
        raise ValueError(f"given draft is '{unknown[0]}', expected {' or '.join(GIVEN)}")
    groups: dict[tuple[object, ...], list[Case]] = {}
    for piece in grammar.split(text):
        for case in _of_piece(piece, ratios, ways, layer, given, single_pass):
            groups.setdefault(case.pruning, []).append(case)
    found = [sorted(group, key=lambda case: not case.greedy) for group in groups.values()]
    if not found:
        raise ValueError('nothing to compare, expected at least one method that has a keep ratio')
    names = [case.name for group in found for case in group]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"method '{twice[0]}' comes twice")
    return found


def on_engine(groups: Sequence[Sequence[Case]], engine: str) -> list[list[Case]]:
    """Give the cases for an engine; the plain path is measured beside eager alone."""
    found = [
        [replace(case, engine=engine) for case in group if case.method or engine == EAGER]
        for group in groups
    ]
    return [group for group in found if group]


def scheduled(found: Iterable[Case]) -> list[str]:
    """Return the methods whose scheduling is left out, by the names before the @."""
    unaccelerated = make(BASELINE, '', {}).scheduler
    named = [
        case.method.name.partition('@')[0]
        for case in found
        if case.method is not None and case.method.scheduler != unaccelerated
    ]
    return list(dict.fromkeys(named))


def _of_piece(
    piece: str,
    ratios: Sequence[float | None],
    ways: Sequence[str],
    layer: int,
    given: Sequence[str],
    single_pass: bool,
) -> list[Case]:
    head, _, settings = piece.partition('@')
    if head.strip() == PLAIN:
        if settings:
            raise ValueError(f"{PLAIN} is the plain path and has no parameters, got '{settings}'")
        return [Case(None, single_pass=single_pass)]
    texts = [
        (pruned, decoded)
        for pruned in _with_pruning(piece, ratios, layer)
        for decoded in _with_decoders(pruned, ways)
    ]
    found = []
    for pruned, decoded in texts:
        method = grammar.parse(decoded)
        draft = drafts.NONE if single_pass or method.decoder == GREEDY else method.draft
        for source in given if draft == drafts.GIVEN else [draft]:
            found.append(Case(method, source, single_pass, pruned))
    return found


def _with_pruning(piece: str, ratios: Sequence[float | None], layer: int) -> list[str]:
    """Write layer and keep ratios into a method that prunes and says nothing of them."""
    said = grammar.said(piece)
    # What the method means, a keep ratio without a pruning method among it.
    pruner = grammar.parse(piece).pruning
    known = {name: each.default for name, each in parameters_of(pruner).items()}
    place = said.get('place', known.get('place', AFTER_LAYER))
    if layer and 'layer' in known and 'layer' not in said and place == AFTER_LAYER:
        piece = grammar.extended(piece, layer=layer)
    if 'keep' not in known or {'keep', 'budget'} & set(said) or not ratios:
        return [piece]
    return [
        piece if ratio is None else grammar.extended(piece, keep=f'{ratio:g}')
        for ratio in ratios
        if ratio is not None or 'budget' in known
    ]


def _with_decoders(piece: str, ways: Sequence[str]) -> list[str]:
    """Write each decoder into a method that names none."""
    if not ways or 'decoder' in grammar.said(piece):
        return [piece]
    return [piece if way == GREEDY else grammar.joined(piece, way) for way in ways]


def _keep(text: str) -> float | None:
    """Read a keep ratio in (0, 1], or `own`, which gives None."""
    if text == OWN:
        return None
    try:
        keep = float(text)
    except ValueError:
        keep = 0.0
    if not 0 < keep <= 1:
        raise ValueError(f"keep is '{text}', expected {OWN} or a ratio above 0 and at most 1")
    return keep


def _decoder(text: str) -> str:
    """Check an entry of `--decoders`: a decoder, with its draft or bins behind an @."""
    named = text.partition('@')[0].strip() in DECODERS
    said = grammar.said(text) if named else {}
    if not named or set(said) - OF_DECODING:
        raise ValueError(f"decoder is '{text}', expected one of {', '.join(DECODERS)}")
    if said['decoder'] == GREEDY and len(said) > 1:
        raise ValueError(f"'{text}': greedy decoding looks at no draft")
    return text
