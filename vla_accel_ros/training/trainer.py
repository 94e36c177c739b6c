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

"""Follow a recipe: make the data, train stage by stage, keep the state, write the checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
import json
import math
from pathlib import Path
import time

import torch

from vla_accel_ros.evaluation import seeds
from vla_accel_ros.files.whole_files import naming, write_whole
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.tokenizer import load_prompt_encoder, vocabulary, write_tokenizer
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.training import datasets
from vla_accel_ros.training.attention import fast_attention
from vla_accel_ros.training.batches import Pixels, Sampler, stream
from vla_accel_ros.training.cloning import Cloning
from vla_accel_ros.training.diffusion import DiffusionLesson
from vla_accel_ros.training.export import write_checkpoint
from vla_accel_ros.training.flow import FlowLesson
from vla_accel_ros.training.lesson import Lesson
from vla_accel_ros.training.means import Means
from vla_accel_ros.training.optimiser import MasterOptimiser, schedule
from vla_accel_ros.training.recipe import Recipe
from vla_accel_ros.training.recipe_parts import Stage
from vla_accel_ros.training.rollout import Rollout, success_by_kind
from vla_accel_ros.training.start import statistics_of
from vla_accel_ros.training.state import read_state, write_state
from vla_accel_ros.training.worlds import world_of

LOG = 'log.jsonl'
# Steps of which a line is logged; seconds after which the state is kept.
LOGGED, KEPT_S = 50, 120


def lesson_of(recipe: Recipe, words: list[str], device: torch.device, fresh: bool) -> Lesson:
    """Return what a recipe teaches; see `Cloning` for the arguments and errors."""
    behind = {'flow': FlowLesson, 'diffusion': DiffusionLesson}.get(recipe.model.head)
    if behind is not None:
        return behind(recipe, words, device)
    return Cloning(recipe, words, device, fresh)


class Trainer:
    """One run of a recipe in one folder; a run that was stopped goes on where it was.

    Args:
        recipe: What to do.
        out: Folder of the run: frames, state, log; its `checkpoint` folder is the result.
        device: 'cpu' or 'cuda'.
        workers: Processes that make frames.
        only: Train on the first frames of each set only, for a sanity check; None for all.
        report: Takes lines for people; `end` is given for those that overwrite themselves.

    Raises:
        StateError: When the folder holds a run of another recipe, or one that cannot be read.
        ValueError: When the recipe's start has another decoder.
        FileNotFoundError: When there is no such start.
    """

    def __init__(
        self,
        recipe: Recipe,
        out: str | Path,
        device: str = 'cpu',
        workers: int = 1,
        only: int | None = None,
        report: Callable[[str], None] = print,
    ) -> None:
        self.recipe, self.out = recipe, Path(out)
        self.device, self.only = torch.device(device), only
        self.workers, self.say = workers, report
        self.stopped = self._said_whole = False
        self.out.mkdir(parents=True, exist_ok=True)
        self.folder = self.out / 'checkpoint'
        state = read_state(self.out, recipe, only, self.device)
        words = vocabulary(world_of(recipe.world).facts().vocabulary)
        torch.manual_seed(recipe.seed)
        self.lesson = lesson_of(recipe, words, self.device, fresh=state is None)
        self.config = self.lesson.config
        if self.lesson.begins:
            self.say(self.lesson.begins)
        self.optimiser = MasterOptimiser(
            self.lesson.modules, recipe.stages[0].rate, recipe.decay, recipe.average
        )
        for module in self.lesson.modules.values():
            module.to(torch.bfloat16)
        self.stage, self.step = 0, 0
        self.stats: dict | None = None
        if state is not None:
            self._resume(state)
        # What was logged after the state was kept will be done, and logged, again.
        self._trim_log(0 if state is None else state['lines'])
        # A checkpoint of a run that this recipe does not go on from stays as it is.
        self.folder.mkdir(exist_ok=True)
        write_tokenizer(words, self.folder)
        self.prompts = load_prompt_encoder(self.folder, self.config)

    def _resume(self, state: dict) -> None:
        self.optimiser.load(state['optimiser'])
        self.stage, self.step, self.stats = state['stage'], state['step'], state['stats']
        self.say(f'going on at stage {self.stage + 1}, step {self.step}')

    def _trim_log(self, lines: int) -> None:
        path = self.out / LOG
        if path.exists():
            kept = path.read_text(encoding='utf-8').splitlines(keepends=True)[:lines]
            write_whole(path, ''.join(kept))

    def keep(self) -> None:
        """Write everything that going on needs."""
        log = self.out / LOG
        lines = len(log.read_text(encoding='utf-8').splitlines()) if log.exists() else 0
        state = {
            'optimiser': self.optimiser.state(),
            'stage': self.stage,
            'step': self.step,
            'stats': self.stats,
            'lines': lines,
        }
        write_state(self.out, state, self.recipe, self.only)

    def log(self, values: dict) -> None:
        """Append one line of numbers."""
        path = self.out / LOG
        with naming(path), path.open('a', encoding='utf-8') as file:
            file.write(json.dumps(values) + '\n')

    def run(self) -> Path:
        """Train until the end, or until `stopped` is set; return the checkpoint's folder."""
        recipe = self.recipe
        with fast_attention(self.device):
            while self.stage < len(recipe.stages) and not self.stopped:
                stage = recipe.stages[self.stage]
                self._settle(stage)
                sets = {} if self.stopped else datasets.prepare(self, stage.mix)
                if self.stopped:
                    break
                self._train(stage, self.sampler(sets, stage.asks))
                if not self.stopped:
                    self.stage, self.step = self.stage + 1, 0
                self.keep()
        self.export()
        return self.folder

    def stop(self) -> None:
        """Have the training end after the step under way."""
        self.stopped = True

    @property
    def exported(self) -> bool:
        """Whether this run has written a model."""
        return self.stats is not None

    def _settle(self, stage: Stage) -> None:
        if self.stats is None and self.recipe.bins_of_start:
            self.stats = statistics_of(self.recipe.start)
        if self.stats is None:
            sets = datasets.prepare(self, self.recipe.statistics or stage.mix)
            if not self.stopped:
                self.stats = datasets.action_statistics(sets, self.recipe.name)

    def sampler(self, sets: dict, asks: int = 0) -> Sampler:
        """Return a sampler of these sets of frames; `asks` is the recipe's where 0."""
        return Sampler(
            sets,
            self.config_with_statistics(),
            self.recipe.grasp_weight,
            self.recipe.seed,
            asks or self.recipe.asks,
            self.only,
        )

    def config_with_statistics(self) -> VLAConfig:
        """Return the configuration with the statistics that the run has settled on."""
        return replace(self.config, norm_stats={self.recipe.name: self.stats})

    def _train(self, stage: Stage, sampler: Sampler) -> None:
        recipe, size = self.recipe, self.recipe.batch
        total = math.ceil(stage.images / size)
        prompts = [self.prompts(text) for text in sampler.instructions]
        compute = self.lesson.step(stage, prompts, sampler.asks)
        self.optimiser.rate = stage.rate
        means = Means(most=LOGGED)
        kept = since = time.monotonic()
        batches = stream(
            lambda step: sampler.draw(stage.mix, size, self.stage, step, self.only is None),
            range(self.step, total),
            self.device.type != 'cpu',
        )
        while self.step < total and not self.stopped:
            losses = compute(next(batches), self._noise())
            losses.total.backward()
            norm = self.optimiser.step(schedule(self.step, total, recipe.warmup, stage.floor))
            self.step += 1
            means.add(losses.parts, norm)
            if means.count == LOGGED or self.step == total:
                now = time.monotonic()
                self._report(stage, means.count * size / (now - since), means.take(), total)
                since = now
                if now - kept > KEPT_S:
                    self.keep()
                    kept = now
            images = self.step * size
            if stage.evaluate and images // stage.evaluate > (images - size) // stage.evaluate:
                begun = time.monotonic()
                self._check(stage, sampler.instructions)
                since += time.monotonic() - begun

    def _noise(self) -> torch.Generator:
        """Return the source of this step's noise, whichever run makes the step."""
        recipe = self.recipe
        return torch.Generator().manual_seed(
            recipe.seed * 1_000_003 + self.stage * 10_000_019 + self.step
        )

    def _report(self, stage: Stage, speed: float, means: dict[str, float], total: int) -> None:
        """Log some steps' means, and say them with how long the rest of the stage takes."""
        size = self.recipe.batch
        known = {name: value for name, value in means.items() if math.isfinite(value)}
        done = {'stage': stage.name, 'images': self.step * size, 'images_per_s': round(speed, 1)}
        self.log({**done, **known})
        left = (total - self.step) * size / speed
        self._say_whole(speed, left)
        self._line(stage, means, speed, left, self.step / total)

    def _say_whole(self, speed: float, left: float) -> None:
        """Say once, when a rate is known, how long all stages take at it."""
        if self._said_whole:
            return
        self._said_whole = True
        later = sum(stage.images for stage in self.recipe.stages[self.stage + 1 :]) / speed
        hours = (left + later) / 3600
        self.say(
            f'at {speed:.0f} images/s all stages take about {hours:.1f} h more; frames that '
            'are made between them come on top'
        )

    def _line(self, stage: Stage, means: dict, speed: float, left: float, share: float) -> None:
        self.say(
            f'{stage.name} {share:4.0%}  {speed:4.0f} images/s  '
            f'{self.lesson.line(means)}  {left / 60:.1f} min left'
        )

    def averaged(self) -> VLA:
        """Return a float32 copy of the model with averaged weights, for evaluation."""
        model = self.lesson.model(self.config_with_statistics(), self.optimiser.averaged)
        return model.to(self.device).eval().requires_grad_(False)

    def rollout(self) -> Rollout:
        """Return the averaged model in the closed loop."""
        return Rollout(
            self.config_with_statistics(),
            self.lesson.answers(self.averaged()),
            self.prompts,
            Pixels(self.config),
            self.recipe.cameras,
        )

    def _check(self, stage: Stage, instructions: tuple[str, ...]) -> None:
        chosen = seeds.require('tuning', 1_000_000, self.recipe.episodes)
        with closing(self.rollout()) as rollout:
            found = success_by_kind(rollout.check(chosen, instructions))
        self.log({'stage': stage.name, 'images': self.step * self.recipe.batch, **found})
        self.say('closed loop: ' + ', '.join(f'{k} {v:.3g}' for k, v in found.items()))
        self.export()

    def export(self) -> None:
        """Write the checkpoint folder with the averaged weights."""
        if self.stats is not None:
            write_checkpoint(self.averaged(), self.folder)
