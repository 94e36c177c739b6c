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

"""Says what ROS 2 there is, by really bringing up a node; run as a module by the doctor."""

import importlib.metadata
import json
import os
import sys

import rclpy
from rclpy.context import Context
from rclpy.utilities import get_rmw_implementation_identifier

from vla_accel_ros.ros.log_folder import ensure_log_folder


def main() -> int:
    """Print one line of JSON: `distro`, `origin`, `rmw`.

    Returns:
        0; a ROS 2 that does not work raises.
    """
    # That ROS cannot write its logs is another question.
    ensure_log_folder()
    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node('vla_accel_doctor', context=context)
    node.destroy_node()
    rclpy.shutdown(context=context)
    try:
        importlib.metadata.version('ros-rclpy')
        distro, origin = 'jazzy', 'wheels'
    except importlib.metadata.PackageNotFoundError:
        distro, origin = os.environ.get('ROS_DISTRO', 'unknown'), os.path.dirname(rclpy.__file__)
    rmw = get_rmw_implementation_identifier()
    print(json.dumps({'distro': distro, 'origin': origin, 'rmw': rmw}))
    return 0


if __name__ == '__main__':
    sys.exit(main())
