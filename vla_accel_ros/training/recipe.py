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
from vla_accel_ros.sim.tasks import TASKS, all_instructions
from vla_accel_ros.training.disturbance import Disturbance

# Frames made in one go, by kind. DAgger's episodes run side by side: a chunk must outlast the
# longest of them, or all of it would be their beginnings.
CHUNKS = {'wander': 500, 'demonstration': 500, 'dagger': 5000}
# Where episodes go one after the other, each chunk is of one task.
CHUNK_ALONE = 250
SEEDS_A_CHUNK = 500
KINDS = tuple(CHUNKS)
# Worlds that frames are of; a suite of LIBERO stands behind the second.
TABLETOP, LIBERO = 'tabletop', 'libero:'
# Visual tokens of a view that thinning leaves at least: those of all objects, and as many more.
LEAST_SHOWN = 10
FORMS = ('embedded', 'scaled')
HEADS = ('own', 'flow', 'diffusion')
LOSSES = ('locate', 'point', 'relate', 'goal', 'action')


class RecipeError(ValueError):
    """A recipe that cannot be followed, with the name of what is wrong."""


def check(condition: bool, message: str) -> None:
    """Raise a RecipeError with the message unless the condition holds."""
    if not condition:
        raise RecipeError(message)


@dataclass(frozen=True)
class ModelRecipe:
    """Shape of the model; see `models.presets`.

    Attributes:
        form: 'embedded' (a small tower a camera) or 'scaled' (OpenVLA's two towers a view).
        chunk: Actions of one answer of OpenVLA-OFT's heads, or of an action expert; 0 for
            OpenVLA's tokens.
        image_size: Pixels of a side.
        patch: Pixels along a token's side.
        tower_width: Channels of a tower.
        tower_blocks: Blocks of a tower.
        width: Channels of the decoder.
        layers: Decoder layers.
        heads: Decoder heads.
        drop: Decoder layers, from 0, that are left out; see `vla-accel depth`.
        head: 'own' (the language model answers), or what answers behind the frozen prefix of
            the recipe's start: 'flow' (an action expert, see `flow`) or 'diffusion' (a
            transformer on one vector, see `diffusion`).
        head_width: Channels of the diffusion transformer.
        head_layers: Its blocks.
    """

    form: str = 'embedded'
    chunk: int = 0
    image_size: int = 96
    patch: int = 16
    tower_width: int = 128
    tower_blocks: int = 2
    width: int = 192
    layers: int = 4
    heads: int = 6
    drop: tuple[int, ...] = ()
    head: str = 'own'
    head_width: int = 192
    head_layers: int = 4

    def __post_init__(self) -> None:
        check(self.form in FORMS, f"form is '{self.form}', expected one of {FORMS}")
        check(self.head in HEADS, f"head is '{self.head}', expected one of {HEADS}")
        least = int(self.head != 'own')
        check(self.chunk >= least, f'chunk is {self.chunk}, expected at least {least}')
        check(
            {*self.drop} < {*range(self.layers)},
            f'drop is {list(self.drop)}, expected some of the layers 0 to {self.layers - 1}',
        )


@dataclass(frozen=True)
class FramesRecipe:
    """One set of frames.

    Attributes:
        kind: 'wander', 'demonstration' or 'dagger'.
        frames: How many.
        seed: First episode's seed, in the training range; sets must not overlap.
        task: Kind of task that is asked and labelled for: 'lift', 'place' or 'stack'; empty
            for all instructions of the recipe.
        disturbance: How the demonstrations are disturbed.
    """

    kind: str
    frames: int
    seed: int
    task: str = ''
    disturbance: Disturbance = field(default_factory=Disturbance)

    def __post_init__(self) -> None:
        check(self.kind in KINDS, f"kind is '{self.kind}', expected one of {KINDS}")
        check(self.frames >= 1, f'frames is {self.frames}, expected at least 1')
        kinds = ('', *TASKS)
        check(self.task in kinds, f"task is '{self.task}', expected one of {kinds}")


@dataclass(frozen=True)
class Stage:
    """One stretch of training.

    Attributes:
        name: What it is called in logs.
        images: Images to train on; each comes with several instructions.
        rate: Peak learning rate.
        floor: Share of it that is left at the end.
        mix: Share of a batch by set of frames.
        losses: Weight of each loss; see `LOSSES`. Those left out are 0.
        evaluate: Closed-loop check after every so many images; 0 for none.
        tokens: Visual tokens that the decoder is shown; 0 for all. See `thinning`.
        asks: Instructions asked of one image; 0 for as many as the recipe says.
        prefix: First rows of a chunk that are given to an action expert at most, without noise,
            as those that a robot executes meanwhile; how many is drawn for each chunk.
    """

    name: str
    images: int
    rate: float
    mix: dict
    losses: dict
    floor: float = 0.1
    evaluate: int = 0
    tokens: int = 0
    asks: int = 0
    prefix: int = 0

    def __post_init__(self) -> None:
        check(self.prefix >= 0, f"stage '{self.name}': prefix is {self.prefix}, expected >= 0")
        check(self.images >= 1, f"stage '{self.name}': images is {self.images}, expected >= 1")
        check(self.asks >= 0, f"stage '{self.name}': asks is {self.asks}, expected >= 0")
        check(0 < self.rate < 1, f"stage '{self.name}': rate is {self.rate}, expected in (0, 1)")
        check(
            bool(self.mix) and all(share > 0 for share in self.mix.values()),
            f"stage '{self.name}': mix is {self.mix}, expected positive shares",
        )
        unknown = sorted(set(self.losses) - set(LOSSES))
        check(not unknown, f"stage '{self.name}': losses {unknown}, expected some of {LOSSES}")


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
        check(bool(self.stages), 'stages is empty, expected at least one')
        check(bool(self.instructions), 'instructions is empty, expected at least one')
        check(bool(self.cameras), 'cameras is empty, expected at least one')
        check(self.batch >= 1, f'batch is {self.batch}, expected at least 1')
        check(self.asks >= 1, f'asks is {self.asks}, expected at least 1')
        check(self.draws >= 1, f'draws is {self.draws}, expected at least 1')
        check(
            self.model.head == 'own' or bool(self.start),
            f"head is '{self.model.head}', expected a start whose prefix it reads",
        )
        for name, wanted in self.data.items():
            check(bool(self.asked(wanted)), f"data '{name}': no instruction of its task")
        for stage in self.stages:
            most = self.model.chunk - 1 if self.model.head == 'flow' else 0
            check(
                stage.prefix <= max(most, 0),
                f"stage '{stage.name}': prefix is {stage.prefix}, expected at most {max(most, 0)}",
            )
            unknown = sorted(set(stage.mix) - set(self.data))
            check(not unknown, f"stage '{stage.name}' mixes {unknown}, not in data")
            tasks = sorted({self.data[name].task for name in stage.mix})
            check(len(tasks) == 1, f"stage '{stage.name}' mixes sets of different tasks {tasks}")
            self._check_tokens(stage)
        for name in self.statistics:
            fits = name in self.data and self.data[name].kind != 'dagger'
            check(fits, f"statistics of '{name}', expected sets of data other than dagger")
        check(
            not self.bins_of_start or (bool(self.start) and not self.statistics),
            'bins_of_start is true, expected a start, and no statistics of sets',
        )
        self._check_world()
        self._check_seeds()
        layers = [n for n in self.point_layers if not 0 <= n < self.model.layers]
        check(not layers, f'point_layers {layers} are not among {self.model.layers} layers')

    def _check_tokens(self, stage: Stage) -> None:
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
