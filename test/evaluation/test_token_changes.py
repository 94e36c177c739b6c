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

import pytest

from benchmarks.token_changes import main, wishes
from vla_accel_ros import cli


def test_exact_decoding_changes_no_token(random_checkpoint, capsys):
    assert (
        main(
            [
                '--checkpoint',
                str(random_checkpoint),
                '--episodes',
                '1',
                '--longest',
                '4',
                '--methods',
                'none,jacobi,jacobi+random@keep=0.1',
            ]
        )
        == 0
    )
    text = capsys.readouterr().out
    assert text.startswith('4 frames of 1 episodes')
    assert '| eager float32 | `none` | 0.0 % | 0.00 | 8.0 | 7.00 |' in text
    assert '| `jacobi` | 0.0 % | 0.00 | 8.0 |' in text
    assert '`jacobi+random@keep=0.1`' in text


def test_float8_is_computed_on_the_cpu(random_checkpoint, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('VLA_ACCEL_ENGINES', str(tmp_path / 'engines'))
    checkpoint, file = str(random_checkpoint), str(tmp_path / 'frames.safetensors')
    recorded = ['--frames', '3', '--methods', 'none', '--decoders', 'greedy']
    assert cli.main(['engine', 'calibrate', checkpoint, '--out', file, *recorded]) == 0
    assert '--engine-precision int8 or float8 --engine-calibration' in capsys.readouterr().out
    few = ['--episodes', '1', '--longest', '3', '--methods', 'none', '--float8', file]
    assert main(['--checkpoint', checkpoint, *few]) == 0
    assert '| graphs of float8 | `none` | ' in capsys.readouterr().out


def test_no_episode_is_refused(random_checkpoint):
    with pytest.raises(ValueError, match='0 episodes'):
        main(['--checkpoint', str(random_checkpoint), '--episodes', '0'])


def test_engines_and_their_precisions_are_read():
    eager, coarse, coarsest = wishes('eager,openvino:int8,openvino:int8:a.safetensors')
    assert (eager.engine, eager.engine_precision) == ('eager', 'auto')
    assert (coarse.engine, coarse.engine_precision) == ('openvino', 'int8')
    assert coarse.engine_calibration == ''
    assert coarsest.engine_calibration == 'a.safetensors'
    with pytest.raises(ValueError, match="engine_precision is 'int4'"):
        wishes('openvino:int4')
