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

"""A policy that is an OpenVLA-OFT: a folder is recognised, a chunk of 8 comes back."""

from dataclasses import replace
import json
import shutil

import numpy as np
import pytest
from safetensors.torch import load_file
import torch

from vla_accel_ros.models.action_tokens import UnnormKeyError
from vla_accel_ros.models.asker import Asker
from vla_accel_ros.models.checkpoints.folder import save
from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.families.oft.config import DISCRETE, OFTConfig
from vla_accel_ros.models.parity.comparison import read_arrays
from vla_accel_ros.models.parity.oft_reference import OFTReference
from vla_accel_ros.models.parity.reference import image_numbers
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.prediction import ImageIgnoredError, NotFiniteError
from vla_accel_ros.models.preprocess import CameraCountError
from vla_accel_ros.models.presets import embedded
from vla_accel_ros.models.proprio import ProprioError
from vla_accel_ros.models.stopwatch import STAGES
from vla_accel_ros.models.tokenizer import FixedPrompt, vocabulary, write_tokenizer
from vla_accel_ros.motion import Motion
from vla_accel_ros.observations import Observation
from vla_accel_ros.pruning.registry import METHODS

INSTRUCTION = 'pick up the red cube'
WORDS = vocabulary([INSTRUCTION, 'place it in the bin'])
STATISTICS = {
    'action': {
        'q01': [-0.03] * 3 + [-0.1] * 3 + [0.0],
        'q99': [0.03] * 3 + [0.1] * 3 + [1.0],
        'mask': [True] * 6 + [False],
    },
    'proprio': {'q01': [-1.0] * 8, 'q99': [1.0] * 8},
}
STATE = np.linspace(-0.8, 0.8, 8)


@pytest.fixture
def make(tmp_path, build):
    """Write an embedded OFT with random weights and load it."""

    def write(change=None, film=False, load=True, **oft):
        config = replace(
            embedded(
                len(WORDS),
                image_size=32,
                tower_width=32,
                width=48,
                layers=3,
                heads=4,
                tower_blocks=1,
                film=film,
                head=OFTConfig(**oft),
            ),
            norm_stats={'here': STATISTICS},
        )
        model = build(config)
        if change:
            change(model)
        save(model, tmp_path)
        write_tokenizer(WORDS, tmp_path)
        return Policy.load(tmp_path) if load else tmp_path

    return write


@pytest.fixture
def seen(views):
    return Observation(views, INSTRUCTION, proprio=STATE)


def test_answers_a_chunk_with_timings_by_stage(make, seen):
    prediction = make().predict(seen)
    assert prediction.chunk_values.shape == (8, 7)
    assert prediction.chunk_values.dtype == np.float64
    assert prediction.token_ids.shape == (0,)
    assert (prediction.passes, prediction.accepted) == (1, 0)
    assert set(prediction.timings_ms) == {*STAGES, 'total'}
    assert prediction.timings_ms['decode'] > 0
    assert sum(prediction.timings_ms[s] for s in STAGES) <= prediction.timings_ms['total']


@pytest.mark.parametrize('film', [False, True])
def test_the_answer_is_the_forward_passs_in_the_data_sets_units(make, seen, film):
    policy = make(film=film)
    values = policy.predict(seen).chunk_values
    ask = policy._ask(seen)
    with torch.inference_mode():
        numbers = policy.model(ask.pixels, ask.ids, ask.proprio).numbers
    expected = numbers[0].double().numpy()
    assert values[:, :3] == pytest.approx(0.03 * expected[:, :3], abs=1e-6)
    assert values[:, 3:6] == pytest.approx(0.1 * expected[:, 3:6], abs=1e-6)
    assert values[:, 6] == pytest.approx(np.clip(expected[:, 6], 0, 1), abs=1e-6)


