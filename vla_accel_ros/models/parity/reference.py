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

"""Everything that a reference fixture stores, computed from its inputs by this package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
import re

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import call
from vla_accel_ros.engines.programs.decoder import Span
from vla_accel_ros.models.action_tokens import ActionStatistics, ActionTokens
from vla_accel_ros.models.families.openvla.checkpoint import LIBERO_CROP
from vla_accel_ros.models.passes import CachedPasses
from vla_accel_ros.models.preprocess import Preprocessor
from vla_accel_ros.models.resample import centre_crop, lanczos
from vla_accel_ros.models.tokenizer import end_prompt
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.pruning.scores import attention_rows

TOWER_NAMES = ('dino', 'siglip')
IMAGE = re.compile(r'image(\d+)')


def image_numbers(inputs: dict[str, np.ndarray]) -> list[int]:
    """Give the numbers k of which there is an `image{k}`."""
    return sorted(int(m[1]) for m in map(IMAGE.fullmatch, inputs) if m)


def _pixels(model: VLA, image: np.ndarray, **change) -> np.ndarray:
    return Preprocessor(replace(model.config, centre_crop=None, **change))([image])


def _cut(like: dict[str, np.ndarray], name: str, axis: int) -> int:
    """Give how many rows the fixture kept of an array of which it keeps the last ones."""
    if name not in like or like[name].ndim <= axis:
        raise ValueError(f'outputs.npz has no {name} of more than {axis} dimensions')
    return like[name].shape[axis]


@torch.inference_mode()
def outputs(
    model: VLA,
    inputs: dict[str, np.ndarray],
    like: dict[str, np.ndarray],
    answers: Mapping[str, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """Compute what `outputs.npz` holds.

    Args:
        model: On the CPU, in float32 or float64.
        inputs: `inputs.npz`: `image{k}` uint8 [h, w, 3], `input_ids{k}` int64 [1, n].
        like: The stored arrays; only ids of the token table and shapes are taken from them.
        answers: `gen_ids{k}` to follow, so that models of two types see the same tokens; each
            token is the likeliest one when None.

    Returns:
        Arrays by name.

    Raises:
        ValueError: When an image's token ids, or an array whose size is needed, is not there.
    """
    result: dict[str, np.ndarray] = {}
    tokens = ActionTokens(model.config.tokenizer_vocab, model.config.bins)
    numbers = image_numbers(inputs)
    for k in numbers:
        if f'input_ids{k}' not in inputs:
            raise ValueError(f'inputs.npz has image{k} but no input_ids{k}')
        image = inputs[f'image{k}']
        result[f'pixel_values{k}'] = _pixels(model, image)
        rows = _cut(like, f'attn_text_rows{k}', 2)
        columns = _cut(like, f'step_logits_action{k}', 1)
        arrays = _run(
            model,
            result[f'pixel_values{k}'],
            inputs[f'input_ids{k}'],
            rows,
            columns,
            None if answers is None else answers[f'gen_ids{k}'],
        )
        result |= {f'{name}{k}': value for name, value in arrays.items()}
        normalised = tokens.decode(result[f'gen_ids{k}'])
        for key, statistics in model.config.norm_stats.items():
            result[f'action_{key}{k}'] = ActionStatistics.from_dict(
                statistics['action']
            ).unnormalise(normalised)
    if numbers:
        first = inputs[f'image{numbers[0]}']
        for name, strategy in (('letterbox', 'letterbox'), ('resizecrop', 'resize-crop')):
            result[f'pixel_values_{name}{numbers[0]}'] = _pixels(model, first, resize=strategy)
    if 'tok_table_ids' in like:
        result['tok_table_ids'] = like['tok_table_ids']
        result['tok_table_value'] = tokens.decode(like['tok_table_ids'])
    return result


def _run(
    model: VLA,
    pixels: np.ndarray,
    input_ids: np.ndarray,
    rows: int,
    columns: int,
    answer: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Run one image and prompt through every stage, keeping what each one gives."""
    config = model.config
    ids = torch.tensor([end_prompt(input_ids[0].tolist(), config.prompt_end)])
    features = model.tower_features(torch.from_numpy(pixels).to(model.dtype), model.language(ids))
    widths = [config.towers[t].width for t in config.image_towers[0]]
    result = dict(zip(TOWER_NAMES, features[0].split(widths, dim=-1), strict=False))
    result['projector'] = visual = model.project(features)
    x = model.embed_prompt(ids, visual)
    length = x.shape[1]
    decoder, cache = model.language_model.model, model.new_cache(length + config.action_dims)
    positions, depth = torch.arange(length), config.decoder.layers
    hidden, weights, last = [x], [], x
    # By the programs that run on a robot, a span of one layer each: what is compared here, and
    # below the passes that decoders ask for, is what runs.
    for layer in range(depth):
        final, attends = layer + 1 == depth, layer in config.decoder.attending
        taps = (layer + 1,) if attends else ()
        done = call(
            EAGER,
            Span(decoder, layer, layer + 1, norm=final, taps=taps),
            {'x': last, 'positions': positions} | ({'rows': positions} if final else {}),
            {'new': cache.room(layer, layer + 1, length)},
        )
        cache.grow(length, layer, layer + 1)
        last = done['x']
        hidden.append(last)
        if not attends:
            continue
        queries, keys = done[f'queries.{layer + 1}'][0, :, length - rows :], done['new'][0, 0, 0]
        weights.append(attention_rows(queries, keys, positions[length - rows :], positions))
    result['hidden'] = torch.cat(hidden)
    result['attn_text_rows'] = torch.stack(weights)
    logits = model.language_model.lm_head(last[:, -1])
    result['last_logits'] = logits[0]

    def token(step: int) -> Tensor:
        return (
            steps[-1].argmax(-1) if answer is None else torch.from_numpy(answer[step : step + 1])
        )

    steps = [logits]
    ids_out = [token(0)]
    passes = CachedPasses(model.language_model, cache, length)
    for step in range(1, config.action_dims):
        steps.append(passes.extend(ids_out[-1], step - 1))
        ids_out.append(token(step))
    stacked = torch.cat(steps)
    result['gen_ids'] = torch.cat(ids_out)
    result['step_logits_action'] = stacked[:, -columns:]
    best = stacked.topk(2, dim=-1).values
    result['gap'] = best[:, 0] - best[:, 1]
    return {name: value.numpy() for name, value in result.items()}


def crops(size: int, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Compute what `crop_outputs.npz` holds.

    Args:
        size: Side of the model's images, pixels.
        inputs: `inputs.npz`.

    Returns:
        `lanczos{k}`, and `crop{k}_{width}`: of the Lanczos-resized image where the width is the
        model's size, of the camera's own otherwise.
    """
    result: dict[str, np.ndarray] = {}
    for k in image_numbers(inputs):
        image = inputs[f'image{k}']
        result[f'lanczos{k}'] = resized = lanczos(image, size, size)
        for source in (resized, image):
            result[f'crop{k}_{source.shape[1]}'] = centre_crop(source, LIBERO_CROP, size)
    return result
