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


"""An end for nodes whose launcher has died: nobody would stop them, and the arm would go on."""

from __future__ import annotations

import os
import signal

from vla_accel_ros import stopping

VARIABLE = 'VLA_ACCEL_END_WITH_PARENT'


def end_with_parent() -> bool:
    """Have the system send SIGINT to this process when the one that started it dies.

    `ros2 launch` that is killed, and sometimes one that is terminated, leaves its nodes
    behind. Only where the environment variable `VARIABLE` holds the launcher's process id, as
    launch file and demo have it: a node started from a shell may outlive it. Linux only.

    Returns:
        Whether it is so from now on.
    """
    launcher = os.environ.get(VARIABLE)
    return bool(launcher) and stopping.end_with_parent(signal.SIGINT, int(launcher))
