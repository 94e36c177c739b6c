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


import argparse

import pytest

from vla_accel_ros.devices import device_name, device_or_auto


@pytest.mark.parametrize('name', ['cpu', 'cuda', 'cuda:1', 'mps'])
def test_a_device_keeps_its_name(name):
    assert device_name(name) == device_or_auto(name) == name


@pytest.mark.parametrize('name', ['gpu0', 'CUDA', 'cuda:', 'cuda:-1', 'cuda:1 ', '', 'cpu,cuda'])
def test_another_name_is_refused_with_what_is_expected(name):
    with pytest.raises(ValueError, match='expected cpu, cuda or cuda:1'):
        device_name(name)
    with pytest.raises(ValueError, match='expected auto, cpu, cuda or cuda:1'):
        device_or_auto(name)


def test_auto_is_for_the_nodes_only():
    assert device_or_auto('auto') == 'auto'
    with pytest.raises(ValueError, match="'auto' is none"):
        device_name('auto')


def test_an_option_of_the_command_line_shows_the_sentence(capsys):
    parser = argparse.ArgumentParser()
    parser.add_argument('--device', type=device_name)
    with pytest.raises(SystemExit):
        parser.parse_args(['--device', 'gpu0'])
    assert "device 'gpu0' is none, expected cpu, cuda or cuda:1" in capsys.readouterr().err
