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

"""A node that only listens."""

from std_msgs.msg import String

from vla_accel_ros.ros import qos
from vla_accel_ros.ros.listener import ListenerNode


def test_it_hears_what_is_said_in_its_namespace(graph):
    listener, heard = ListenerNode('_listening', '/left'), []
    try:
        listener.node.create_subscription(String, 'word', heard.append, qos.LATCHED)
        graph.publisher(String, '/left/word', qos.LATCHED).publish(String(data='go'))
        graph.until(lambda: listener.hear() or heard, 'the word is heard')
    finally:
        listener.close()
    assert heard[0].data == 'go'
