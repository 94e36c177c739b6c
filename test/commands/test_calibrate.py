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

"""`vla-accel engine calibrate` writes what programs were given, and only over files of its own."""

import json

from vla_accel_ros import cli
from vla_accel_ros.engines.calibration import Calibration
from vla_accel_ros.models.policy import Policy


def test_inputs_are_recorded_for_each_method(random_checkpoint, tmp_path, capsys):
    file = tmp_path / 'frames.safetensors'
    words = ['engine', 'calibrate', str(random_checkpoint), '--out', str(file)]
    few = ['--methods', 'none,fastv', '--decoders', 'greedy', '--json', '--frames', '3']
    for _ in range(2):
        assert cli.main([*words, *few]) == 0
        assert json.loads(capsys.readouterr().out)['bytes'] == file.stat().st_size
    model = Policy.load(random_checkpoint).model
    found = Calibration.load(file, model)
    # Three frames, in three ways.
    assert len(found.samples(model.vision())) == 9


def test_a_file_of_others_stays(random_checkpoint, tmp_path, capsys):
    file = tmp_path / 'frames.safetensors'
    file.write_text('mine')
    words = ['engine', 'calibrate', str(random_checkpoint), '--out', str(file), '--frames', '3']
    assert cli.main(words) == cli.BAD_INPUT
    assert 'did not make' in capsys.readouterr().err
    assert file.read_text() == 'mine'


def test_frames_are_needed(random_checkpoint, capsys):
    assert cli.main(['engine', 'calibrate', str(random_checkpoint)]) == cli.BAD_INPUT
    assert 'no frames to calibrate on, expected --bag BAG' in capsys.readouterr().err
