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

"""What keeps an engine from running is named, with what to do."""

import sys

from vla_accel_ros.engines import probes


def test_a_missing_package_is_named_with_what_to_do(monkeypatch):
    monkeypatch.setattr(probes, 'find_spec', lambda name: None)
    assert 'onnxruntime is not installed: pip install' in probes.package('onnxruntime')()


def test_a_machine_without_gpu_says_so(monkeypatch):
    monkeypatch.setattr(probes, 'GPU_FILES', ())
    monkeypatch.setitem(sys.modules, 'torch', None)
    assert 'no NVIDIA GPU' in probes.gpu()


def test_a_missing_compiler_is_named(monkeypatch):
    monkeypatch.setattr(probes.shutil, 'which', lambda name: None)
    monkeypatch.setenv('CXX', 'my-c++')
    assert probes.compiler().startswith('no C++ compiler my-c++ on this machine')
