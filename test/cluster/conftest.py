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

"""A cluster of several nodes on this machine, for the tests that need one."""

from importlib.util import find_spec
import os
import socket

import pytest


@pytest.fixture(scope='session')
def nodes(tmp_path_factory):
    """Give a cluster whose head runs nothing, and two nodes of one core each."""
    if find_spec('ray') is None:
        pytest.skip('ray is not installed here: make test-cluster')
    from ray.cluster_utils import Cluster

    # Nodes that are this machine still keep what they are sent where nothing else lies.
    os.environ['VLA_ACCEL_RECEIVED'] = str(tmp_path_factory.mktemp('received'))
    # A machine that others use, too, is slow to start what talks to a client.
    os.environ['RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S'] = '60'
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    head = {'num_cpus': 0, 'include_dashboard': False, 'ray_client_server_port': port}
    made = Cluster(initialize_head=True, head_node_args=head)
    made.client_address = f'ray://127.0.0.1:{port}'
    for _ in range(2):
        made.add_node(num_cpus=1)
    yield made
    made.shutdown()
    del os.environ['VLA_ACCEL_RECEIVED']


@pytest.fixture(scope='class')
def cluster(nodes):
    """Give a connection to it."""
    from vla_accel_ros.cluster.connection import Cluster

    with Cluster(nodes.client_address) as made:
        yield made


@pytest.fixture
def more(nodes):
    """Give what adds a node for one test."""
    added = []

    def add(**arguments):
        added.append(nodes.add_node(**arguments))
        return added[-1]

    yield add
    for node in added:
        if node in nodes.list_all_nodes():
            nodes.remove_node(node, allow_graceful=False)
