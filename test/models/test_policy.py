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

"""From an observation to actions in metres, radians and 0 open to 1 closed."""

from dataclasses import replace
import json

from checkpoints import random_checkpoint
import numpy as np
import pytest
import torch

from vla_accel_ros.engines.programs.decoder import general
from vla_accel_ros.models.action_tokens import (
    ActionStatistics,
    ActionTokens,
    UnnormKeyError,
    to_si,
)
from vla_accel_ros.models.checkpoints.folder import save
from vla_accel_ros.models.device import DeviceError
from vla_accel_ros.models.families.oft.config import OFTConfig
from vla_accel_ros.models.families.openvla.config import TokensConfig
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.prediction import ImageIgnoredError, NotFiniteError
from vla_accel_ros.models.preprocess import CameraCountError, fit
from vla_accel_ros.models.stopwatch import STAGES
from vla_accel_ros.models.tokenizer import FixedPrompt
from vla_accel_ros.models.tokenizer_file import TokenizerError
from vla_accel_ros.observations import Observation

INSTRUCTION = 'pick up the red cube'


@pytest.fixture
def policy(embedded_folder):
    return Policy.load(embedded_folder)


def damaged(folder, config, build, change):
    model = build(config)
    change(model)
    save(model, folder)
    return Policy.load(folder)


def test_answers_one_action_of_seven_tokens_with_timings(policy, views):
    prediction = policy.predict(Observation(views, INSTRUCTION))
    assert prediction.chunk_values.shape == (1, 7)
    assert prediction.token_ids.shape == (7,)
    assert prediction.kept == policy.config.visual_tokens
    assert set(prediction.timings_ms) == {*STAGES, 'total'}
    assert sum(prediction.timings_ms[s] for s in STAGES) <= prediction.timings_ms['total']


def test_a_sibling_shares_the_weights_and_nothing_else(policy, views):
    other, seen = policy.sibling(), Observation(views, INSTRUCTION)
    other.set_pruning('random', keep=0.5)
    assert other.model is policy.model
    assert other.predict(seen).kept < policy.predict(seen).kept
    np.testing.assert_array_equal(
        policy.sibling().predict(seen).token_ids, policy.predict(seen).token_ids
    )


class Counting:
    """Run programs as they are written, and list them."""

    name, precision, exact = 'counting', 'float32', True

    def __init__(self):
        self.ran = []

    def ready(self, program, bucket):
        self.ran.append(program.name)
        return program.run


@pytest.mark.parametrize(
    ('head', 'last'),
    [(TokensConfig(), 'loop'), (OFTConfig(chunk=2, proprio=0), 'head'), (None, 'span')],
    ids=['openvla', 'oft', 'toy'],
)
def test_the_engine_that_is_set_runs_the_programs(head, last, toy_checkpoint, tmp_path, views):
    folder = toy_checkpoint if head is None else random_checkpoint(tmp_path / 'new', head=head)
    policy, engine, seen = Policy.load(folder), Counting(), Observation(views, INSTRUCTION)
    eager = policy.predict(seen)
    policy.set_engine(engine)
    np.testing.assert_array_equal(policy.predict(seen).chunk_values, eager.chunk_values)
    assert engine.ran[0] == 'vision' and engine.ran[-1] == last
    before = len(engine.ran)
    policy.sibling().predict(seen)
    assert len(engine.ran) == 2 * before


def test_same_observation_same_answer(policy, views):
    first, second = (policy.predict(Observation(views, INSTRUCTION)) for _ in range(2))
    assert (first.token_ids == second.token_ids).all()
    assert (first.chunk_values == second.chunk_values).all()


@pytest.mark.parametrize('film', [False, True])
def test_answers_in_bfloat16(embedded_folder, embedded_config, build, views, film):
    save(build(replace(embedded_config, film=film)), embedded_folder)
    policy = Policy.load(embedded_folder, dtype=torch.bfloat16)
    assert policy.model.dtype == torch.bfloat16
    prediction = policy.predict(Observation(views, INSTRUCTION))
    assert np.isfinite(prediction.chunk_values).all()
    assert policy.self_test() > 0


