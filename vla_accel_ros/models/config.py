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

"""A model's configuration: its shape, what goes in and out of it, and which head it has."""

from __future__ import annotations

from dataclasses import dataclass, field

from vla_accel_ros.files.kinds import (
    Flag,
    Maybe,
    Number,
    Object,
    Part,
    Several,
    Whole,
    Word,
    check_fields,
    of,
)
from vla_accel_ros.inputs.views import RESIZES
from vla_accel_ros.layers.shapes import DecoderConfig, TowerConfig, require
from vla_accel_ros.models.heads.config import HeadConfig

MOST_VIEWS = 16
LAYERS = 'language_model.model.layers.'
PROMPTS = ('v0.1', 'v0.2')


@dataclass(frozen=True)
class VLAConfig:
    """Everything that shapes a model and what goes in and out of it.

    Attributes:
        towers: The vision transformers.
        decoder: The language model.
        head: What the family has behind the prompt.
        image_towers: For each image, the towers that see it, by index.
        image_size: Side of the square image that the towers see, pixels.
        resize: `resize-naive`, `letterbox` or `resize-crop`.
        centre_crop: Share of the image's area kept by a centre crop before all else, or None.
        coordinates: Whether each patch's x and y in -1..1 are appended to its features.
        projector_layers: 3 (OpenVLA's fused towers), 2 (its single tower) or 1 (PaliGemma).
        film: Whether the towers are modulated by the mean prompt embedding (OFT's FiLM).
        tokenizer_vocab: Vocabulary without padding; action ids are the last `bins` of it.
        bins: Action bins, one more than their centres.
        action_dims: Numbers in an action.
        prompt: `v0.2` (In: ... Out:) or `v0.1` (chat).
        prompt_end: Token that must end the prompt, appended if missing, or None.
        gripper_open_is_one: Whether the checkpoint's gripper is 1 when open; the product's is
            1 when closed.
        norm_stats: Statistics by data set, as OpenVLA stores them.

    Raises:
        ValueError: When the numbers do not fit together.
    """

    towers: tuple[TowerConfig, ...] = field(metadata=of(Several(Part(TowerConfig), 1, MOST_VIEWS)))
    decoder: DecoderConfig = field(metadata=of(Part(DecoderConfig)))
    head: HeadConfig
    image_towers: tuple[tuple[int, ...], ...] = field(
        default=((0, 1),),
        metadata=of(Several(Several(Whole(0, MOST_VIEWS - 1), 1, MOST_VIEWS), 0, MOST_VIEWS)),
    )
    image_size: int = field(default=224, metadata=of(Whole(1, 4096)))
    resize: str = field(default='resize-naive', metadata=of(Word(RESIZES)))
    centre_crop: float | None = field(default=None, metadata=of(Maybe(Number(0.01, 1))))
    coordinates: bool = field(default=False, metadata=of(Flag()))
    projector_layers: int = field(default=3, metadata=of(Whole(1, 3)))
    film: bool = field(default=False, metadata=of(Flag()))
    tokenizer_vocab: int = field(default=32000, metadata=of(Whole(1, 2**21)))
    bins: int = field(default=256, metadata=of(Whole(2, 2**16)))
    action_dims: int = field(default=7, metadata=of(Whole(1, 256)))
    prompt: str = field(default='v0.2', metadata=of(Word(PROMPTS)))
    prompt_end: int | None = field(default=29871, metadata=of(Maybe(Whole(0, 2**21))))
    gripper_open_is_one: bool = field(default=True, metadata=of(Flag()))
    norm_stats: dict = field(default_factory=dict, metadata=of(Object()))

    def __post_init__(self) -> None:
        check_fields(self)
        require(bool(self.image_towers), 'image_towers is empty, expected at least one image')
        names = [tower.name for tower in self.towers]
        require(len(set(names)) == len(names), f'tower names {names} are not unique')
        for image in self.image_towers:
            require(
                all(t < len(self.towers) for t in image),
                f'image_towers names towers {image}, there are {len(self.towers)}',
            )
        for tower in self.towers:
            require(
                self.image_size >= tower.patch
                and (tower.patch_embed == 'conv' or self.image_size % tower.patch == 0),
                f'image_size {self.image_size} does not hold whole patches of {tower.patch}',
            )
        require(
            len({self.towers[t].patch for image in self.image_towers for t in image}) == 1,
            'towers differ in patch size, so their tokens do not line up',
        )
        widths = {sum(self.towers[t].width for t in image) for image in self.image_towers}
        require(len(widths) == 1, f'images differ in feature width: {sorted(widths)}')
        require(
            self.bins < self.tokenizer_vocab <= self.decoder.vocab,
            f'tokenizer_vocab {self.tokenizer_vocab} is not between {self.bins} bins and the '
            f'{self.decoder.vocab} rows of the embedding',
        )
        vocab = self.decoder.vocab
        self.head.check(vocab)
        require(
            self.prompt_end is None or self.prompt_end < vocab,
            f'prompt_end is {self.prompt_end} (as it also is where it is not given), which is '
            f'beyond the vocabulary of {vocab}: expected a token of it, or null',
        )
        longest = self.decoder.max_positions
        # One token of the prompt at the least, and BOS.
        length = self.visual_tokens + self.slots + 2
        require(
            length <= longest,
            f'max_positions of the decoder is {longest}, and {self.visual_tokens} visual tokens '
            f'with {self.slots} of the answer make at least {length}',
        )

    @property
    def cameras(self) -> int:
        """Views that the checkpoint wants."""
        return len(self.image_towers)

    @property
    def channels(self) -> int:
        """Channels of the stacked pixel values: three for each image and tower."""
        return 3 * sum(len(image) for image in self.image_towers)

    @property
    def grid(self) -> int:
        """Patches along one side of an image."""
        return self.image_size // self.towers[self.image_towers[0][0]].patch

    @property
    def tokens_per_image(self) -> int:
        """Visual tokens of one image."""
        return self.grid**2

    @property
    def visual_tokens(self) -> int:
        """Visual tokens of all images."""
        return self.cameras * self.tokens_per_image

    def leaves_out(self, name: str) -> bool:
        """Say whether a stored tensor belongs to a part of the decoder that is left out."""
        return name.startswith(LAYERS) and not self.decoder.runs(name.removeprefix(LAYERS))

    @property
    def proprio(self) -> int:
        """Numbers of proprioception that the checkpoint wants, 0 for none."""
        return self.head.proprio

    @property
    def slots(self) -> int:
        """Rows of the decoder's sequence that an answer takes, 0 where it stands elsewhere."""
        return self.head.rows(self.action_dims)

    @property
    def behind(self) -> int:
        """Positions that an answer takes behind the prompt."""
        return self.head.positions(self.action_dims)

    @property
    def passes(self) -> tuple[tuple[int, int], ...]:
        """Passes of the language model after the prefill; see `HeadConfig.passes`."""
        return self.head.passes(self.action_dims)

    @property
    def feature_width(self) -> int:
        """Channels of a patch as the projector sees it."""
        towers = sum(self.towers[t].width for t in self.image_towers[0])
        return towers + 2 * self.coordinates
