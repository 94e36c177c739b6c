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

"""One family of configurations: OpenVLA-7B, its tiny fixtures and the embedded model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


@dataclass(frozen=True)
class TowerConfig:
    """Shape of one vision transformer.

    Attributes:
        name: Its name below `vision_backbone.` among the checkpoint's tensors.
        width: Channels of a token.
        depth: Blocks that the checkpoint has; those after `feature_block` never run.
        heads: Attention heads; divides `width`.
        mlp: Hidden channels of the MLP.
        patch: Pixels along the side of the square that one token sees.
        class_token: Whether a class token stands before the patches.
        registers: Register tokens before the patches.
        layer_scale: Whether each residual branch is scaled by a learned vector.
        attention_pool: Whether the checkpoint has a pooling head (SigLIP; it never runs).
        feature_block: Block whose output are the features, as a Python index; OpenVLA: -2.
        patch_embed: `conv` (one convolution of the patch's size, that is, linear) or `stem`
            (three stride-2 convolutions, then one to the token grid).
        stem: Channels of the stem's three convolutions.
        mean: Mean of the RGB channels, in 0..1, for normalisation.
        std: Standard deviation of the same.

    Raises:
        ValueError: When the numbers do not fit together.
    """

    name: str = 'featurizer'
    width: int = 1024
    depth: int = 24
    heads: int = 16
    mlp: int = 4096
    patch: int = 14
    class_token: bool = False
    registers: int = 0
    layer_scale: bool = False
    attention_pool: bool = False
    feature_block: int = -2
    patch_embed: str = 'conv'
    stem: tuple[int, int, int] = (32, 64, 128)
    mean: tuple[float, float, float] = HALF
    std: tuple[float, float, float] = HALF

    def __post_init__(self) -> None:
        for name in ('stem', 'mean', 'std'):
            object.__setattr__(self, name, tuple(getattr(self, name)))
            _require(len(getattr(self, name)) == 3, f'tower {name} has not 3 entries')
        _require(
            self.heads > 0 and self.width % self.heads == 0,
            f'tower width {self.width} is no multiple of its {self.heads} heads',
        )
        _require(
            -self.depth <= self.feature_block < self.depth,
            f'feature_block {self.feature_block} is none of the {self.depth} blocks',
        )
        _require(
            self.patch_embed in ('conv', 'stem'),
            f"patch_embed is '{self.patch_embed}', expected 'conv' or 'stem'",
        )
        _require(
            self.patch_embed == 'conv' or self.patch % 8 == 0,
            f'a stem needs a patch that is a multiple of 8, not {self.patch}',
        )

    @property
    def prefix(self) -> int:
        """Tokens before the patches: class token and registers."""
        return int(self.class_token) + self.registers

    @property
    def blocks(self) -> int:
        """Blocks that run, so that the output of the last one are the features."""
        return self.feature_block % self.depth + 1


@dataclass(frozen=True)
class DecoderConfig:
    """Shape of the Llama decoder.

    Attributes:
        width: Channels of the residual stream.
        layers: Decoder layers.
        heads: Query heads.
        kv_heads: Key and value heads; divides `heads`.
        mlp: Hidden channels of the gated MLP.
        vocab: Rows of the embedding table and of the output head, padding included.
        rope_theta: Base of the rotary embedding.
        rms_eps: Added to the mean square in RMSNorm.
        max_positions: Longest sequence the model was made for.

    Raises:
        ValueError: When the numbers do not fit together.
    """

    width: int = 4096
    layers: int = 32
    heads: int = 32
    kv_heads: int = 32
    mlp: int = 11008
    vocab: int = 32064
    rope_theta: float = 10000.0
    rms_eps: float = 1e-6
    max_positions: int = 2048

    def __post_init__(self) -> None:
        _require(self.layers > 0, f'decoder has {self.layers} layers, expected at least 1')
        _require(
            self.heads > 0 and self.width % (2 * self.heads) == 0,
            f'decoder width {self.width} does not give {self.heads} heads of even width',
        )
        _require(
            self.kv_heads > 0 and self.heads % self.kv_heads == 0,
            f'{self.heads} query heads are no multiple of {self.kv_heads} key heads',
        )

    @property
    def head_width(self) -> int:
        """Channels of one head."""
        return self.width // self.heads


@dataclass(frozen=True)
class VLAConfig:
    """Everything that shapes a model and what goes in and out of it.

    Attributes:
        towers: The vision transformers.
        decoder: The language model.
        image_towers: For each image, the towers that see it, by index.
        image_size: Side of the square image that the towers see, pixels.
        resize: `resize-naive`, `letterbox` or `resize-crop`.
        centre_crop: Share of the image's area kept by a centre crop before all else, or None.
        coordinates: Whether each patch's x and y in -1..1 are appended to its features.
        projector_layers: 3 (OpenVLA's fused towers) or 2 (single-tower checkpoints).
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

    towers: tuple[TowerConfig, ...]
    decoder: DecoderConfig
    image_towers: tuple[tuple[int, ...], ...] = ((0, 1),)
    image_size: int = 224
    resize: str = 'resize-naive'
    centre_crop: float | None = None
    coordinates: bool = False
    projector_layers: int = 3
    film: bool = False
    tokenizer_vocab: int = 32000
    bins: int = 256
    action_dims: int = 7
    prompt: str = 'v0.2'
    prompt_end: int | None = 29871
    gripper_open_is_one: bool = True
    norm_stats: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, 'towers', tuple(
            TowerConfig(**t) if isinstance(t, dict) else t for t in self.towers))
        if isinstance(self.decoder, dict):
            object.__setattr__(self, 'decoder', DecoderConfig(**self.decoder))
        object.__setattr__(
            self, 'image_towers', tuple(tuple(image) for image in self.image_towers))
        _require(bool(self.image_towers), 'image_towers is empty, expected at least one image')
        names = [tower.name for tower in self.towers]
        _require(len(set(names)) == len(names), f'tower names {names} are not unique')
        for image in self.image_towers:
            _require(
                bool(image) and all(0 <= t < len(self.towers) for t in image),
                f'image_towers names towers {image}, there are {len(self.towers)}',
            )
        for tower in self.towers:
            _require(
                self.image_size >= tower.patch
                and (tower.patch_embed == 'conv' or self.image_size % tower.patch == 0),
                f'image_size {self.image_size} does not hold whole patches of {tower.patch}',
            )
        _require(
            len({self.towers[t].patch for image in self.image_towers for t in image}) == 1,
            'towers differ in patch size, so their tokens do not line up',
        )
        widths = {sum(self.towers[t].width for t in image) for image in self.image_towers}
        _require(len(widths) == 1, f'images differ in feature width: {sorted(widths)}')
        resizes = ('resize-naive', 'letterbox', 'resize-crop')
        _require(self.resize in resizes, f"resize is '{self.resize}', expected one of {resizes}")
        _require(
            self.centre_crop is None or 0 < self.centre_crop <= 1,
            f'centre_crop is {self.centre_crop}, expected an area in (0, 1]',
        )
        _require(
            self.projector_layers in (2, 3),
            f'projector_layers is {self.projector_layers}, expected 2 or 3',
        )
        _require(
            self.prompt in ('v0.1', 'v0.2'), f"prompt is '{self.prompt}', expected v0.1 or v0.2")
        _require(
            self.bins < self.tokenizer_vocab <= self.decoder.vocab,
            f'tokenizer_vocab {self.tokenizer_vocab} is not between {self.bins} bins and the '
            f'{self.decoder.vocab} rows of the embedding',
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
        return self.grid ** 2

    @property
    def visual_tokens(self) -> int:
        """Visual tokens of all images."""
        return self.cameras * self.tokens_per_image

    @property
    def feature_width(self) -> int:
        """Channels of a patch as the projector sees it."""
        towers = sum(self.towers[t].width for t in self.image_towers[0])
        return towers + 2 * self.coordinates

    def to_dict(self) -> dict:
        """Give plain values that JSON can hold and `from_dict` takes."""
        return asdict(self)

    @classmethod
    def from_checkpoint(cls, folder) -> VLAConfig:
        """Read a checkpoint folder's configuration, ours or a public OpenVLA's.

        Raises:
            CheckpointError: When a file is missing or does not say what is needed.
        """
        from .config_file import read_config

        return read_config(folder)

    @classmethod
    def from_dict(cls, values: dict) -> VLAConfig:
        """Build from `to_dict`'s values.

        Raises:
            ValueError: When there is an unknown name or a missing one.
        """
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(values) - known)
        _require(not unknown, f'unknown configuration names {unknown}')
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(f'configuration: {error}') from error