def test_longer_prompts_after_shorter_ones_are_answered_afresh(policy, views, embedded_folder):
    policy.predict(Observation(views, 'pick up'))
    long = 'pick up the red cube place it in the bin ' * 8
    again = policy.predict(Observation(views, long))
    fresh = Policy.load(embedded_folder).predict(Observation(views, long))
    assert (again.token_ids == fresh.token_ids).all()


def test_actions_are_unnormalised_with_the_data_sets_range(policy, views):
    prediction = policy.predict(Observation(views, INSTRUCTION))
    tokens = ActionTokens(policy.config.tokenizer_vocab, policy.config.bins)
    normalised = tokens.decode(prediction.token_ids)
    values = prediction.chunk_values[0]
    assert values[:3] == pytest.approx(0.03 * normalised[:3])
    assert values[3:6] == pytest.approx(0.1 * normalised[3:6])
    assert 0 <= values[6] <= 1


@pytest.mark.parametrize(
    ('open_is_one', 'stored', 'expected'),
    [(True, 0.996, 0.004), (True, -0.2, 1.0), (False, 0.996, 0.996), (False, -0.2, 0.0)],
)
def test_gripper_is_brought_to_nought_open_one_closed(
    embedded_config, open_is_one, stored, expected
):
    statistics = ActionStatistics.from_dict(embedded_config.norm_stats['embedded']['action'])
    config = replace(embedded_config, gripper_open_is_one=open_is_one)
    values = to_si(np.array([0, 0, 0, 0, 0, 0, stored]), statistics, config)
    assert values[6] == pytest.approx(expected)


def test_images_of_any_size_are_fitted_once(policy, views):
    large = tuple(np.kron(view, np.ones((3, 2, 1), np.uint8)) for view in views)
    whole = policy.predict(Observation(large, INSTRUCTION))
    small = tuple(fit(view, policy.config) for view in large)
    assert (
        policy.predict(Observation(small, INSTRUCTION), resized=True).token_ids == whole.token_ids
    ).all()


def test_says_how_many_views_the_checkpoint_wants(policy, views):
    with pytest.raises(CameraCountError, match='got 1 images, the checkpoint wants 2 views'):
        policy.predict(Observation(views[:1], INSTRUCTION))
    with pytest.raises(CameraCountError, match='got 3 images, the checkpoint wants 2 views'):
        policy.self_test(cameras=3)


def test_unknown_words_are_an_error_and_the_next_call_works(policy, views):
    with pytest.raises(TokenizerError, match='teapot'):
        policy.predict(Observation(views, 'pick up the teapot'))
    policy.predict(Observation(views, INSTRUCTION))


def test_a_healthy_checkpoint_passes_its_self_test(policy):
    assert policy.self_test(cameras=2) > 0


def test_a_blind_checkpoint_fails_its_self_test(embedded_folder, embedded_config, build):
    def blind(model):
        for tensor in model.projector.parameters():
            tensor.zero_()

    policy = damaged(embedded_folder, embedded_config, build, blind)
    with pytest.raises(ImageIgnoredError, match='the image is ignored'):
        policy.self_test()


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
def test_output_that_is_not_finite_is_never_an_action(embedded_folder, views, bad):
    policy = Policy.load(embedded_folder)
    policy.model.language_model.model.norm.weight.fill_(bad)
    with pytest.raises(NotFiniteError):
        policy.self_test()
    with pytest.raises(NotFiniteError):
        policy.predict(Observation(views, INSTRUCTION))


class General:
    """Run programs in the form in which no shape depends on what a memory holds.

    Where `inside` is False a program writes to no store, and what it gives is copied there, as by
    runtimes that give new tensors.
    """

    name, precision, exact = 'general', 'float32', True

    def __init__(self, inside):
        self.inside = inside

    def ready(self, program, bucket):
        def run(given, room):
            if self.inside or 'store' not in room:
                return general(program).run(given, room)
            result = general(program).run(given, {})
            count = result['new'].shape[4]
            for layer, held in enumerate(program.held):
                room['store'][layer, :, :, :, held : held + count] = result['new'][layer]
            return result

        return run


