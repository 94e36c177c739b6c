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

"""Recipes: everything that makes a checkpoint from nothing; see `recipe_yaml` for the files."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

from vla_accel_ros.evaluation import seeds
from vla_accel_ros.sim.cameras import NAMES as TABLETOP_CAMERAS
from vla_accel_ros.sim.tasks import all_instructions
from vla_accel_ros.training.recipe_checks import check, check_between, check_distinct
from vla_accel_ros.training.recipe_parts import (
    CHUNK_ALONE,
    CHUNKS,
    LEAST_SHOWN,
    LIBERO,
    SEEDS_A_CHUNK,
    TABLETOP,
    FramesRecipe,
    ModelRecipe,
    Stage,
)

# The seed of a step's noise is made of the recipe's, and has to fit into 64 bits.
LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True)
class Recipe:
    """Everything that makes a checkpoint.

    Attributes:
        name: Of the checkpoint, and its un-normalisation key.
        instructions: What can be asked; every frame is labelled for each, or for those of
            its set's task.
        data: Sets of frames by name.
        stages: In order.
        model: Shape of the model.
        cameras: What the model sees, in its order.
        jpeg: Whether frames are stored as JPEG: a twentieth of the bytes of large ones.
        seed: Of weights, batches and noise.
        batch: Images a step.
        warmup: Steps over which a stage's learning rate rises.
        decay: Weight decay.
        average: Decay of the exponential average of the weights.
        spread: Standard deviation of the soft labels, bins.
        jitter: The same of the teacher-forced input tokens.
        asks: Instructions asked of one image: the one followed when it was made, and others
            at random.
        world: What the frames are of: 'tabletop', or a suite of LIBERO as 'libero:object'; see
            `worlds`.
        draws: Noisy chunks drawn for each image and instruction, for an action expert.
        statistics: Sets whose actions decide the range of the bins; those of the first stage
            where empty. No DAgger sets: they are made with the bins.
        bins_of_start: Whether the bins are those of `start` instead, whose weights know them.
        grasp_weight: How much likelier a frame is drawn in which some instruction's gripper
            closes on a cube, or has just reached its goal: a demonstration has few of them.
        point_layers: Decoder layers whose input is asked what is meant.
        start: A checkpoint whose weights training starts from, by folder or name of a shipped
            one; see `start`. Empty for none.
        episodes: Of a closed-loop check, on tuning seeds, of the stage's instructions in turn.
    """

    name: str
    instructions: tuple[str, ...]
    data: dict[str, FramesRecipe]
    stages: tuple[Stage, ...]
    model: ModelRecipe = field(default_factory=ModelRecipe)
    cameras: tuple[str, ...] = ('agent', 'wrist')
    jpeg: bool = False
    world: str = TABLETOP
    seed: int = 0
    batch: int = 32
    warmup: int = 200
    decay: float = 0.02
    average: float = 0.998
    spread: float = 3.0
    jitter: float = 2.0
    asks: int = 4
    draws: int = 2
    statistics: tuple[str, ...] = ()
    bins_of_start: bool = False
    grasp_weight: float = 3.0
    point_layers: tuple[int, ...] = (1, 2)
    start: str = ''
    episodes: int = 24

    def __post_init__(self) -> None:
        _check_file_name('name', self.name)
        for name in self.data:
            _check_file_name('name of data', name)
        check_distinct('stages', tuple(stage.name for stage in self.stages))
        check_distinct('instructions', self.instructions)
        check_distinct('cameras', self.cameras)
        self._check_numbers()
        check(
            self.model.head == 'own' or bool(self.start),
            f"head is '{self.model.head}', expected a start whose prefix it reads",
        )
        for name, wanted in self.data.items():
            check(bool(self.asked(wanted)), f"data '{name}': no instruction of its task")
        for stage in self.stages:
            self._check_stage(stage)
        self._check_statistics()
        self._check_world()
        self._check_seeds()
        layers = [n for n in self.point_layers if not 0 <= n < self.model.layers]
        check(not layers, f'point_layers {layers} are not among {self.model.layers} layers')

    def _check_numbers(self) -> None:
        for name in ('batch', 'asks', 'draws'):
            check_between(name, getattr(self, name), 1)
        for name in ('warmup', 'decay', 'jitter'):
            check_between(name, getattr(self, name), 0)
        for name in ('spread', 'grasp_weight'):
            value = getattr(self, name)
            check(value > 0, f'{name} is {value}, expected above 0')
        check_between('average', self.average, 0, 1)
        check_between('seed', self.seed, 0, LARGEST_SEED)
        check_between('episodes', self.episodes, 1, len(seeds.RANGES['tuning']))

    def _check_stage(self, stage: Stage) -> None:
        where = f"stage '{stage.name}'"
        most = self.model.chunk - 1 if self.model.head == 'flow' else 0
        check(stage.prefix <= most, f'{where}: prefix is {stage.prefix}, expected at most {most}')
        unknown = sorted(set(stage.mix) - set(self.data))
        check(not unknown, f'{where} mixes {unknown}, not in data')
        tasks = sorted({self.data[name].task for name in stage.mix})
        check(len(tasks) == 1, f'{where} mixes sets of different tasks {tasks}')
        self._check_tokens(stage)

    def _check_statistics(self) -> None:
        for name in self.statistics:
            fits = name in self.data and self.data[name].kind != 'dagger'
            check(fits, f"statistics of '{name}', expected sets of data other than dagger")
        if self.bins_of_start:
            check(
                bool(self.start) and not self.statistics,
                'bins_of_start is true, expected a start, and no statistics of sets',
            )
        elif not self.statistics:
            first = self.stages[0]
            made = sorted(name for name in first.mix if self.data[name].kind == 'dagger')
            check(
                not made,
                f"statistics is empty, and stage '{first.name}' mixes {made} of kind dagger, made "
                'with the statistics: expected names of other sets',
            )

    def _check_tokens(self, stage: Stage) -> None:
        # A frozen prefix is of all tokens.
        check(
            not stage.tokens or self.model.head == 'own',
            f"stage '{stage.name}': tokens is {stage.tokens}, expected 0 for head "
            f"'{self.model.head}'",
        )
        # Each view shows as many, and those that are pointed at are among them.
        views, side = len(self.cameras), self.model.image_size // self.model.patch
        least, most = views * min(LEAST_SHOWN, side * side), views * side * side
        check(
            not stage.tokens or stage.tokens in range(least, most + 1, views),
            f"stage '{stage.name}': tokens is {stage.tokens}, expected 0 or {least} to {most}, "
            f'as many in each of {views} views',
        )

    def _check_world(self) -> None:
        if self.world == TABLETOP:
            _check_known('instructions', self.instructions, all_instructions())
            _check_known('cameras', self.cameras, TABLETOP_CAMERAS)
            return
        suite = self.world.startswith(LIBERO)
        check(suite, f"world is '{self.world}', expected {TABLETOP}, or one as {LIBERO}object")
        kinds = sorted({wanted.kind for wanted in self.data.values()} & {'wander'})
        check(not kinds, f'data of {self.world} has kinds {kinds}, expected others')
        tasks = sorted({wanted.task for wanted in self.data.values()} - {''})
        check(not tasks, f'data of {self.world} has tasks {tasks}, expected none')
        for name, wanted in self.data.items():
            # A chunk is of one task: another one's meshes take seconds to load.
            chunks = -(-wanted.frames // self.chunk(wanted.kind))
            check(
                chunks >= len(self.instructions),
                f"data '{name}' has {wanted.frames} frames in chunks of "
                f'{self.chunk(wanted.kind)}, a chunk is of one task: expected at least one for '
                f'each of {len(self.instructions)} instructions',
            )
        tried = [stage.name for stage in self.stages if stage.evaluate]
        check(
            not tried,
            f'stages {tried} evaluate in {self.world}, which cannot be done while training',
        )

    def chunk(self, kind: str) -> int:
        """Return the frames of a kind that are made in one go."""
        alone = kind == 'dagger' and self.world != TABLETOP
        return CHUNK_ALONE if alone else CHUNKS[kind]

    def asked(self, wanted: FramesRecipe) -> tuple[str, ...]:
        """Return the instructions that a set is labelled for."""
        if not wanted.task:
            return self.instructions
        kind = set(all_instructions(wanted.task))
        return tuple(text for text in self.instructions if text in kind)

    def _check_seeds(self) -> None:
        spans = {}
        for name, wanted in self.data.items():
            chunks = -(-wanted.frames // self.chunk(wanted.kind))
            spans[name] = range(wanted.seed, wanted.seed + chunks * SEEDS_A_CHUNK)
            allowed = seeds.RANGES['training']
            check(
                spans[name][0] in allowed and spans[name][-1] in allowed,
                f"data '{name}' takes seeds {spans[name][0]} to {spans[name][-1]}, those for "
                f'training are {allowed.start} to {allowed.stop - 1}',
            )
        for one, two in combinations(spans, 2):
            apart = spans[one].stop <= spans[two].start or spans[two].stop <= spans[one].start
            check(apart, f"data '{one}' and '{two}' share seeds")


def _check_file_name(what: str, name: str) -> None:
    plain = name and not {*name} & {*'/\\\0'} and name not in ('.', '..')
    check(bool(plain), f"{what} is '{name}', expected what a folder may be called")


def _check_known(what: str, names: tuple[str, ...], known: tuple[str, ...]) -> None:
    unknown = [name for name in names if name not in known]
    check(not unknown, f'{what} {unknown} are unknown, expected some of: {"; ".join(known)}')
