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

"""What the ROS tests share: a domain of their own, and a graph that is torn down whole."""

import os

import pytest

from vla_accel_ros.graph.demo_graph import reserve_domain

# Before rclpy is imported anywhere: the children of these tests inherit it too. The socket is
# held for the life of the process.
_DOMAIN, _HOLDER = reserve_domain()
os.environ['ROS_DOMAIN_ID'] = str(_DOMAIN)
os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'


@pytest.fixture
def graph():
    """Give a graph of nodes in this process, over real DDS."""
    from graph import Graph

    made = Graph()
    yield made
    made.close()


@pytest.fixture(scope='session')
def checkpoint(tmp_path_factory):
    """Give a checkpoint of the embedded model with random weights."""
    from checkpoints import random_checkpoint

    return random_checkpoint(tmp_path_factory.mktemp('checkpoint'))


@pytest.fixture
def robot(graph, checkpoint):
    """Give an inference node with a scheduler around it."""
    from inference_robot import Robot

    return Robot(graph, checkpoint)
