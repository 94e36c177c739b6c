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

"""What projector and decoder layers take by visual tokens: counted for a device, or measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
import hashlib
import json
from pathlib import Path
import time

import torch

from vla_accel_ros.engines.device import RateMeter, Rates
from vla_accel_ros.engines.interface import Engine, EngineError, call
from vla_accel_ros.engines.planner import Costs, Curve
from vla_accel_ros.engines.programs.decoder import Span
from vla_accel_ros.engines.store import Store
from vla_accel_ros.engines.timings import machine
from vla_accel_ros.layers.cache import KVCache
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.cost.decoder import layers
from vla_accel_ros.models.cost.operations import Cost
from vla_accel_ros.models.cost.stages import CostModel
from vla_accel_ros.models.vla import VLA

# Rows beside the visual tokens: a usual prompt.
PROMPT = 24
# Operations that are started in a decoder layer and in a projector, by eager.
LAYER_STARTS, PROJECTOR_STARTS = 24, 8
REPEATS, LONGEST_S = 4, 0.4
FILE = 'token_costs.json'


def counted(config: VLAConfig, rates: Rates, weight_bytes: int, sizes: Sequence[int]) -> Costs:
    """Give the costs that a device's rates promise.

    Args:
        config: The model's.
        rates: The device's.
        weight_bytes: Bytes of a weight.
        sizes: Visual tokens, ascending.
    """

    def curve(cost: Callable[[int], Cost], starts: int) -> Curve:
        return Curve(
            tuple(
                (
                    size,
                    1e3
                    * (
                        cost(size).seconds(rates.matrix, rates.copy, weight_bytes)
                        + starts * rates.launch
                    ),
                )
                for size in sizes
            )
        )

    def one_layer(size: int) -> Cost:
        depth = config.decoder.layers
        rows = (size + PROMPT,) * depth
        return layers(config.decoder, rows, rows) * (1 / depth)

    return Costs(
        config.decoder.layers,
        curve(one_layer, LAYER_STARTS),
        curve(CostModel(config).projector, PROJECTOR_STARTS),
        1e3 * rates.launch,
    )


def measured(
    model: VLA, engine: Engine, new_cache: Callable[[int], KVCache], sizes: Sequence[int]
) -> Costs:
    """Time both on an engine.

    Args:
        model: The model.
        engine: What runs it.
        new_cache: Gives an empty cache of a capacity.
        sizes: Visual tokens, ascending.

    Raises:
        EngineError: When the engine cannot run them.
    """
    config, device, dtype = model.config, model.device, model.dtype
    decoder, depth = model.language_model.model, config.decoder.layers
    span = Span(decoder, 0, depth, not config.head.single_pass, False, True)

    def all_layers(size: int) -> None:
        rows = size + PROMPT
        given = {
            'x': torch.zeros(1, rows, config.decoder.width, device=device, dtype=dtype),
            'positions': torch.arange(rows, device=device),
            'rows': torch.arange(rows - 1, rows, device=device),
        }
        call(engine, span, given, {'new': new_cache(rows).room(0, depth, rows)})

    # The projector adds the coordinates itself.
    width = config.feature_width - (model.coordinates.shape[1] if config.coordinates else 0)
    features = torch.zeros(1, config.visual_tokens, width, device=device, dtype=dtype)

    def project(size: int) -> None:
        ids = torch.arange(size, device=device)
        call(engine, model.projection(True), {'features': features, 'ids': ids})

    by_layer = [(size, _ms(all_layers, size, device) / depth) for size in sizes]
    by_projector = [(size, _ms(project, size, device)) for size in sizes]
    meter = RateMeter(device, dtype, 0)
    meter.sample()
    return Costs(
        depth, Curve(tuple(by_layer)), Curve(tuple(by_projector)), 1e3 * meter.best().launch
    )


def _ms(work: Callable[[int], None], size: int, device: torch.device) -> float:
    """Time work at its best, after one run that does not count."""
    best, begun = float('inf'), time.perf_counter()
    work(size)
    for _ in range(REPEATS):
        start = time.perf_counter()
        work(size)
        if device.type == 'cuda':
            torch.cuda.synchronize(device)
        best = min(best, time.perf_counter() - start)
        if time.perf_counter() - begun > LONGEST_S:
            break
    return 1e3 * best


def kept_or_measured(
    model: VLA,
    engine: Engine,
    new_cache: Callable[[int], KVCache],
    sizes: Sequence[int],
    store: Store | None = None,
) -> Costs:
    """Give the costs that were measured before on this machine, else measure and keep them.

    Args:
        model: See `measured`.
        engine: See `measured`.
        new_cache: See `measured`.
        sizes: See `measured`.
        store: Where they are kept; the user's own if None. One that cannot be written is left.

    Raises:
        EngineError: When the engine cannot run them.
    """
    found: list[Costs] = []

    def build(folder: Path) -> None:
        found.append(measured(model, engine, new_cache, sizes))
        (folder / FILE).write_text(json.dumps(_plain(found[0])), encoding='utf-8')

    with suppress(EngineError, OSError, ValueError, KeyError, TypeError):
        folder = (Store() if store is None else store).get(_key(model, engine, sizes), build)
        if not found:
            return _read(json.loads((folder / FILE).read_text(encoding='utf-8')))
    return found[0] if found else measured(model, engine, new_cache, sizes)


def _key(model: VLA, engine: Engine, sizes: Sequence[int]) -> dict[str, str]:
    config = model.config
    shape = repr((config.decoder, config.feature_width, config.projector_layers, config.head))
    return {
        'kind': 'token costs',
        'shape': hashlib.sha256(shape.encode()).hexdigest()[:16],
        'sizes': ' '.join(map(str, sizes)),
        'engine': engine.name,
        'precision': engine.precision,
        'weights': str(model.dtype),
        'device': f'{model.device.type} of {machine()}',
        'threads': str(torch.get_num_threads()),
        'torch': torch.__version__,
    }


def _plain(costs: Costs) -> dict:
    return {
        'layers': costs.layers,
        'layer': costs.layer.points,
        'projector': costs.projector.points,
        'launch_ms': costs.launch_ms,
    }


def _read(found: dict) -> Costs:
    curves = (
        Curve(tuple((int(n), float(ms)) for n, ms in found[name]))
        for name in ('layer', 'projector')
    )
    return Costs(int(found['layers']), *curves, float(found['launch_ms']))
