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

"""A cluster that is not there, or cannot be used, is said in a line."""

from importlib.util import find_spec
import socket

import pytest

from vla_accel_ros.cli import main
from vla_accel_ros.cluster.connection import Cluster, ClusterError


@pytest.mark.parametrize('address', ['', 'head', 'head:10001', 'http://head:1', 'ray://head'])
def test_an_address_is_one_for_clients(address):
    with pytest.raises(ClusterError, match='expected ray://HOST:PORT'):
        Cluster(address)


def test_where_nobody_listens_there_is_no_cluster():
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        address = f'ray://127.0.0.1:{free.getsockname()[1]}'
        with pytest.raises(ClusterError, match=f'no Ray cluster answers at {address}: '):
            Cluster(address)


@pytest.mark.parametrize('command', ['eval', 'tune'])
def test_without_ray_the_command_says_what_to_install(command, monkeypatch, capsys):
    import sys

    if find_spec('ray') is not None:
        monkeypatch.setitem(sys.modules, 'ray', None)
    words = ['--sim'] if command == 'tune' else []
    assert main([command, *words, '--cluster', 'ray://127.0.0.1:1']) == 2
    said = capsys.readouterr().err
    assert said.count('\n') == 1
    assert f"{command} needs ray, of vla_accel_ros[cluster]: pip install 'ray[client]>=" in said
