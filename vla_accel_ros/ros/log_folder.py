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
        return (
            f'{os.path.expanduser(where)} cannot be written: '
            f'{getattr(error, "strerror", None) or error}'
        )


def use_log_folder(folder: Path) -> None:
    """Have ROS write its logs into a run's own folder, unless the user has chosen a good one.

    Also for the processes that are started from here; to be called before `rclpy.init`.

    Args:
        folder: ROS makes it.
    """
    if not os.environ.get(VARIABLE) or why_unusable():
        os.environ[VARIABLE] = str(folder.absolute())


def ensure_log_folder() -> None:
    """Have ROS write its logs with the temporary files where it cannot where it would.

    To be called before `rclpy.init`, which fails otherwise.
    """
    if why_unusable():
        os.environ[VARIABLE] = str(
            Path(tempfile.gettempdir()) / f'vla_accel_ros_{os.getuid()}' / 'log'
        )
