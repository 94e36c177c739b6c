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

"""What programs were given on frames is kept, for quantisation to be measured on."""

from answering import answers
from float8_cases import frames_of
import pytest
from tiny_models import tiny_model
import torch

from vla_accel_ros.engines.calibration import Calibration
from vla_accel_ros.engines.interface import EngineError


def test_inputs_are_kept_and_answers_are_those_of_eager(tokens_model):
    frames = Calibration(tokens_model, most=2)
    found = answers(tokens_model, engine=frames)
    expected = answers(tokens_model)
    assert [a.decoded.tokens.tolist() for a in found] == [
        a.decoded.tokens.tolist() for a in expected
    ]
    samples = frames.samples(tokens_model.vision())
    assert len(samples) == 2
    assert not torch.equal(samples[0]['pixels'], samples[1]['pixels'])
    assert frames.samples(tokens_model.vision(attention=True)) == []


def test_a_digest_is_of_the_frames(tokens_model):
    program, digests = tokens_model.vision(), []
    for steps in (2, 2, 3):
        frames = Calibration(tokens_model)
        answers(tokens_model, engine=frames, steps=steps)
        digests.append(frames.digest(program))
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_frames_of_half_types_have_a_digest_and_are_read_again(dtype, tmp_path):
    model = tiny_model().to(dtype)
    frames, program = frames_of(model), model.projection()
    frames.save(tmp_path / 'frames.safetensors')
    found = Calibration.load(tmp_path / 'frames.safetensors', model)
    assert (
        found.digest(program) == frames.digest(program) != frames_of(model, (9,)).digest(program)
    )
    assert found.samples(program)[0]['features'].dtype == dtype


def test_frames_are_written_and_read_for_the_same_checkpoint(tokens_model, slots_model, tmp_path):
    program, file = tokens_model.vision(), tmp_path / 'frames.safetensors'
    frames = Calibration(tokens_model)
    answers(tokens_model, engine=frames)
    frames.save(file)
    found = Calibration.load(file, tokens_model)
    assert len(found.samples(program)) == 3
    assert found.digest(program) == frames.digest(program)
    assert Calibration.is_one(file)
    with pytest.raises(EngineError, match='calibration frames of another checkpoint'):
        Calibration.load(file, slots_model)


def test_what_are_no_frames_is_refused(tokens_model, tmp_path):
    file = tmp_path / 'frames.safetensors'
    with pytest.raises(EngineError, match='calibration frames cannot be read'):
        Calibration.load(file, tokens_model)
    file.write_text('nothing')
    assert not Calibration.is_one(file)
    with pytest.raises(EngineError, match='calibration frames cannot be read'):
        Calibration.load(file, tokens_model)
