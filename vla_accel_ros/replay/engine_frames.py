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

"""Frames of a bag to compare engines on."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from vla_accel_ros.models.parity.engines import Frame
from vla_accel_ros.models.parity.frames import MOVING
from vla_accel_ros.replay import options
from vla_accel_ros.replay.session import prepare


def of_bag(args: argparse.Namespace) -> Iterator[Frame]:
    """Give the frames of a bag, read as `vla-accel replay` reads it where nothing is said.

    Args:
        args: With `bag`, `checkpoint`, `device` and `unnorm_key`.

    Raises:
        ValueError: When the bag or its topics will not do.
    """
    parser = argparse.ArgumentParser(add_help=False)
    options.reading(parser)
    own = parser.parse_args(['--engine', 'eager'])
    own.bag, own.checkpoint = args.bag, args.checkpoint
    own.device, own.unnorm_key = args.device, args.unnorm_key
    own.methods, own.mode, own.clock, own.latency_ms = 'none', 'offline', 'step', None
    # How the arm moved is not looked for; methods that prune by motion get some.
    for moment in prepare(own, lambda text: None).stream():
        if moment.observation is not None:
            yield Frame(moment.observation, MOVING)
