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

from dataclasses import replace

import numpy as np
import pytest
import torch

from vla_accel_ros.bench import names, subjects
from vla_accel_ros.bench.scenes import HEIGHT, WIDTH, simulated, synthetic
from vla_accel_ros.devices import DeviceError
from vla_accel_ros.models import presets
from vla_accel_ros.models.families.oft.config import OFTConfig
from vla_accel_ros.models.self_test import ANY_INSTRUCTION


def test_a_scene_goes_round_while_its_stamps_go_on(subject):
    scene = synthetic(subject.model.config, steps=5)
    frames = [scene.frame(index) for index in range(12)]
    stamps = [frame.observation.stamp_ns for frame in frames]
    assert len(set(np.diff(stamps))) == 1 and stamps[0] > 0
    first, again = frames[0].observation.images[0], frames[5].observation.images[0]
    assert first.shape == (HEIGHT, WIDTH, 3) and np.array_equal(first, again)
    assert not np.array_equal(first, frames[1].observation.images[0])


def test_a_scene_is_the_same_for_one_seed_only(subject):
    one, same, other = (
        synthetic(subject.model.config, 2, seed).frame(1).observation.images[0]
        for seed in (3, 3, 4)
    )
    assert np.array_equal(one, same) and not np.array_equal(one, other)


def test_the_expert_is_filmed_with_what_it_did_before(subject):
    config = replace(subject.model.config, image_towers=((0, 1), (0, 1)), image_size=28)
    scene = simulated(config, 2_000_000)
    assert len(scene.views) == len(scene.motions) > 10
    first, later = scene.frame(0), scene.frame(10)
    assert [image.shape for image in first.observation.images] == [(28, 28, 3)] * 2
    assert first.motion.linear_speed == 0 < later.motion.linear_speed < 1
    one = simulated(replace(config, image_towers=((0, 1),)), 2_000_000)
    assert np.array_equal(one.views[0][0], scene.views[0][0])
    three = replace(config, image_towers=((0, 1),) * 3)
    with pytest.raises(ValueError, match='the model wants 3 views, the arm has 2'):
        simulated(three, 0)


def test_a_model_that_wants_proprioception_is_told_the_arms_at_each_step(subject):
    oft = replace(subject.model.config, head=OFTConfig(proprio=8))
    scene = simulated(oft, 2_000_000)
    assert simulated(subject.model.config, 2_000_000).proprio is None
    first, later = (scene.frame(index).observation.proprio for index in (0, 10))
    assert first.shape == (8,) and not np.array_equal(first, later)


def test_policies_share_weights_and_the_memory_of_keys_but_no_state(subject):
    frames = [subject.scene.frame(index).observation for index in range(2)]
    alone = [subject.policy().predict(frame).token_ids.tolist() for frame in frames]
    one, other = subject.policy(), subject.policy()
    one.set_decoder('jacobi', draft='previous')
    taken = [one.predict(frames[0]), other.predict(frames[1]), one.predict(frames[0])]
    assert [a.token_ids.tolist() for a in taken] == [alone[0], alone[1], alone[0]]
    # Its own last answer was the draft, not the other's.
    assert taken[2].accepted == 7
    assert one._cache_for(10) is other._cache_for(10)


def test_random_statistics_fit_any_configuration(any_subject):
    answer = any_subject.policy().predict(any_subject.scene.frame(0).observation)
    rows = any_subject.model.config.head.chunk
    assert answer.chunk_values.shape == (rows, 7)
    about = any_subject.about()
    assert about['weights'] == 'random, seed 0' and about['prompt_tokens'] == subjects.PROMPT


def test_a_random_model_runs_in_the_type_that_a_gpu_would_take(any_subject):
    config = any_subject.model.config
    half = subjects.of_config('half', config, 'cpu', torch.bfloat16)
    assert {p.dtype for p in half.model.parameters()} == {torch.bfloat16}
    answer = half.policy().predict(half.scene.frame(0).observation)
    assert np.isfinite(answer.chunk_values).all()


@pytest.mark.parametrize('name', presets.FULL_SIZE)
def test_a_full_size_model_without_weights_says_what_to_do(name):
    with pytest.raises(ValueError, match=f'{name} has no weights here.*--random-weights'):
        subjects.find(name)


def test_an_unknown_model_lists_the_known_ones():
    with pytest.raises(ValueError, match=r'openvla-8b.*tabletop-s, mid, .*openvla-7b'):
        subjects.find('openvla-8b')


@pytest.mark.parametrize('dtype', ['int8', 'float', ''])
def test_an_unknown_type_lists_the_known_ones(dtype):
    with pytest.raises(ValueError, match=f"'{dtype}'.*float32, bfloat16"):
        subjects.find('mid', dtype=dtype)


def test_a_device_that_is_not_there_is_said_before_anything_is_made(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(DeviceError, match=r'cuda.*no GPU'):
        subjects.find('openvla-7b', 'cuda', random=True)


def test_a_shipped_checkpoint_of_another_arm_is_asked_what_it_knows():
    subject = subjects.find('libero-object-s')
    assert subject.scene.instruction == ANY_INSTRUCTION
    assert 'synthetic' in subject.scene.about


def test_the_help_names_every_size():
    assert tuple(presets.MID_SIZE) == names.MIDS
    assert ', '.join(presets.FULL_SIZE) == names.FULL_SIZES
