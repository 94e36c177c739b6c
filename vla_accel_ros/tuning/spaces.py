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

"""Which parameters of a method are searched, and in which ranges.

A method is what the grammar of `--methods` says: what it names behind an @ stays as it is, the
rest of what its parts look at is searched, from the values that it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vla_accel_ros.acceleration import Method, grammar
from vla_accel_ros.acceleration.settings import make, pruning_defaults, settings_of
from vla_accel_ros.scheduling.horizon import FIXED
from vla_accel_ros.tuning.dimensions import Dimension, derived

# What a rule looks at. Speeds are those of an arm that is steered by a policy: the nodes allow
# more, at which nothing would ever be intuitive, or everything.
RULES = {
    'velocity': (
        Dimension('v_min', 0.0, 0.4),
        Dimension('w_max', 0.2, 5.0, log=True),
        Dimension('tau', 0.0, 0.9),
        Dimension('gripper_guard', choices=(True, False)),
        Dimension('capacity', 4, 12, integer=True),
    ),
    'planar': (
        Dimension('step_skip', 1, 4, integer=True),
        Dimension('planar_ratio', 0.1, 10.0, log=True),
        Dimension('z_max', 0.05, 1.0, log=True),
        Dimension('min_from_vla', 1, 6, integer=True),
    ),
    'always': (
        Dimension('tau', 0.0, 0.9),
        Dimension('gripper_guard', choices=(True, False)),
        Dimension('capacity', 4, 12, integer=True),
    ),
    'trust': (
        Dimension('trust_linear', 0.01, 0.3, log=True),
        Dimension('trust_angular', 0.1, 4.0, log=True),
        Dimension('trust_share', 0.0, 1.0),
        Dimension('trust_least', 0, 4, integer=True),
        Dimension('trust_flip', 0, 4, integer=True),
        Dimension('trust_longest', 0.1, 0.6, log=True),
    ),
    'never': (),
}
RIDGE = (Dimension('ridge_penalty', 1e-6, 100.0, log=True),)
# What of a pruning method decides what it keeps; the rest is how it was published. Of a method
# that is not listed the keep ratio is searched, if it has one.
PRUNING = {
    'none': (),
    'sp_vla': ('v_low', 'v_high', 'min_mass', 'edges'),
    'vla_pruner': ('keep', 'layer', 'rows'),
    'specprune': ('k_global', 'k_dynamic', 'k_local', 'drop_share'),
    'fastv': ('keep', 'layer', 'rows'),
    'dart': ('keep', 'pivots'),
    'info_entropy': ('keep', 'layer', 'texture_first', 'texture_last'),
    'random': ('keep', 'place'),
}
# The method's own count replaces the ratio where it has one, so these are not searched together.
FIXED_ONLY = {'sp_vla': ('keep', 'edges'), 'specprune': ('keep',)}
# Without a rule the predictor only drafts, and which one drafts best is a question of its own.
DRAFT = Dimension('draft', choices=('given', 'previous'))
DRAFTER = Dimension('predictor', choices=('hold', 'ridge'))
BINS = Dimension('relaxed_bins', 1, 8, integer=True)
OVERLAP = Dimension('overlap', choices=(True, False))


@dataclass(frozen=True)
class Model:
    """What of a checkpoint bounds a range.

    Attributes:
        layers: Layers of its decoder.
        visual_tokens: Visual tokens of an observation.
        chunk: Actions of an answer.
        steps: In which it denoises them; 0 where it does not.
    """

    layers: int
    visual_tokens: int
    chunk: int = 1
    steps: int = 0


@dataclass(frozen=True)
class Space:
    """A method and what is searched of it.

    Attributes:
        method: What the search begins from.
        dimensions: The parameters searched.
    """

    method: Method
    dimensions: tuple[Dimension, ...]

    @property
    def name(self) -> str:
        """The method's, and the study's."""
        return self.method.name

    @property
    def start(self) -> dict[str, object]:
        """The values that the method has."""
        return {key: current(self.method)[key] for key in (d.name for d in self.dimensions)}

    def with_values(self, values: Mapping[str, object], name: str) -> Method:
        """Return the method with other values.

        Raises:
            ValueError: When they do not go together.
        """
        settings = settings_of(self.method)
        nested = settings.pop('pruning_parameters')
        return make(name, self.method.summary, {**settings, **nested, **values})

    def to_dict(self) -> dict:
        """Return what tells this search from others."""
        settings = settings_of(self.method)
        return {'method': settings, 'ranges': {d.name: d.to_dict() for d in self.dimensions}}


def current(method: Method) -> dict[str, object]:
    """Return all of a method's parameters by name, those of its pruning among them."""
    settings = settings_of(method)
    nested = settings.pop('pruning_parameters')
    return {**settings, **pruning_defaults(method.pruning), **nested}


