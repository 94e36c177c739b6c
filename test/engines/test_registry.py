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

"""Engines by name: those of the package, and those that another package declares."""

import subprocess
import sys

import pytest
from toy_engine import ENTRY_POINT, KIND

from vla_accel_ros.engines import registry
from vla_accel_ros.engines.interface import EngineError


@pytest.fixture(autouse=True)
def nothing_found_before():
    registry.find.cache_clear()
    yield
    registry.find.cache_clear()


def test_an_engine_of_another_package_is_found(declared):
    declared(ENTRY_POINT)
    assert registry.names()[-1] == 'mine'
    assert registry.find('mine') is KIND


@pytest.mark.parametrize(
    ('declares', 'message'),
    [
        ('mine = toy_engine:nothing', 'cannot be loaded'),
        ('mine = toy_engine:NO_KIND', 'is a type, expected an EngineKind'),
        ('mine = toy_engine:OTHER_NAME', "calls itself 'other', expected the same name"),
    ],
)
def test_what_is_declared_wrong_is_named(declared, declares, message):
    declared(f'[{registry.GROUP}]\n{declares}\n')
    with pytest.raises(registry.EngineNameError, match=f"engine 'mine'.*{message}"):
        registry.find('mine')


def test_an_unknown_engine_is_refused_with_those_there_are():
    with pytest.raises(registry.EngineNameError, match=r'engine .mine. is not there.*auto, eager'):
        registry.find('mine')


def test_every_engine_says_what_it_is_and_whether_it_runs_here():
    for name in registry.OWN:
        kind = registry.find(name)
        assert kind.name == name and kind.what and '\n' not in kind.what
        assert set(kind.precisions) <= set(registry.PRECISIONS)
        why = kind.probe()
        assert why is None or (why and '\n' not in why)


def test_listing_imports_nothing_heavy():
    code = (
        'import sys\nfrom vla_accel_ros.engines import registry, wish\n'
        'for name in registry.names(): registry.find(name).probe()\n'
        'heavy = ("torch", "onnx", "onnxruntime", "openvino", "tensorrt", "numpy")\n'
        'print([name for name in heavy if name in sys.modules])'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'


@pytest.mark.parametrize('asked', ['gpu.N', 'gpu.', 'gpu.1x', 'cpu.1', 'GPU', ''])
def test_a_device_that_an_engine_does_not_know_is_refused_with_those_it_knows(asked):
    with pytest.raises(ValueError, match=f"'{asked}', expected auto or .*: cpu, gpu, gpu.N, npu"):
        registry.find('openvino').device(asked)


def test_every_device_of_an_engine_is_known_and_the_first_has_no_name():
    for kind in registry.OWN.values():
        found = [kind.device(each.replace('.N', '.2')) for each in kind.devices]
        assert found[:1] in ([], ['']) and all(found[1:])
        assert kind.device('auto') == ''


def test_openvino_decodes_by_itself_where_onnxruntime_does_not_load(
    tokens_model, graph_store, monkeypatch
):
    pytest.importorskip('openvino')
    orders = registry.Order(tokens_model, registry.FLOAT32, graph_store, 1, device='cpu')
    assert registry.find('openvino').make(orders)._decoding is not None

    def broken():
        raise EngineError('onnxruntime does not load')

    monkeypatch.setattr('vla_accel_ros.engines.onnxruntime_engine.library', broken)
    assert registry.find('openvino').make(orders)._decoding is None
