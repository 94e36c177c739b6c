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

"""ManiSkill 3, where it is installed, with a driver that draws here and the assets at hand."""

from __future__ import annotations

import os
from pathlib import Path
import sys
import warnings

from vla_accel_ros.environments.optional import import_optional
from vla_accel_ros.environments.simpler_protocol import SimplerTask

ASSETS = 'MS_ASSET_DIR'
_DRIVER = 'VK_ICD_FILENAMES'
_BRIDGE = Path('data', 'tasks', 'bridge_v2_real2sim_dataset')
_WIDOWX = Path('data', 'robots', 'widowx')
DOWNLOADS = ('bridge_v2_real2sim', 'widowx250s')
GET_ASSETS = f'set {ASSETS} to a folder that has it, or download all with ' + ' && '.join(
    f'python -m mani_skill.utils.download_asset -y {each}' for each in DOWNLOADS
)


def find_driver() -> None:
    """Let the driver draw that `make simpler` unpacked, unless the user chose another one."""
    # SAPIEN's own loader is what draws where the system has none: nothing to tell anyone.
    warnings.filterwarnings('ignore', 'Failed to find system libvulkan')
    own = Path(sys.prefix, 'vulkan', 'lvp.json')
    if _DRIVER not in os.environ and own.is_file():
        os.environ[_DRIVER] = str(own)


def check_driver() -> None:
    """Refuse to go on where SAPIEN cannot draw on the CPU.

    Raises:
        ValueError: When it cannot, or is not installed; says what to do.
    """
    find_driver()
    sapien = import_optional('sapien')
    try:
        sapien.render.RenderSystem(sapien.Device('cpu'))
    except RuntimeError as error:
        raise no_driver(error) from error


def import_maniskill():
    """Import ManiSkill and register its environments.

    Raises:
        ValueError: When it is not installed; says what to do.
    """
    find_driver()
    return import_optional('mani_skill.envs')


def require_assets(task: SimplerTask) -> None:
    """Refuse to go on without a task's assets: ManiSkill would ask on the terminal.

    Raises:
        ValueError: When a file or a folder is missing; names it, and how to get it.
    """
    root = Path(os.environ.get(ASSETS, '~/.maniskill')).expanduser()
    bridge = root / _BRIDGE
    needed = [
        root / _WIDOWX,
        bridge / 'stages' / task.stage,
        bridge / 'real_inpainting' / task.overlay,
        *(bridge / 'custom' / 'models' / model for model in task.models),
    ]
    for path in needed:
        if not path.exists():
            raise ValueError(f'{task.env_id} needs {path}, which is missing: {GET_ASSETS}')


def no_driver(error: Exception) -> ValueError:
    """Return what to say where no driver draws for SAPIEN."""
    return ValueError(
        f'SAPIEN finds no Vulkan driver that draws ({str(error).strip() or type(error).__name__}):'
        f' `make simpler` unpacks one, or set {_DRIVER} to that of Mesa 24.3 or newer (lavapipe '
        'draws on the CPU)'
    )
