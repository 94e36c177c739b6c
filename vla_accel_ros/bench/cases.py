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

"""What is compared: pruning method, keep ratio and decoder, as written on the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vla_accel_ros.bench.names import PLAIN
from vla_accel_ros.decoding.registry import DECODERS
from vla_accel_ros.pruning.registry import METHODS, make_parameters, own_values, parameters_of

NONE = 'none'
OWN = 'own'
SINGLE_PASS = 'single pass'
# The draft is the model's own answer, something else throughout, its previous answer, nothing.
RIGHT, WRONG, PREVIOUS, NOTHING = DRAFTS = ('right', 'wrong', 'previous', 'none')


@dataclass(frozen=True)
class Pruning:
    """A pruning method as it is run.

    Attributes:
        label: The method as written on the command line.
        method: Its name, or `PLAIN`.
        keep: The keep ratio, or None where the method finds its own count.
        parameters: All parameters that are not left at their defaults.
    """

    label: str
    method: str
    keep: float | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        """What it is called in tables."""
        return self.label if self.keep is None else f'{self.label} {self.keep:g}'


@dataclass(frozen=True)
class Decoding:
    """A decoder as it is run.

    Attributes:
        decoder: Its name, or `SINGLE_PASS`.
        draft: One of `DRAFTS`; no decoder but the drafting ones looks at it.
    """

    decoder: str
    draft: str = NOTHING

    @property
    def name(self) -> str:
        """What it is called in tables."""
        return self.decoder if self.draft == NOTHING else f'{self.decoder}:{self.draft}'


GREEDY = Decoding('greedy')


@dataclass(frozen=True)
class Case:
    """One line of the comparison."""

    pruning: Pruning
    decoding: Decoding

    @property
    def name(self) -> str:
        """What it is called in tables and in JSON, unique in a run."""
        return f'{self.pruning.name}, {self.decoding.name}'


def parse_method(text: str) -> tuple[str, dict[str, Any]]:
    """Read `method` or `method:parameter=value:...`, list entries separated by slashes.

    Raises:
        ValueError: When the method or a parameter is unknown, or a value is out of range.
    """
    name, *settings = text.split(':')
    if name == PLAIN:
        if settings:
            raise ValueError(f'{PLAIN} has no parameters, got {settings}')
        return name, {}
    if name not in METHODS:
        raise ValueError(
            f"pruning method is '{name}', expected one of {', '.join([PLAIN, *METHODS])}"
        )
    table = parameters_of(name)
    parameters = {}
    for setting in settings:
        key, equals, value = setting.partition('=')
        if not equals or key not in table:
            raise ValueError(
                f"'{setting}' is no setting of {name}, expected one of "
                f'{", ".join(f"{known}=..." for known in table)}'
            )
        parameters[key] = table[key].read(value)
    make_parameters(name, **parameters)
    return name, parameters


def parse_keep(text: str) -> float | None:
    """Read a keep ratio in (0, 1], or `own`, which gives None.

    Raises:
        ValueError: When it is neither.
    """
    if text == OWN:
        return None
    try:
        keep = float(text)
    except ValueError:
        keep = 0.0
    if not 0 < keep <= 1:
        raise ValueError(f"keep is '{text}', expected {OWN} or a ratio above 0 and at most 1")
    return keep


def parse_decoder(text: str) -> Decoding:
    """Read `decoder` or `decoder:draft`; without a draft greedy has none, others the right one.

    Raises:
        ValueError: When one of them is unknown, or greedy decoding is given a draft.
    """
    name, colon, draft = text.partition(':')
    if name not in DECODERS:
        raise ValueError(f"decoder is '{name}', expected one of {', '.join(DECODERS)}")
    if name == GREEDY.decoder:
        if colon:
            raise ValueError(f"'{text}': greedy decoding looks at no draft")
        return GREEDY
    draft = draft if colon else RIGHT
    if draft not in DRAFTS:
        raise ValueError(f"draft is '{draft}', expected one of {', '.join(DRAFTS)}")
    return Decoding(name, draft)


def prunings(methods: Iterable[str], keeps: Iterable[str], layer: int = 0) -> list[Pruning]:
    """Combine methods and keep ratios.

    A method that has a budget of its own is run with it for `own`, others are not; settings
    written with a method win over the ratios.

    Args:
        methods: As `parse_method` reads them.
        keeps: As `parse_keep` reads them.
        layer: Decoder layer after which methods drop that drop after one and have not said
            otherwise; 0 for each method's own.

    Raises:
        ValueError: When one cannot be read, or one comes twice.
    """
    ratios = [parse_keep(text) for text in keeps]
    found: list[Pruning] = []
    for text in methods:
        name, settings = parse_method(text)
        known = set() if name == PLAIN else set(parameters_of(name))
        if layer and 'layer' in known:
            settings.setdefault('layer', layer)
        if 'keep' not in known or {'keep', 'budget'} & set(settings):
            own = own_values(name, settings) if known else settings
            found.append(Pruning(text, name, None, own))
            continue
        for keep in ratios:
            if keep is None:
                if 'budget' in known:
                    found.append(Pruning(f'{text} {OWN}', name, None, settings))
                continue
            own = own_values(name, {**settings, 'keep': keep})
            found.append(Pruning(text, name, keep, own))
    _unique([pruning.name for pruning in found], 'method and keep ratio')
    return found


def cases(
    chosen: Iterable[Pruning], decoders: Iterable[str], single_pass: bool = False
) -> list[list[Case]]:
    """Combine prunings and decoders.

    Args:
        chosen: From `prunings`.
        decoders: As `parse_decoder` reads them.
        single_pass: Whether the model answers in one pass, so that there is nothing to decode.

    Returns:
        For each pruning its cases, greedy decoding first.

    Raises:
        ValueError: When there is no case, one decoder cannot be read, or one comes twice.
    """
    ways = [Decoding(SINGLE_PASS)] if single_pass else [parse_decoder(d) for d in decoders]
    _unique([way.name for way in ways], 'decoder')
    ways.sort(key=lambda way: way != GREEDY)
    groups = [
        [
            Case(pruning, way)
            for way in (ways if pruning.method != PLAIN else ways[:1] if single_pass else [GREEDY])
        ]
        for pruning in chosen
    ]
    if not groups or not ways:
        raise ValueError('nothing to compare, expected at least one method and one decoder')
    return groups


def _unique(names: list[str], what: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f'{what} comes twice: {", ".join(twice)}')
