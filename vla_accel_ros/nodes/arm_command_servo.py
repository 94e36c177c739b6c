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


"""MoveIt Servo's input: it ignores twists until it is told that twists will come."""

from __future__ import annotations

from importlib import import_module

SERVICE = 'servo_node/switch_command_type'
BY_HAND = f'ros2 service call /{SERVICE} moveit_msgs/srv/ServoCommandType "{{command_type: 1}}"'


class ServoSwitch:
    """Ask MoveIt Servo to take twists, each time the arm is enabled.

    Without `moveit_msgs` (no MoveIt on this machine) or without the service (no Servo, or the
    simulated arm) nothing is asked; the figure `servo_input` on `/diagnostics` says which.

    Args:
        node: The `base.Node` that asks.
    """

    def __init__(self, node) -> None:
        self._node = node
        self._client = None
        try:
            self._type = import_module('moveit_msgs.srv').ServoCommandType
        except (ImportError, AttributeError):
            node.health.figure('servo_input', f'moveit_msgs is not installed; by hand: {BY_HAND}')
            return
        self._client = node.create_client(self._type, SERVICE)

    def ask(self) -> None:
        """Ask for twists without waiting; the answer is shown on `/diagnostics`."""
        if self._client is None:
            return
        if not self._client.service_is_ready():
            self._node.health.figure('servo_input', f'{SERVICE} is not there')
            return
        request = self._type.Request(command_type=self._type.Request.TWIST)
        self._client.call_async(request).add_done_callback(self._on_answer)

    def close(self) -> None:
        """Destroy the client."""
        if self._client is not None:
            self._node.destroy_client(self._client)
            self._client = None

    def _on_answer(self, future) -> None:
        answer = future.result()
        if answer is not None and answer.success:
            self._node.health.figure('servo_input', 'twists')
            self._node.health.clear('servo_refuses_twists')
        else:
            self._node.health.fault('servo_refuses_twists', f'{SERVICE} answered no')
