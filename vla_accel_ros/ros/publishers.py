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

"""Who publishes a topic, as discovery knows it: cheap to count, dearer to name."""

from __future__ import annotations

# How a node is called whose publisher is discovered, but whose name is not (yet).
UNKNOWN = 'a node of unknown name'
_UNKNOWN_TO_RMW = '_NODE_NAME_UNKNOWN_'


def count(node, subscription) -> int:
    """Return how many publishers a subscription has.

    Discovery counts a publisher before its first message can come, so whoever counts before
    each message is never too late. It takes some microseconds.
    """
    # The graph's view and the subscription's own: neither alone is the first with every RMW.
    return max(node.count_publishers(subscription.topic_name), subscription.get_publisher_count())


def several(node, subscription) -> str:
    """Say that more than one publish what should come from one; empty while it does.

    Nobody knows then which message is to be believed.
    """
    number = count(node, subscription)
    return f'{number} publish {subscription.topic_name}, expected 1' if number > 1 else ''


def names(node, topic: str) -> list[str]:
    """Return the full names of the nodes that publish a topic, one a publisher."""
    infos = node.get_publishers_info_by_topic(topic)
    return [
        UNKNOWN
        if info.node_name == _UNKNOWN_TO_RMW
        else f'{info.node_namespace.rstrip("/")}/{info.node_name}'
        for info in infos
    ]


def kinds(node, topic: str) -> list[str]:
    """Return the types of a topic's publishers, such as `sensor_msgs/msg/Image`, one each."""
    return [info.topic_type for info in node.get_publishers_info_by_topic(topic)]
