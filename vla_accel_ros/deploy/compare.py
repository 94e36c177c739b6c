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

"""All checks, in the order in which they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vla_accel_ros.deploy import actions, cameras, model, state
from vla_accel_ros.deploy.finding import Finding
from vla_accel_ros.deploy.robot import Facts

Check = Callable[[Facts], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    actions.unnorm_key,
    actions.statistics,
    actions.action_kind,
    actions.action_units,
    actions.action_limits,
    actions.policy_step,
    actions.frame,
    actions.gripper_range,
    actions.gripper_sign,
    actions.arm_listener,
    cameras.camera_count,
    cameras.camera_order,
    cameras.camera_size,
    cameras.camera_resize,
    cameras.centre_crop,
    cameras.camera_encoding,
    cameras.camera_missing,
    cameras.camera_stamp,
    cameras.camera_skew,
    cameras.camera_rate,
    cameras.camera_frozen,
    state.state_missing,
    state.state_width,
    state.state_order,
    state.state_stamp,
    state.start_pose,
    model.vocabulary,
    model.prompt,
    model.latency,
)
NAMES = tuple(check.__name__ for check in CHECKS)
# What may change from one moment to the next: it counts before the arm moves, not while it does.
MOMENTARY = (
    'camera_missing',
    'camera_skew',
    'camera_stamp',
    'latency',
    'prompt',
    'start_pose',
    'state_missing',
    'state_stamp',
)


def compare(facts: Facts) -> list[Finding]:
    """Run every check on what is known; a check that knows too little finds nothing.

    Args:
        facts: What the checkpoint wants and what the robot gives.

    Returns:
        At most one finding a check, in the order of `NAMES`.
    """
    return [finding for check in CHECKS for finding in check(facts)]
