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

"""Invalid lifecycle transitions: refused, not fatal."""

from __future__ import annotations


def answer_invalid_transitions(node) -> None:
    """Have a node answer an invalid transition with a refusal, and report it.

    rclpy lets it raise out of spin and leaves the caller waiting. The loop in `spin` survives
    that; here the caller gets an answer, and `/diagnostics` the reason `invalid_transition`.

    Args:
        node: A `base.Node`. Where rclpy keeps its service elsewhere, nothing is changed.
    """
    service = getattr(node, '_service_change_state', None)
    if service is None:
        return
    change = service.callback

    def guarded(request, response):
        try:
            response = change(request, response)
        except Exception as error:
            wanted = request.transition.label or request.transition.id
            node.health.event('invalid_transition', f'{wanted} from {node.state()}')
            node.get_logger().warning(
                f'transition {wanted} is not possible from {node.state()}: {error}'
            )
            response.success = False
        node.publish_diagnostics()
        return response

    service.callback = guarded