@pytest.mark.parametrize('decoder', ['greedy', 'verify'])
@pytest.mark.parametrize('inside', [True, False])
def test_nan_of_one_answer_does_not_live_on_in_the_memory_of_the_next(
    embedded_folder, views, decoder, inside
):
    policy, seen = Policy.load(embedded_folder), Observation(views, INSTRUCTION)
    policy.set_decoder(decoder, draft='previous')
    eager = [policy.predict(seen).token_ids.tolist() for _ in range(2)]
    policy.reset()
    policy.set_engine(General(inside))
    good = [policy.predict(seen).token_ids.tolist() for _ in range(2)]
    assert good == eager
    policy.reset()
    words = policy.model.language_model.model.embed_tokens.weight
    first = words[1].clone()
    assert policy.tokens_of(INSTRUCTION)[0] == 1
    for bad in (float('nan'), float('inf')):
        words[1] = bad
        with pytest.raises(NotFiniteError):
            policy.predict(seen)
        words[1] = first
        assert [policy.predict(seen).token_ids.tolist() for _ in range(2)] == good
        policy.reset()
    words[1] = float('nan')
    assert policy.logits(seen).isnan().all()
    words[1] = first
    # Fewer tokens: what they leave free still is what the logits left.
    policy.set_pruning('random', keep=0.5)
    assert policy.predict(seen).kept < policy.config.visual_tokens


def test_a_policy_packs_its_models_matrices(embedded_folder):
    model = Policy.load(embedded_folder).model
    for layer in model.language_model.model.layers:
        assert layer.self_attn.packed is not None and layer.mlp.packed is not None


def test_an_instruction_longer_than_the_model_was_made_for_is_refused(policy, views, build):
    config = policy.config
    words = len(policy.tokens_of(INSTRUCTION))
    length = config.visual_tokens + words + config.action_dims
    for longest in (length, length - 1):
        decoder = replace(config.decoder, max_positions=longest)
        model = build(replace(config, decoder=decoder))
        short = Policy(model, FixedPrompt(policy.tokens_of(INSTRUCTION)))
        if longest == length:
            assert short.predict(Observation(views, INSTRUCTION)).token_ids.shape == (7,)
            continue
        why = f'prompt of {words} tokens, {length} positions .* made for {longest}'
        with pytest.raises(TokenizerError, match=why):
            short.predict(Observation(views, INSTRUCTION))


def test_warm_up_says_how_long_a_call_takes(policy):
    assert policy.warm_up(1) > 0


def two_data_sets(folder):
    stats = json.loads((folder / 'config.json').read_text())['norm_stats']['embedded']
    (folder / 'dataset_statistics.json').write_text(json.dumps({'a': stats, 'b': stats}))


def test_key_is_wanted_where_there_are_two_data_sets(embedded_folder):
    two_data_sets(embedded_folder)
    with pytest.raises(UnnormKeyError, match='one of: a, b'):
        Policy.load(embedded_folder)
    assert Policy.load(embedded_folder, unnorm_key='b').unnorm_key == 'b'


def test_statistics_of_other_than_seven_columns_are_refused(embedded_folder):
    stats = {'short': {'action': {'q01': [0.0] * 6, 'q99': [1.0] * 6}}}
    (embedded_folder / 'dataset_statistics.json').write_text(json.dumps(stats))
    with pytest.raises(ValueError, match=r"'short' has 6 action columns.*expected 7"):
        Policy.load(embedded_folder)


def test_a_missing_device_is_named(embedded_folder, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(DeviceError, match="device 'cuda:0'"):
        Policy.load(embedded_folder, device='cuda:0')


def test_actions_that_are_not_finite_in_metres_fail_the_self_test(embedded_folder):
    policy = Policy.load(embedded_folder)
    policy.self_test()
    # As a number that a type cannot hold would make them, whatever the model itself gives.
    policy.statistics.high[3] = np.nan
    with pytest.raises(NotFiniteError, match='NaN or infinite in m and rad'):
        policy.self_test()


def test_threads_are_set(embedded_folder):
    before = torch.get_num_threads()
    try:
        Policy.load(embedded_folder, threads=1)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
