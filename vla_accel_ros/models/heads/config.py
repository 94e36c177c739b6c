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

"""What is known of a head before there is a model: the answers that other code asks for."""

from __future__ import annotations

from vla_accel_ros.models.checkpoints.norm_stats import QUANTILES


class HeadConfig:
    """A family's part of a configuration.

    A family has a frozen dataclass of it, with the numbers that shape its head as fields. What
    is the same for all its models stands in its class. Nobody needs to know which class it is.

    Attributes:
        family: Name of the family that builds the model; in `config.json` the part stands under
            this name.
        chunk: Actions in an answer.
        single_pass: Whether the prefill also holds the rows that all actions are read from, so
            that no pass of the language model follows and every row may see every other one.
        in_tokens: Whether an answer is tokens, which stand for bins, or numbers.
        proprio: Numbers of proprioception that the checkpoint wants, 0 for none.
        prompt_tail: Tokens that are appended to every prompt, whatever it ends with.
        before: Rows of the sequence in front of the visual tokens: BOS, or none.
        apart: Last rows of the prefill that see all and that no other row sees.
        prompt_acts: Whether one of the prefill's rows stands for the action, though actions are
            read from elsewhere.
        span_added: Added to the span of each action column, and of each proprioception column,
            when they are scaled.
    """

    family: str = ''
    chunk: int = 1
    single_pass: bool = False
    in_tokens: bool = False
    proprio: int = 0
    prompt_tail: tuple[int, ...] = ()
    before: int = 1
    apart: int = 0
    prompt_acts: bool = False
    span_added: float = 0.0

    @property
    def ends(self) -> tuple[str, str]:
        """Statistics that stand for -1 and 1 of a normalised number."""
        return QUANTILES

    @property
    def most_cameras(self) -> int:
        """Views that a robot may have; 0 where it must have those of the configuration."""
        return 0

    def rows(self, dims: int) -> int:
        """Give the rows that an answer takes in the decoder's sequence, behind the prompt.

        Args:
            dims: Numbers in an action.
        """
        return 0

    def positions(self, dims: int) -> int:
        """Give the positions that an answer takes behind the prompt.

        Args:
            dims: Numbers in an action.
        """
        return self.rows(dims) + 2 if self.single_pass else dims

    def not_answering(self, layers: int) -> tuple[int, ...]:
        """Give the decoder layers, from 0, whose keys the answer's rows do not look at.

        Args:
            layers: Decoder layers.
        """
        return ()

    def passes(self, dims: int) -> tuple[tuple[int, int], ...]:
        """Give the language model's passes after the prefill, where no draft shortens them.

        Args:
            dims: Numbers in an action.

        Returns:
            Of each pass the tokens of the answer in the cache before it, and its own tokens.
        """
        return ()

    def answer(self, dims: int) -> str:
        """Say in words what an answer is.

        Args:
            dims: Numbers in an action.
        """
        return f'{dims} tokens' if self.passes(dims) else f'{self.chunk} actions in one pass'

    @property
    def title(self) -> str:
        """Name of the model's kind, for people."""
        return self.family

    def check(self, vocab: int) -> None:
        """Check what depends on the decoder.

        Args:
            vocab: Rows of its embedding.

        Raises:
            ValueError: When a number does not fit.
        """