def test_a_discrete_head_answers_with_its_tokens(make, seen):
    policy = make(head=DISCRETE)
    prediction = policy.predict(seen)
    assert prediction.chunk_values.shape == (8, 7)
    assert prediction.token_ids.shape == (56,)
    assert np.abs(prediction.chunk_values[:, :3]).max() <= 0.03


def test_both_views_and_the_state_of_the_robot_count(make, seen):
    policy = make()
    before = policy.predict(seen).chunk_values
    for views, state in (
        ((255 - seen.images[0], seen.images[1]), STATE),
        ((seen.images[0], 255 - seen.images[1]), STATE),
        (seen.images, -STATE),
    ):
        after = policy.predict(Observation(views, INSTRUCTION, proprio=state)).chunk_values
        assert (after != before).any()


def test_in_bfloat16_too(make, seen):
    policy = Policy.load(make(load=False), dtype=torch.bfloat16)
    assert np.isfinite(policy.predict(seen).chunk_values).all()
    assert policy.self_test() > 0


@pytest.mark.parametrize('method', METHODS)
def test_every_pruning_method_answers_a_chunk(make, seen, method):
    policy = make()
    policy.set_pruning(method, round_up=False)
    motion = Motion((0.05, 0.0, 0.02), (0.0, 0.0, 0.0), 0.1)
    for _ in range(2):
        prediction = policy.predict(seen, motion=motion)
    assert prediction.chunk_values.shape == (8, 7)
    assert len(prediction.kept_ids) == prediction.kept <= policy.config.visual_tokens


def test_longer_prompts_after_shorter_ones_are_answered_afresh(make, seen, views):
    policy = make()
    policy.predict(seen)
    text = 'pick up the red cube place it in the bin ' * 8
    again = policy.predict(Observation(views, text, proprio=STATE))
    fresh = make().predict(Observation(views, text, proprio=STATE))
    assert (again.chunk_values == fresh.chunk_values).all()


@pytest.mark.parametrize(('count', 'got'), [(1, 'got 1 images'), (3, 'got 3 images')])
def test_another_number_of_views_is_an_error(make, views, count, got):
    policy = make()
    images = (views[0],) * count
    with pytest.raises(CameraCountError, match=f'{got}, the checkpoint wants 2 views'):
        policy.predict(Observation(images, INSTRUCTION, proprio=STATE))
    with pytest.raises(CameraCountError, match=f'{got}, the checkpoint wants 2 views'):
        policy.self_test(cameras=count)


@pytest.mark.parametrize('state', [None, np.zeros(7), np.full(8, np.nan)])
def test_proprioception_that_does_not_fit_is_an_error_and_the_next_call_works(make, seen, state):
    policy = make()
    with pytest.raises(ProprioError, match='the checkpoint wants 8 numbers of proprioception'):
        policy.predict(replace(seen, proprio=state))
    policy.predict(seen)


def test_a_checkpoint_that_wants_none_ignores_the_robots_state(make, seen):
    policy = make(proprio=0)
    assert policy.proprio is None
    with_state, without = (policy.predict(replace(seen, proprio=p)) for p in (STATE, None))
    assert (with_state.chunk_values == without.chunk_values).all()


def test_statistics_of_another_proprioception_are_an_error(make):
    folder = make(load=False)
    stats = {'small': {**STATISTICS, 'proprio': {'q01': [0.0] * 7, 'q99': [1.0] * 7}}}
    (folder / 'dataset_statistics.json').write_text(json.dumps(stats))
    with pytest.raises(ProprioError, match=r"'small' has 7 columns .* wants 8 numbers"):
        Policy.load(folder)


def test_an_unknown_data_set_is_an_error_that_lists_the_known(make):
    with pytest.raises(UnnormKeyError, match="'there' is not one of: here"):
        Policy.load(make(load=False), unnorm_key='there')


@pytest.mark.parametrize('head', ['l1', DISCRETE])
def test_a_healthy_checkpoint_passes_its_self_test_and_warms_up(make, head):
    policy = make(head=head)
    assert policy.self_test(cameras=2) > 0
    assert policy.warm_up(1) > 0


