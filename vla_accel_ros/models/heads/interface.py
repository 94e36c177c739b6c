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

"""What every head is to a policy: from a prefix to normalised actions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from vla_accel_ros.decoding.interface import TokenDecoder
from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import Engine
from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.models.action_tokens import ActionStatistics
from vla_accel_ros.models.cost.workload import Workload
from vla_accel_ros.models.heads.continuation import PREFIX, Continuation
from vla_accel_ros.models.inference import Watch
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.pruning.base import Pruner
from vla_accel_ros.pruning.interface import Scene

NewCache = Callable[[int], KVCache]


@dataclass(frozen=True, eq=False)
class Ask:
    """What is to be answered, where the model is and of its type.

    Attributes:
        pixels: [1, channels, H, W].
        ids: int64 [1, T], the prompt, BOS first.
        proprio: [1, numbers], normalised; None where the checkpoint wants none.
        scene: What the pruner may look at.
        words: Which of the prompt's tokens behind the visual ones say what to do; all if None.
        draft: float [7], an action to verify in m, rad, gripper 0 open to 1 closed, None without
            any. A head that verifies nothing leaves it alone.
        left: Rows of the last answer that are not executed yet, its last ones; the first of them
            is the row of this step. 0 where nothing is left, or it is no longer what is executed.
        delay: Of these, rows that will be executed before the answer is there.
    """

    pixels: Tensor
    ids: Tensor
    proprio: Tensor | None
    scene: Scene
    draft: np.ndarray | None = None
    words: slice | None = None
    left: int = 0
    delay: int = 0


@dataclass(frozen=True, eq=False)
class HeadStats:
    """What an answer took.

    Attributes:
        passes: Passes of the language model, the prefill included.
        kept_ids: int64 [kept], visual tokens that the decoder's last layer saw, camera * tokens
            + index, ascending.
        work: What was done, for the cost model.
    """

    passes: int
    kept_ids: Tensor
    work: Workload


@dataclass(frozen=True, eq=False)
class HeadAnswer:
    """What a head answers.

    Attributes:
        actions: float [n, width], normalised: 1 and -1 are the data set's range, and a column
            that its mask leaves out is as it is stored.
        confirmed: Tokens of the draft that the model confirmed.
        stats: What it took.
        token_ids: int64 [n * width], where the model answers in tokens; else none.
    """

    actions: np.ndarray
    confirmed: int
    stats: HeadStats
    token_ids: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))


class ActionHead:
    """What a family adds behind the prefix.

    It puts the sequence together, runs it with visual tokens dropped as a pruner says, and gives
    actions. A head may keep what it needs from one answer to the next, until `reset`.

    Args:
        model: With the weights; towers, projector and language model are run by the head, for a
            head knows which of them it needs.
        statistics: Of the data set whose actions are answered, in m and rad.

    Attributes:
        model: As given.
        statistics: As given.
        engine: What runs the model's programs; eager until another is set.
    """

    def __init__(self, model: VLA, statistics: ActionStatistics) -> None:
        self.model, self.statistics = model, statistics
        self.engine: Engine = EAGER

    def answer(
        self, ask: Ask, pruner: Pruner, new_cache: NewCache, watch: Watch = nullcontext
    ) -> HeadAnswer:
        """Answer.

        Args:
            ask: What.
            pruner: How visual tokens are pruned.
            new_cache: Gives an empty cache for a sequence of that length and an action's tokens.
            watch: Called with a stage's name, gives the context that times it.

        Raises:
            NotFiniteError: When the model gives NaN or infinity.
            ProprioError: When proprioception is missing, of another size or not wanted.
            ValueError: When the draft is not of 7 numbers.
        """
        raise NotImplementedError

    def rehearse(self, ask: Ask, pruner: Pruner, new_cache: NewCache) -> None:
        """Run the programs in all shapes that an answer with these tokens kept may have.

        Nothing is learnt from it.
        """
        self.answer(ask, pruner, new_cache)

    def first_numbers(self, ask: Ask, new_cache: NewCache) -> Tensor:
        """Give the first numbers that depend on the whole sequence, float32 [n], on the CPU.

        A policy is tried with them: they differ as soon as what the model sees does. Nothing is
        pruned, and nothing is learnt from it.
        """
        raise NotImplementedError

    def decode_by(self, decoder: TokenDecoder, source: str) -> None:
        """Choose how tokens are decoded, where any are.

        Args:
            decoder: How.
            source: Where the draft comes from, one of `drafts.SOURCES`.
        """

    def flow_by(self, steps: int, bend: float) -> None:
        """Choose the steps of a flow, where there is one.

        Args:
            steps: How many; 0 for as many as the checkpoint was made for.
            bend: Largest bend of the path at which the rest is taken in one step; 0 for never.
        """

    def continue_by(self, settings: Continuation) -> None:
        """Choose what a new chunk takes from the old one, where chunks are denoised.

        Raises:
            ValueError: When it is to begin with given rows, which the checkpoint cannot.
        """
        if settings.rtc == PREFIX:
            raise ValueError(
                f"rtc is '{PREFIX}', but this checkpoint has no flow, expected one that was "
                'trained to go on from given rows'
            )

    def assume_previous(self, token_ids: np.ndarray) -> None:
        """Take tokens int64 [7] for the previous answer, where tokens are answered."""

    def reset(self) -> None:
        """Begin an episode."""
