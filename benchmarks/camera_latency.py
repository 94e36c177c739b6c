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
Runs with the shared-memory profile of `config/fastdds.xml`, or with the one that
`FASTRTPS_DEFAULT_PROFILES_FILE` names, for comparison.
"""

from __future__ import annotations

from array import array
import sys
from time import monotonic_ns

import numpy as np
from sensor_msgs.msg import Image

from benchmarks.figures import Report, summarise
from benchmarks.program import main
from benchmarks.rig import Rig
from vla_accel_ros.evaluation.conditions import CpuMeter
from vla_accel_ros.graph.processes import Deployment, Process
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import to_ns

WIDTH, HEIGHT, RATE_HZ, SIZE = 640, 480, 30.0, 224
WARM_UP = 30
BARS = {'p50': 5.0}


def measure(seconds: float = 60.0) -> Report:
    """Publish frames to the camera node for so many seconds and time what comes back."""
    sent: dict[int, int] = {}
    took_ms: dict[int, float] = {}
    camera = Process('camera', {'image_topics': ['image_raw'], 'image_size': SIZE})
    with Rig((Deployment(), (camera,))) as rig:
        driver = rig.node.create_publisher(Image, 'image_raw', qos.SENSOR)
        image = Image(height=HEIGHT, width=WIDTH, encoding='rgb8', step=3 * WIDTH)
        image.data = array(
            'B', np.random.default_rng(0).integers(0, 256, WIDTH * HEIGHT * 3, np.uint8).tobytes()
        )

        def receive(message: Image) -> None:
            stamp_ns = to_ns(message.header.stamp)
            took_ms[stamp_ns] = (monotonic_ns() - sent[stamp_ns]) / 1e6

        def send() -> None:
            image.header.stamp = rig.node.get_clock().now().to_msg()
            sent[to_ns(image.header.stamp)] = monotonic_ns()
            driver.publish(image)

        rig.until_active('/camera')
        rig.until_matched(driver)
        rig.node.create_subscription(Image, 'vla/frame', receive, qos.FRAME)
        timer = rig.node.create_timer(1 / RATE_HZ, send)
        rig.until(lambda: len(sent) >= WARM_UP, 'warm-up', 60.0)
        meter = CpuMeter(rig.pids())
        rig.spin(seconds)
        shares, status = meter.shares(), rig.status('/camera')
        timer.cancel()
        # What is still on its way.
        rig.spin(0.5)
    counted = sorted(sent)[WARM_UP:]
    latencies = [took_ms[stamp] for stamp in counted if stamp in took_ms]
    return Report(
        'camera_latency',
        f'python -m benchmarks.camera_latency --seconds {seconds:g}',
        (
            summarise(
                f'{WIDTH}x{HEIGHT} rgb8 at {RATE_HZ:g} Hz, bicubic to {SIZE}x{SIZE}: '
                'driver publishes → vla/frame arrives',
                'ms',
                latencies,
                BARS,
            ),
        ),
        {'warm-up': f'{WARM_UP} frames'},
        {
            'frames sent': len(counted),
            'frames received': len(latencies),
            'cpu shares': shares,
            'priorities': f'{status.get("priority", "ordinary")}, {rig.priority}',
        },
    )


if __name__ == '__main__':
    sys.exit(main(measure, __doc__))