def test_a_blind_checkpoint_fails_its_self_test(make):
    def blind(model):
        for tensor in model.projector.parameters():
            tensor.zero_()

    with pytest.raises(ImageIgnoredError, match='the image is ignored'):
        make(blind).self_test()


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
@pytest.mark.parametrize('head', ['l1', DISCRETE])
def test_output_that_is_not_finite_is_never_an_action(make, seen, bad, head):
    policy = make(head=head)
    policy.model.language_model.model.norm.weight.fill_(bad)
    with pytest.raises(NotFiniteError):
        policy.predict(seen)
    with pytest.raises(NotFiniteError):
        policy.self_test()


def test_a_public_folder_is_recognised_and_gives_the_originals_actions(reference, tmp_path):
    for name in ('config.json', 'model.safetensors', 'preprocessor_config.json'):
        shutil.copy(reference / name, tmp_path / name)
    for kind in ('action_head', 'proprio_projector'):
        torch.save(
            load_file(reference / f'oft_{kind}.safetensors'),
            tmp_path / f'{kind}--150000_checkpoint.pt',
        )
    inputs, stored = (read_arrays(reference / n) for n in ('inputs.npz', 'oft_outputs.npz'))
    write_tokenizer(WORDS, tmp_path)
    with pytest.raises(UnnormKeyError, match='tiny_bridge, tiny_libero'):
        Policy.load(tmp_path)
    with pytest.raises(ProprioError, match='wants 8 numbers'):
        Policy.load(tmp_path, unnorm_key='tiny_bridge')
    policy = Policy.load(tmp_path, unnorm_key='tiny_libero')
    # The original was given whole images and these ids; its gripper is 1 when open.
    policy.model.config = replace(policy.config, centre_crop=None)
    ids = inputs['input_ids0'][0].tolist()
    policy._ask = Asker(policy.model, FixedPrompt(ids), policy.proprio)
    images = tuple(inputs[f'image{k}'] for k in image_numbers(inputs))
    statistics = policy.config.norm_stats['tiny_libero']['proprio']
    low, high = np.array(statistics['q01']), np.array(statistics['q99'])
    state = 0.5 * (stored['proprio_normalised'] + 1) * (high - low + 1e-8) + low
    values = policy.predict(Observation(images, INSTRUCTION, proprio=state)).chunk_values
    theirs = stored['l1_actions0']
    # Rounding of the scaled state is added to the fixture's.
    assert np.abs(values[:, :6] - theirs[:, :6]).max() < 2e-5
    assert np.abs(values[:, 6] - np.clip(1 - theirs[:, 6], 0, 1)).max() < 2e-5


def test_a_fixture_of_numbers_stays_a_plain_openvla_for_a_policy(reference, tmp_path):
    # Its side files have names of their own, so that one folder can serve both comparisons.
    shutil.copytree(reference, tmp_path / 'copy')
    write_tokenizer(WORDS, tmp_path / 'copy')
    assert Policy.load(tmp_path / 'copy', unnorm_key='tiny_libero').config.head.family == 'openvla'
    assert OFTReference(reference, {}).config.head.proprio == 8


def test_a_head_for_an_arm_of_other_actions_is_refused(reference, tmp_path):
    for name in ('config.json', 'model.safetensors'):
        shutil.copy(reference / name, tmp_path / name)
    head = load_file(reference / 'oft_action_head.safetensors')
    head['model.fc2.weight'], head['model.fc2.bias'] = torch.zeros(14, 32), torch.zeros(14)
    torch.save(head, tmp_path / 'action_head--1_checkpoint.pt')
    write_tokenizer(WORDS, tmp_path)
    with pytest.raises(CheckpointError, match=r'\[32, 224\] for \[32, 448\]'):
        Policy.load(tmp_path, unnorm_key='tiny_libero')
