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

"""Measure the camera node: from a driver's publish to `vla/frame`, over real DDS.

Driver and listener are one process, so one clock; the camera node is another, as on a robot.
Runs with the shared-memory profile of `config/fastdds.xml`, or another for comparison.
"""

from __future__ import annotations

import argparse
from array import array
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
from time import monotonic

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
WARM_UP = 30


def drive(width: int, height: int, rate: float, seconds: float) -> dict[str, float]:
    """Publish frames to a camera node in a child process and time what comes back.

    Returns:
        Frames sent and received, and percentiles of the latency in milliseconds.
    """
    import rclpy
    from sensor_msgs.msg import Image

    from vla_accel_ros.nodes import qos
    from vla_accel_ros.nodes.messages import to_ns
    from vla_accel_ros.nodes.spin import make_executor

    child = subprocess.Popen([sys.executable, '-m', 'vla_accel_ros.nodes.camera'], cwd=ROOT)
    rclpy.init()
    node = rclpy.create_node('driver')
    executor = make_executor()
    executor.add_node(node)
    driver = node.create_publisher(Image, 'image_raw', qos.SENSOR)
    sent: dict[int, float] = {}
    took: dict[int, float] = {}
    data = array('B', np.random.default_rng(0).integers(
        0, 256, width * height * 3, np.uint8).tobytes())

    def receive(message: Image) -> None:
        stamp = to_ns(message.header.stamp)
        took[stamp] = (monotonic() - sent[stamp]) * 1e3

    def send() -> None:
        if driver.get_subscription_count() == 0:
            return
        message = Image(height=height, width=width, encoding='rgb8', step=3 * width)
        message.data = data
        message.header.stamp = node.get_clock().now().to_msg()
        sent[to_ns(message.header.stamp)] = monotonic()
        driver.publish(message)

    node.create_subscription(Image, 'vla/frame', receive, qos.FRAME)
    node.create_timer(1 / rate, send)
    try:
        while len(sent) < WARM_UP + seconds * rate:
            executor.spin_once(timeout_sec=0.1)
        end = monotonic() + 0.5
        while monotonic() < end:
            executor.spin_once(timeout_sec=0.1)
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(10)
        executor.shutdown()
        node.destroy_node()
        rclpy.shutdown()
    counted = sorted(sent)[WARM_UP:]
    latencies = [took[stamp] for stamp in counted if stamp in took]
    p50, p95, p99 = np.percentile(latencies, [50, 95, 99]) if latencies else [float('nan')] * 3
    return {
        'sent': len(counted), 'received': len(latencies),
        'p50_ms': round(p50, 2), 'p95_ms': round(p95, 2), 'p99_ms': round(p99, 2)}


def main() -> int:
    """Run the measurement and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=float, default=20.0)
    parser.add_argument('--rate', type=float, default=30.0, help='frames a second')
    parser.add_argument('--size', default='640x480', help='of the frames, pixels')
    parser.add_argument(
        '--profile', default=str(ROOT / 'config/fastdds.xml'),
        help="FastDDS profile; '' for the defaults")
    options = parser.parse_args()
    os.environ['FASTRTPS_DEFAULT_PROFILES_FILE'] = options.profile
    os.environ.setdefault('ROS_DOMAIN_ID', '97')
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    sys.path.insert(0, str(ROOT))
    width, height = map(int, options.size.split('x'))
    figures = drive(width, height, options.rate, options.seconds)
    print(json.dumps({
        'what': f'{options.size} rgb8 at {options.rate:g} Hz to vla/frame of 224x224',
        'profile': Path(options.profile).name, **figures}))
    return 0


if __name__ == '__main__':
    sys.exit(main())
