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

"""Frames answered so that what programs are given on the way is known, for int8 and float8."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from vla_accel_ros.engines.calibration import MOST, Calibration
from vla_accel_ros.models.engine_build import Way
from vla_accel_ros.models.parity.engines import Frame
from vla_accel_ros.models.policy import Policy


def calibrate(
    policy: Policy,
    frames: Callable[[], Iterable[Frame]],
    ways: Mapping[str, Way],
    most: int = MOST,
) -> Calibration:
    """Answer frames in each way, and keep the inputs of all programs that can be calibrated.

    Args:
        policy: The policy; it stays as it is.
        frames: Gives the frames, the same each time.
        ways: By name, what sets pruning and decoding: each method has programs of its own.
        most: Samples of one program at most.
    """
    found = Calibration(policy.model, most)
    for way in ways.values():
        asked = policy.sibling()
        asked.set_engine(found)
        try:
            way(asked)
        except ValueError:
            # A method or decoder that does not fit the model.
            continue
        for frame in frames():
            asked.predict(frame.observation, motion=frame.motion)
    return found
