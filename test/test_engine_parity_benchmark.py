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

"""The record of engines against eager goes on where it was ended."""

import pytest

from benchmarks import engine_parity
from vla_accel_ros.models.checkpoints.config_file import read_config
from vla_accel_ros.models.families import registry
from vla_accel_ros.models.self_test import OF_THE_ARM, understood
from vla_accel_ros.paths import shipped_checkpoints


def test_what_engines_are_compared_by_is_kept_and_not_run_again(tmp_path, monkeypatch):
    way = {'frames': 500, 'same': 499, 'ties': 1, 'tokens': 3500, 'objection': None}
    ran = []

    def run(checkpoint, engine, frames):
        if len(ran) == 2:
            raise RuntimeError('ended')
        ran.append((checkpoint, engine))
        found = {'checkpoint': checkpoint, 'engine': engine, 'precision': 'float32'}
        agrees = engine == 'openvino'
        ways = {'fastv': way} if agrees else {}
        return found | {'agrees': agrees, 'reason': 'no room', 'on_eager': {}, 'ways': ways}

    monkeypatch.setattr(engine_parity, 'run', run)
    words = ['--out', str(tmp_path / 'found.json'), '--checkpoints', 'tabletop-s,tabletop-m']
    with pytest.raises(RuntimeError, match='ended'):
        engine_parity.main(words)
    ran.pop()
    with pytest.raises(RuntimeError, match='ended'):
        engine_parity.main(words)
    assert ran == [('tabletop-s', 'onnxruntime'), ('tabletop-m', 'onnxruntime')]
    page = (tmp_path / 'found.md').read_text()
    assert '| `tabletop-s` | openvino float32 | `fastv` | 500 | 499 | 1 | none |' in page
    assert '`tabletop-m` on onnxruntime: no room.' in page and '1 of 3 pairs' in page


def test_only_checkpoints_that_know_the_arm_answer_its_frames():
    known = set()
    for name, folder in shipped_checkpoints().items():
        encode = registry.of(config := read_config(folder)).prompts(folder, config)
        if understood(encode) == OF_THE_ARM:
            known.add(name)
    assert set(engine_parity.of_the_arm()) == known