def spaces(text: str, model: Model, ranges: Sequence[str] = ()) -> tuple[Space, ...]:
    """Return what is searched of each method of a list.

    Args:
        text: As `--methods` has it.
        model: The checkpoint.
        ranges: Ranges that replace others, `name=low:high`, choices as `name=one/other`.

    Raises:
        ValueError: When a method is unknown or has nothing to search, or a range does not fit.
    """
    given = dict(_pair(text) for text in ranges)
    used: set[str] = set()
    found = []
    for piece, method in zip(grammar.split(text), grammar.find(text), strict=True):
        pinned = {pair.partition('=')[0].strip() for pair in piece.partition('@')[2].split(',')}
        free = [d for d in _dimensions(method, model, pinned) if d.name not in pinned]
        values = current(method)
        dimensions = []
        for dimension in free:
            if dimension.name in given:
                dimension = dimension.within(given[dimension.name])
                used.add(dimension.name)
            dimensions.append(dimension.holding(values[dimension.name]))
        if not dimensions:
            raise ValueError(
                f"method '{method.name}' has nothing to search: it neither schedules, prunes, "
                'relaxes nor denoises, or all of it is given'
            )
        found.append(Space(method, tuple(dimensions)))
    if unused := sorted(set(given) - used):
        searched = sorted({d.name for space in found for d in space.dimensions})
        raise ValueError(
            f'--range {unused[0]}: no method here searches it, expected some of '
            f'{", ".join(searched)}'
        )
    return tuple(found)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = (part.strip() for part in text.partition('='))
    if not equals or not name or not value:
        raise ValueError(f"--range is '{text}', expected name=low:high")
    return name, value


def _dimensions(method: Method, model: Model, pinned: set[str]) -> list[Dimension]:
    rule, predictor = method.scheduler.rule, method.scheduler.predictor
    found = list(RULES.get(rule, ()))
    if rule != 'never' and predictor == 'ridge':
        found += RIDGE
    found += _of_pruning(method.pruning, model, pinned)
    if method.decoder == 'relaxed':
        found.append(BINS)
    if method.decoder != 'greedy':
        found.append(DRAFT)
        if rule == 'never':
            found.append(DRAFTER)
    if model.chunk > 1 and method.scheduler.execute == FIXED:
        found += [Dimension('execute_rows', 1, model.chunk, integer=True), OVERLAP]
    if model.steps > 1:
        found.append(Dimension('flow_steps', 1, model.steps, integer=True))
    return found


def _of_pruning(name: str, model: Model, pinned: set[str]) -> list[Dimension]:
    # Brings torch, which the help of the command line does without.
    from vla_accel_ros.pruning.registry import parameters_of

    declared = parameters_of(name)
    wanted = PRUNING.get(name, tuple({'keep'} & set(declared)))
    if name in FIXED_ONLY and pinned & {'keep', 'budget'}:
        wanted = FIXED_ONLY[name]
    found = []
    for key in wanted:
        if key == 'layer':
            # Behind the last layer there is nothing left to save.
            found.append(Dimension(key, 1, max(2, model.layers - 1), integer=True))
            continue
        most = model.visual_tokens if key.startswith('k_') else None
        found.append(derived(declared[key], most))
    return found
