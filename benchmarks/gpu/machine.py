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

"""What the machine has: packages, its GPU, and which engines answer there as eager does."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
import json
from pathlib import Path
import shutil
import sys
import time
from typing import Any

from benchmarks.gpu.plan import COMPILING
from vla_accel_ros.evaluation import conditions

# What the measurements need, and what becomes of those that are missing.
NEEDED = {
    'numpy': 'nothing runs without it',
    'torch': 'nothing runs without it',
    'PIL': 'images of other sizes cannot be fitted',
    'cv2': 'SP-VLA cannot look for edges',
    'transformers': 'the plain baseline is left out',
    'safetensors': 'checkpoint folders cannot be read',
    'tokenizers': 'checkpoint folders cannot be read',
    'triton': 'compile cannot be used',
    'tensorrt': 'the engine tensorrt is left out',
    'pytest': 'the tests marked gpu are run by a small runner of their own',
    'hypothesis': 'the tests marked gpu are run by a small runner of their own',
}


def missing() -> dict[str, str]:
    """List the packages that are missing, and what that means."""
    return {name: means for name, means in NEEDED.items() if find_spec(name) is None}


def gpu() -> dict[str, Any]:
    """Give what torch knows of the GPU, and what is needed to compile for it."""
    import torch

    if not torch.cuda.is_available():
        return {'name': None, 'compiler': shutil.which('gcc') or shutil.which('cc')}
    facts = torch.cuda.get_device_properties(0)
    return {
        'name': facts.name,
        'capability': f'{facts.major}.{facts.minor}',
        'memory_gib': round(facts.total_memory / 2**30, 1),
        'multiprocessors': facts.multi_processor_count,
        'cuda': torch.version.cuda,
        'compiler': shutil.which('gcc') or shutil.which('cc'),
    }


# They take minutes, and have a part of their own.
NOT_TRIED = COMPILING


def engines(device: str, wanted: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Try engines on a small model: whether it answers as eager does, and what that takes."""
    from vla_accel_ros.engines import registry

    found: dict[str, dict[str, Any]] = {}
    for name in wanted:
        begin = time.monotonic()
        known = name in registry.names()
        why = registry.find(name).probe() if known else 'there is no such engine'
        if why is None and name not in NOT_TRIED:
            try:
                why = _differs(name, device)
            except Exception as error:  # whatever a library does, the others are tried
                why = f'{type(error).__name__}: {" ".join(str(error).split())[:300]}'
        found[name] = {'works': why is None, 'why': why, 'seconds': time.monotonic() - begin}
    return found


def _differs(name: str, device: str) -> str | None:
    """Say why a small model does not run on an engine as on eager, None where it does."""
    import torch

    from vla_accel_ros.bench.subjects import of_config
    from vla_accel_ros.engines.wish import EngineWish
    from vla_accel_ros.models.engine_choice import use_engine
    from vla_accel_ros.models.presets import embedded

    config = embedded(300, image_size=64, tower_width=32, width=64, layers=2, heads=2)
    policy = of_config('small', config, device, torch.float32).policy()
    # Compared with eager before it is used.
    in_use = use_engine(policy, EngineWish(name, engine_required=True))
    return None if in_use.name == name else str(in_use)


def main() -> int:
    """Look, and write down after each step what is known by then."""
    device, wanted, out = sys.argv[1], sys.argv[2].split(','), Path(sys.argv[3])
    found: dict[str, Any] = {'missing': missing()}
    steps = {'machine': conditions.machine, 'gpu': gpu, 'engines': lambda: engines(device, wanted)}
    for name, step in steps.items():
        found[name] = step()
        out.write_text(json.dumps(found, indent=1) + '\n', encoding='utf-8')
    print(json.dumps(found, indent=1))
    return 0


if __name__ == '__main__':
    sys.exit(main())
