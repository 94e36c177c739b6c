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
"""The service of MoveIt Pro over DDS: requests reach the session, and a package that lacks."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
from std_srvs.srv import SetBool

from vla_accel_ros.nodes import action_chunk


def test_a_request_is_answered_over_dds_by_what_the_node_was_given(graph):
    def answer(request, response):
        response.success, response.message = not request.data, 'answered'
        return response

    node = action_chunk.ChunkServer(SetBool, 'chunk', answer, context=graph.context)
    graph.executor.add_node(node)
    client = graph.peer.create_client(SetBool, 'chunk')
    graph.until(client.service_is_ready, 'the service is there')
    asked = client.call_async(SetBool.Request(data=False))
    graph.until(asked.done, 'the answer came')
    assert (asked.result().success, asked.result().message) == (True, 'answered')
    graph.executor.remove_node(node)
    node.destroy_node()


def test_a_package_that_is_not_installed_is_named_with_what_brings_it():
    with pytest.raises(ValueError, match=r'moveit_pro_ml_msgs is not installed, .*MoveIt Pro'):
        action_chunk.contract()


@pytest.fixture
def package(monkeypatch):
    def install():
        kind = SimpleNamespace(
            Request=type('Request', (), dict.fromkeys(action_chunk.REQUEST)),
            Response=type('Response', (), dict.fromkeys(action_chunk.RESPONSE)),
        )
        made = ModuleType('moveit_pro_ml_msgs.srv')
        made.GetActionChunk = kind
        monkeypatch.setitem(sys.modules, 'moveit_pro_ml_msgs', ModuleType('moveit_pro_ml_msgs'))
        monkeypatch.setitem(sys.modules, 'moveit_pro_ml_msgs.srv', made)
        return kind

    return install


def test_a_package_with_the_contracts_fields_is_taken(package):
    kind = package()
    assert action_chunk.contract() is kind


def test_a_package_of_another_version_is_refused_with_the_fields_that_it_lacks(package):
    kind = package()
    del kind.Response.CHUNK_PRODUCED
    with pytest.raises(ValueError, match='Response of moveit_pro_ml_msgs has no CHUNK_PRODUCED'):
        action_chunk.contract()
