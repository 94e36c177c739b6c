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

"""The parts of a recipe: the model's shape, a set of frames, a stage."""

from __future__ import annotations

from dataclasses import dataclass, field

from vla_accel_ros.sim.tasks import TASKS
from vla_accel_ros.training.disturbance import Disturbance
from vla_accel_ros.training.recipe_checks import check, check_between

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
# Of a model: those that are at least 1.
SIZES = (
    'image_size',
    'patch',
    'tower_width',
    'tower_blocks',
    'width',
    'layers',
    'heads',
    'head_width',
    'head_layers',
)
LOSSES = ('locate', 'point', 'relate', 'goal', 'action')


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
        check_between('chunk', self.chunk, int(self.head != 'own'))
        for name in SIZES:
            check_between(name, getattr(self, name), 1)
        check(
            self.image_size % self.patch == 0,
            f'image_size is {self.image_size}, expected a multiple of patch, {self.patch}',
        )
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
        check_between('frames', self.frames, 1)
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
        where = f"stage '{self.name}': "
        check_between(f'{where}images', self.images, 1)
        for name in ('evaluate', 'asks', 'prefix'):
            check_between(where + name, getattr(self, name), 0)
        check_between(f'{where}floor', self.floor, 0, 1)
        check(0 < self.rate < 1, f'{where}rate is {self.rate}, expected in (0, 1)')
        check(
            bool(self.mix) and all(share > 0 for share in self.mix.values()),
            f'{where}mix is {self.mix}, expected positive shares',
        )
        unknown = sorted(set(self.losses) - set(LOSSES))
        check(not unknown, f'{where}losses {unknown}, expected some of {LOSSES}')
        for name, weight in self.losses.items():
            check_between(f'{where}losses.{name}', weight, 0)
