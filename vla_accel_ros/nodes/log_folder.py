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


"""Where ROS writes its logs: it does not start where it cannot make that folder."""

from __future__ import annotations

import os
from pathlib import Path
import tempfile

VARIABLE = 'ROS_LOG_DIR'


def why_unusable() -> str:
    """Say why ROS could not write its logs where it would, empty where it can.

    That is ROS_LOG_DIR, else `log` in ROS_HOME, else `.ros/log` in HOME.
    """
    where = os.environ.get(VARIABLE)
    if not where:
        home = os.environ.get('ROS_HOME')
        if not home and not os.environ.get('HOME'):
            return 'HOME is not set'
        where = os.path.join(home or '~/.ros', 'log')
    try:
        folder = Path(where).expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ''
    except (OSError, ValueError, RuntimeError) as error:
        return f'{where} cannot be written: {getattr(error, "strerror", None) or error}'


def ensure_log_folder(folder: Path | None = None) -> None:
    """Have ROS write its logs somewhere; to be called before `rclpy.init`.

    A folder that the user chose by ROS_LOG_DIR, or the usual one, is kept where it can be written.

    Args:
        folder: Where to otherwise; a folder for temporary files when None.
    """
    if why_unusable():
        chosen = folder or Path(tempfile.gettempdir()) / f'vla_accel_ros_{os.getuid()}' / 'log'
        os.environ[VARIABLE] = str(chosen.absolute())
