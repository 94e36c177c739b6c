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

"""A policy: a checkpoint with everything around it, from observation to actions."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
import time

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.layers.cache import CacheLender, KVCache
from vla_accel_ros.models.adjusted import Adjusted
from vla_accel_ros.models.asker import Asker
from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.checkpoints.conventions import read_conventions
from vla_accel_ros.models.checkpoints.folder import Progress, load, resolve
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.device import check_device
from vla_accel_ros.models.families import registry
from vla_accel_ros.models.heads.interface import Ask, HeadAnswer
from vla_accel_ros.models.in_use import EngineSlot
from vla_accel_ros.models.layout import layout_of
from vla_accel_ros.models.planned import Plans
from vla_accel_ros.models.prediction import NotFiniteError, Prediction
from vla_accel_ros.models.preprocess import CameraCountError, with_cameras
from vla_accel_ros.models.pruner_slot import PrunerSlot
from vla_accel_ros.models.rehearsal import busy, rehearse
from vla_accel_ros.models.self_test import blank, difference_of_black_and_white
from vla_accel_ros.models.stopwatch import Stopwatch, clock_of
from vla_accel_ros.models.tokenizer import PromptEncoder
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.motion import Motion
from vla_accel_ros.observations import Observation
from vla_accel_ros.pruning.base import Pruner


class Policy(Adjusted):
    """A model with its preprocessing, prompt and statistics.

    Args:
        model: In evaluation mode. Its decoder's matrices are packed, which leaves their names and
            numbers as they are.
        encode: From an instruction to token ids.
        unnorm_key: Data set whose statistics hold; None where there is only one.
        caches: Memory for keys and values, shared with policies that never answer at the same
            time; its own if None.
        space: What the columns of an action are, where the folder says it; None where not.

    Attributes:
        model: The model.
        unnorm_key: The data set.
        statistics: Its actions'.
        proprio: Scales proprioception; None where the checkpoint wants none.

    Raises:
        UnnormKeyError: When the key is missing or wrong; the message lists the keys.
        ProprioError: When the statistics are not of the proprioception that the model wants.
        ValueError: When the statistics are not those of 7 columns.
        CheckpointError: When the space is not that of the head's columns.
    """

    def __init__(
        self,
        model: VLA,
        encode: PromptEncoder,
        unnorm_key: str | None = None,
        caches: CacheLender | None = None,
        space: ActionSpace | None = None,
    ) -> None:
        self.model = model
        model.language_model.model.pack()
        family = registry.of(model.config)
        self._reader = family.reader(model.config, unnorm_key)
        if space is not None:
            self._reader.take(space)
        self.unnorm_key, self.statistics = self._reader.key, self._reader.statistics
        self.proprio = family.proprio(model.config, self.unnorm_key)
        self._ask = Asker(model, encode, self.proprio)
        self._caches = CacheLender(model.new_cache) if caches is None else caches
        self._pruners = PrunerSlot(layout_of(model.config))
        self._plans = Plans(model, self._caches)
        self._head = family.head(model, self.statistics)
        self._engine = EngineSlot(partial(setattr, self._head, 'engine'), model.dtype)
        self._answered: np.ndarray | None = None
        self.set_decoder('greedy')

    @classmethod
    def load(
        cls,
        folder_or_hub: str | Path,
        device: str = 'cpu',
        dtype: torch.dtype | None = None,
        unnorm_key: str | None = None,
        progress: Progress | None = None,
        allow_download: bool = False,
        threads: int | None = None,
        cameras: int | None = None,
    ) -> Policy:
        """Load a checkpoint folder.

        Args:
            folder_or_hub: A folder, or `owner/name` of the hub if `allow_download`.
            device: As torch names it.
            dtype: Type of the weights; float32 on the CPU and bfloat16 elsewhere when None.
            unnorm_key: Data set whose statistics hold; None where there is only one.
            progress: Called with the share done, 0..1, and a word on what is being done.
            allow_download: Whether the hub may be asked.
            threads: Threads of torch in this process; as they are when None.
            cameras: Views that the robot has, where the checkpoint has places for more; as many
                as its configuration says when None.

        Raises:
            CheckpointError: When files are missing, corrupt or do not fit.
            TokenizerError: When there is no tokeniser.
            UnnormKeyError: When the key is missing or wrong.
            DeviceError: When torch has no such device; nothing is read then.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        check_device(device)
        folder = resolve(folder_or_hub, allow_download)
        if dtype is None:
            dtype = torch.float32 if device == 'cpu' else torch.bfloat16
        config = read_config(folder)
        if cameras is not None:
            config = with_cameras(config, cameras)
        model = load(folder, device, dtype, progress, config)
        encode = registry.of(model.config).prompts(folder, model.config)
        return cls(model, encode, unnorm_key, space=read_conventions(folder).actions)

    def sibling(self) -> Policy:
        """Return another over the same weights and engine, with settings and memory of its own."""
        other = Policy(self.model, self._ask.encode, self.unnorm_key, space=self.space)
        other.run_on(self._engine.chosen)
        return other

    @property
    def config(self) -> VLAConfig:
        """The checkpoint's configuration."""
        return self.model.config

    @property
    def image_size(self) -> int:
        """Side of the images that the model sees, pixels."""
        return self.config.image_size

    @property
    def cameras(self) -> int:
        """Views that the checkpoint wants."""
        return self.config.cameras

    def tokens_of(self, instruction: str) -> list[int]:
        """Give the prompt of an instruction.

        Raises:
            TokenizerError: When it has words that are not known, or is longer than the model was
                made for.
        """
        return self._ask.tokens_of(instruction)

    @property
    def space(self) -> ActionSpace | None:
        """What an action's columns are; None where that is not known."""
        return self._reader.space

    def _cache_for(self, length: int) -> KVCache:
        return self._caches(length + self.config.behind)

    @torch.inference_mode()
    def predict(
        self,
        observation: Observation,
        resized: bool = False,
        motion: Motion | None = None,
        draft: np.ndarray | None = None,
        tail: np.ndarray | None = None,
        delay: int = 0,
    ) -> Prediction:
        """Answer one observation.

        Args:
            observation: As many images as the checkpoint wants, in its order, and the
                proprioception that it wants.
            resized: Whether the images were brought to the model's size by `preprocess.fit`.
            motion: The last action's, which steers pruning; None on an episode's first step.
            draft: float [7], the action to verify; m, rad, gripper 0 open to 1 closed.
            tail: float [k, width], what is left of the chunk that is executed, this step's row
                first; None where none goes on meanwhile.
            delay: Rows of it that will be executed before the answer is there.

        Returns:
            The actions, their tokens and where the time went.

        Raises:
            CameraCountError: When the number of images is another.
            ProprioError: When proprioception is missing, of another size or not finite.
            TokenizerError: When the instruction is too long, or has words that it does not know.
            NotFiniteError: When the model gives NaN or infinity.
            ValueError: When the draft is not of 7 numbers.
        """
        watch, pruner = Stopwatch(clock_of(self.model.device)), self._pruners.take()
        self._plans.attach(pruner, self.in_use.engine)
        start = time.perf_counter()
        with watch('preprocess'):
            left = 0 if tail is None else self._left(tail)
            ask = self._ask(observation, resized, motion, draft, left, delay)
        answer = self._engine.answer(lambda: self._answer(ask, pruner, watch), pruner.reset)
        with watch('detokenise'):
            values = self._reader(answer.actions, observation.proprio)
        self._answered = values
        total, stats, took = (time.perf_counter() - start) * 1e3, answer.stats, watch.ms()
        return Prediction(
            values,
            answer.token_ids,
            took | {'total': total},
            len(stats.kept_ids),
            stats.kept_ids.cpu().numpy(),
            stats.work.visual,
            pruner.reason,
            stats.passes,
            answer.confirmed,
            stats.work,
            str(self.in_use),
            self._plans.learn(pruner, took['selection'], stats.work),
        )

    def _left(self, tail: np.ndarray) -> int:
        """Say how many rows of the last answer are left; none where another one is executed."""
        last, left = self._answered, len(tail)
        # Its first rows may have been led over from the chunk before it; the last one tells.
        follows = last is not None and left <= len(last) and np.allclose(tail[-1], last[-1])
        return left if follows else 0

    def _answer(self, ask: Ask, pruner: Pruner, watch: Stopwatch) -> HeadAnswer:
        with self._caches.wiped_on_failure():
            return self._head.answer(ask, pruner, self._cache_for, watch)

    @torch.inference_mode()
    def logits(self, observation: Observation) -> Tensor:
        """Give the first numbers of an answer, float32 [n], on the CPU.

        These are the logits of the first action token, or of a head that regresses the
        normalised numbers of the first action.
        """
        numbers = self._head.first_numbers(self._ask(observation), self._cache_for)
        if not bool(numbers.isfinite().all()):
            self._caches.wipe()
        return numbers

    def self_test(self, cameras: int | None = None) -> float:
        """Prove that the checkpoint sees its images and gives numbers.

        Args:
            cameras: Views that the robot has, if that is to be checked.

        Returns:
            Largest difference between the logits of a black and of a white image.

        Raises:
            CameraCountError: When the robot has another number of views.
            ImageIgnoredError: When black and white give the same logits.
            NotFiniteError: When logits are NaN or infinite.
        """
        if cameras is not None and cameras != self.cameras:
            raise CameraCountError(
                f'got {cameras} images, the checkpoint wants {self.cameras} views'
            )
        return difference_of_black_and_white(self)

    def warm_up(self, runs: int = 2) -> float:
        """Have all that is slow at first over with, so that the first real call is as fast.

        An engine that makes programs ready for each shape does so here, for all shapes that
        method and decoder may come to. Then a grey image is answered, as often as is said.

        Returns:
            Milliseconds that the last one took.
        """
        if self.in_use.engine is not EAGER:
            self._rehearse()
        observation = blank(self, 127)
        took = 0.0
        for _ in range(max(runs, 1)):
            took = self.predict(observation).timings_ms['total']
        return took

    @torch.inference_mode()
    def _rehearse(self) -> None:
        observation, motion = busy(self)
        ask = self._ask(observation, resized=True, motion=motion)
        # An engine that gives NaN is replaced at the answer that follows.
        with suppress(NotFiniteError), self._caches.wiped_on_failure():
            rehearse(self._head, ask, self._pruners.fresh(), self._cache_for)
