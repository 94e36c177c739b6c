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

"""A family that another package adds: a linear head on the mean of the prompt's rows."""

from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn

from vla_accel_ros.files.kinds import Number, check_fields, of
from vla_accel_ros.models.families.interface import Family
from vla_accel_ros.models.heads.config import HeadConfig
from vla_accel_ros.models.heads.interface import ActionHead, HeadAnswer
from vla_accel_ros.models.heads.prefix import run_prefix
from vla_accel_ros.models.heads.reading import read_numbers
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.pruning.registry import create

ENTRY_POINT = '[vla_accel_ros.families]\ntoy = toy_family:ToyFamily\n'


@dataclass(frozen=True)
class ToyConfig(HeadConfig):
    """Its one number is the largest that it answers."""

    family = 'toy'

    largest: float = field(default=1.0, metadata=of(Number(0, 1)))

    def __post_init__(self):
        check_fields(self)


class ToyModel(VLA):
    def __init__(self, config):
        super().__init__(config)
        self.action = nn.Linear(config.decoder.width, config.action_dims)


class ToyHead(ActionHead):
    def _run(self, ask, pruner, new_cache, watch):
        prefix = run_prefix(self.model, ask, pruner, new_cache, watch, self.engine)
        with watch('decode'):
            pooled = self.model.action(prefix.hidden.mean(1))
            return self.model.config.head.largest * pooled.tanh(), prefix.stats

    def answer(self, ask, pruner, new_cache, watch=nullcontext):
        numbers, stats = self._run(ask, pruner, new_cache, watch)
        return HeadAnswer(read_numbers(numbers), 0, stats)

    def first_numbers(self, ask, new_cache):
        from vla_accel_ros.models.layout import layout_of

        keep_all = create('none', layout_of(self.model.config))
        return self._run(ask, keep_all, new_cache, nullcontext)[0][0].float().cpu()


class ToyFamily(Family):
    config = ToyConfig

    def build(self, config):
        return ToyModel(config)

    def head(self, model, statistics):
        return ToyHead(model, statistics)


def declare(folder: Path, entry_point: str = ENTRY_POINT) -> Path:
    """Write what `pip install` leaves of a package that declares the family."""
    about = folder / 'toy_family-1.0.dist-info'
    about.mkdir(parents=True)
    (about / 'METADATA').write_text('Metadata-Version: 2.1\nName: toy-family\nVersion: 1.0\n')
    (about / 'entry_points.txt').write_text(entry_point)
    return folder
