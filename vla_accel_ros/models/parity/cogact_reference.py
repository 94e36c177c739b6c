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

"""Everything that a CogACT fixture stores, computed by this package."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
import re

import numpy as np
import torch
from torch import Tensor

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import call
from vla_accel_ros.engines.programs.diffusion import Condition, Denoise
from vla_accel_ros.layers.dit import embed_times
from vla_accel_ros.models.action_tokens import ActionStatistics
from vla_accel_ros.models.checkpoints.folder import load
from vla_accel_ros.models.checkpoints.json_file import read_json
from vla_accel_ros.models.heads.diffusion import alphas, betas, kept_times
from vla_accel_ros.models.heads.diffusion_head import DiffusionHead
from vla_accel_ros.models.heads.interface import Ask
from vla_accel_ros.models.parity import cogact_prefix as prefix
from vla_accel_ros.models.parity.comparison import (
    Comparison,
    FixtureError,
    answers_of,
    compare_all,
    needed,
    read_arrays,
    rows_of,
    tolerance_of,
)
from vla_accel_ros.models.parity.reference import image_numbers
from vla_accel_ros.models.parity.rounding import decide
from vla_accel_ros.models.preprocess import Preprocessor, fit
from vla_accel_ros.models.tokenizer import load_prompt_encoder
from vla_accel_ros.pruning.interface import Scene
from vla_accel_ros.pruning.registry import create
from vla_accel_ros.scheduling.ensemble import Ensemble

TOLERANCES = (
    (r'pixels_.*', 1e-6),
    (r'dino_.*|siglip_.*|attn_.*|timestep_embedding_.*|t_embedder_.*', 1e-5),
    (r'projector_.*|hidden_.*|.*cognition_.*', 1e-4),
    (r'eps_.*|dit_hidden_.*|ddim\d+_(sample|pred_clean|nocfg_sample)_.*', 1e-4),
    (r'pruned_.*|(batch_)?(normalised|actions).*', 1e-4),
    (r'ddpm_.*|ddim\d+_alphas_cumprod|ensemble_.*', 1e-12),
)
ENSEMBLE = re.compile(r'ensemble_h(\d+)_a([\d.]+)')
PRUNED = re.compile(r'pruned_after(\d+)_cognition_(\d+)')
WALK = re.compile(r'ddim(\d+)_(sample|timesteps|alphas_cumprod|nocfg_sample)')


def verify_cogact(folder: str | Path) -> list[Comparison]:
    """Run a fixture folder through this package, in float32 on the CPU.

    Args:
        folder: A CogACT's, with `inputs.json`, `inputs.npz` and `outputs.npz`.

    Returns:
        One comparison an array.

    Raises:
        CheckpointError: When the checkpoint does not load.
        FixtureError: When a file of arrays is missing, corrupt or without an array that is
            needed.
    """
    folder = Path(folder)
    stored = read_arrays(folder / 'outputs.npz')
    reference = Reference(folder, torch.float32)
    answers_of(folder / 'outputs.npz', stored, (f'actions_{k}' for k in reference.numbers))
    # A fixture may hold a part of what is computed; nothing that it holds is left out.
    ours = {name: value for name, value in reference.outputs(stored).items() if name in stored}

    def exact(_: Iterable[str]) -> dict[str, np.ndarray]:
        return Reference(folder, torch.float64).outputs(stored)

    return decide(
        compare_all(ours, stored, partial(tolerance_of, tolerances=TOLERANCES)), ours, exact
    )


class Reference:
    """A fixture's model, and its inputs.

    Args:
        folder: The fixture.
        dtype: To compute in.
    """

    def __init__(self, folder: Path, dtype: torch.dtype) -> None:
        self._folder, self._dtype = folder, dtype
        self._file = folder / 'inputs.npz'
        self._inputs, self._said = read_arrays(self._file), _Said(folder)
        self.model = load(folder, 'cpu', dtype)
        config, key = self.model.config, self._said['unnorm_key']
        if key not in config.norm_stats:
            raise FixtureError(f'{folder}/inputs.json has unnorm_key {key!r}, not a data set')
        self._statistics = ActionStatistics.from_dict(config.norm_stats[key]['action'])
        self._head = DiffusionHead(self.model, self._statistics)
        self._encode = load_prompt_encoder(folder, config)
        self._pixels = Preprocessor(config)
        self.numbers = image_numbers(self._inputs)
        told = self._said['instructions']
        if not self.numbers or not isinstance(told, list) or len(told) <= self.numbers[-1]:
            raise FixtureError(
                f'{folder} has the images {self.numbers}, expected some, and for each an '
                'instruction in inputs.json'
            )

    @torch.inference_mode()
    def outputs(self, like: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Compute what `outputs.npz` holds.

        Args:
            like: The stored arrays; only names and shapes are taken.

        Raises:
            FixtureError: When an input is not there.
        """
        found: dict[str, np.ndarray] = {}
        features = []
        for k in self.numbers:
            ask = self._ask(k)
            found |= self._of_image(k, ask, like)
            features.append(prefix.feature(self.model, ask, self._keep_all))
            found[f'cognition_{k}'] = features[-1][0].numpy()
            found |= self._of_head(k, features[-1], like)
        found |= self._batch(features) | self._schedule(like)
        for name, match in _matches(ENSEMBLE, like):
            found[name] = self._ensemble(int(match[1]), float(match[2]))
        return found

    @property
    def _keep_all(self):
        return create('none', prefix.layout_of(self.model.config))

    def _ask(self, k: int) -> Ask:
        config = self.model.config
        image = fit(self._array(f'image{k}', (None, None, 3)), config)
        pixels = torch.from_numpy(self._pixels([image], resized=True)).to(self._dtype)
        ids = torch.tensor([self._encode(self._said['instructions'][k])])
        return Ask(pixels, ids, None, Scene((image,)))

    def _of_image(self, k: int, ask: Ask, like: Mapping[str, np.ndarray]) -> dict:
        """Give what is stored of prompt, pixels, towers and language model."""
        found = {f'input_ids_{k}': ask.ids.numpy()}
        if f'pixels_dino_{k}' in like:
            step = ask.pixels.shape[-1] // like[f'pixels_dino_{k}'].shape[-1]
            for name, part in zip(prefix.TOWERS, ask.pixels[0].split(3), strict=True):
                found[f'pixels_{name}_{k}'] = part[:, ::step, ::step].numpy()
        stages, config = {}, self.model.config
        if f'projector_{k}' in like:
            stages |= prefix.towers(self.model, ask.pixels)
        if f'hidden_{k}' in like:
            stages |= prefix.layers(self.model, ask)
        if f'siglip_attn_received_{k}' in like:
            whole = prefix.whole_towers(config)
            model = load(self._folder, 'cpu', self._dtype, config=whole)
            stages['siglip_attn_received'] = prefix.received(model, ask.pixels)
        found |= {f'{name}_{k}': value for name, value in prefix.plain(stages).items()}
        for name, match in _matches(PRUNED, like):
            if int(match[2]) == k:
                kept = rows_of(self._file, self._inputs, 'keep_visual', config.visual_tokens)
                pruner = prefix.KeepThese(config, kept, int(match[1]))
                feature = prefix.feature(self.model, ask, pruner)
                found[name] = feature[0].numpy()
                sample = self._denoised(k, feature, self._said['num_ddim_steps'])[0][-1]
                found[name.replace('cognition', 'sample')] = sample
        return found

    # -- the head --------------------------------------------------------------------------------

    def _of_head(self, k: int, feature: Tensor, like: Mapping[str, np.ndarray]) -> dict:
        found: dict[str, np.ndarray] = {}
        for name, match in _matches(WALK, like, f'_{k}'):
            steps = int(match[1])
            if match[2] == 'nocfg_sample':
                found[name] = self._denoised(k, feature, steps, guided=False)[0][-1]
            elif match[2] == 'sample':
                samples, clean = self._denoised(k, feature, steps)
                found[name] = samples
                if (other := name.replace('sample', 'pred_clean')) in like:
                    found[other] = clean
        found |= self._noises(k, feature, like)
        last = self._denoised(k, feature, self._said['num_ddim_steps'])[0][-1]
        found |= self._actions(last, 'normalised_{}', 'actions_{}', k)
        return found

    def _actions(self, sample: np.ndarray, normalised: str, actions: str, k: object) -> dict:
        values = self._head.read(sample)
        return {normalised.format(k): values, actions.format(k): self._unnormalised(values)}

    def _unnormalised(self, values: np.ndarray) -> np.ndarray:
        return self._statistics.unnormalise(values, self.model.config.head.span_added)

    def _denoised(
        self, k: int, feature: Tensor, steps: int, guided: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """Give the samples [steps, chunk, dims] and what each step takes for clean."""
        noise = torch.from_numpy(self._noise(k)).to(self._dtype)
        self._head.denoise_in(steps)
        walk = list(self._head.walk(feature, noise, self._guidance(guided)))
        return (
            torch.cat([step.x for step in walk]).numpy(),
            torch.cat([step.clean for step in walk]).numpy(),
        )

    def _guidance(self, guided: bool) -> float:
        return float(self._said['cfg_scale']) if guided else 1.0

    def _noises(self, k: int, feature: Tensor, like: Mapping[str, np.ndarray]) -> dict:
        """Give the predicted noise at the stored times, and the way to it."""
        net, found = self.model.action_model, {}
        times = torch.from_numpy(self._array('dit_timesteps'))
        x = torch.from_numpy(self._noise(k)).to(self._dtype)
        embedded, scales = net.t_embedder(times), torch.ones(4, dtype=self._dtype)
        both = call(EAGER, Condition(net, True), {'feature': feature})['condition']
        kinds = {'cond': (both[:1], 0.0), 'uncond': (both[1:], 0.0)}
        kinds['cfg'] = (both, self._guidance(True))
        for kind, (condition, guidance) in kinds.items():
            given = {'x': x, 'condition': condition, 'scales': scales}
            rows = [
                call(EAGER, Denoise(net, guidance), {**given, 'time': time})['noise'][0]
                for time in embedded
            ]
            found[f'eps_{kind}_{k}'] = torch.stack(rows).numpy()
        if f'timestep_embedding_{k}' in like:
            size = net.config.frequencies
            found[f'timestep_embedding_{k}'] = embed_times(times, size, self._dtype).numpy()
            found[f't_embedder_{k}'] = embedded.numpy()
        for name, match in _matches(re.compile(r'dit_hidden_t(\d+)'), like, f'_{k}'):
            collected: list[Tensor] = []
            net(x, both[:1] + net.t_embedder(torch.tensor([int(match[1])])), collected)
            found[name] = torch.cat(collected).numpy()
        return found

    def _batch(self, features: list[Tensor]) -> dict[str, np.ndarray]:
        """Give both answers as the head gives them in one batch."""
        noise = [self._noise(k) for k in self.numbers]
        self._head.denoise_in(self._said['num_ddim_steps'])
        walk = self._head.walk(
            torch.cat(features),
            torch.from_numpy(np.concatenate(noise)).to(self._dtype),
            self._guidance(True),
        )
        return self._actions(list(walk)[-1].x.numpy(), '{}_normalised', '{}_actions', 'batch')

    def _schedule(self, like: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        steps = self.model.config.head.schedule
        found = {'ddpm_betas': betas(steps), 'ddpm_alphas_cumprod': alphas(steps)}
        for name, match in _matches(WALK, like):
            times = kept_times(steps, int(match[1]))
            found[name] = times if match[2] == 'timesteps' else alphas(steps)[times]
        return found

    def _ensemble(self, horizon: int, alpha: float) -> np.ndarray:
        ensemble, rows = Ensemble(horizon, alpha), []
        for step, chunk in enumerate(self._array('ensemble_chunks')):
            ensemble.add(chunk, step)
            rows.append(ensemble.rows(step)[0])
        return np.stack(rows)

    def _noise(self, k: int) -> np.ndarray:
        config = self.model.config
        return self._array(f'noise{k}', (1, config.head.chunk, config.action_dims))

    def _array(self, name: str, shape: Sequence[int | None] = ()) -> np.ndarray:
        return needed(self._file, self._inputs, name, shape)


class _Said(dict):
    """What `inputs.json` holds; an entry that is missing is said to be missing in it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / 'inputs.json'
        super().__init__(read_json(self._file))

    def __missing__(self, name: str) -> object:
        raise FixtureError(f'{self._file} has no entry {name}')


def _matches(pattern: re.Pattern, names: Iterable[str], ending: str = ''):
    """Yield the names that a pattern fits, the same ending behind it, with what it found."""
    for name in names:
        match = pattern.fullmatch(name.removesuffix(ending)) if name.endswith(ending) else None
        if match:
            yield name, match
