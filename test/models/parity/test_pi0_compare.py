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

"""`vla-accel verify` passes on the original's numbers, and each known trap makes it fail."""

from dataclasses import replace
import json
import shutil

import numpy as np
from pi0_fixture import FIXTURES, NAMES, model_of, ready, stored
import pytest
from safetensors.torch import load_file, save_file
import torch

from vla_accel_ros.cli import main
from vla_accel_ros.layers.memory import Held
from vla_accel_ros.models.checkpoints.folder import load
from vla_accel_ros.models.families.pi0.names import _TABLES
from vla_accel_ros.models.heads import flow
from vla_accel_ros.models.parity.comparison import FixtureError
from vla_accel_ros.models.parity.flow_trace import trace_prefix
from vla_accel_ros.models.parity.pi0_compare import thinned, tolerance_of, verify
from vla_accel_ros.models.parity.pi0_inputs import Before, cases_of, original

TIMES = [1.0]


def velocity(found):
    """Give the first stored velocity, computed."""
    with torch.inference_mode():
        _, prefix = found.prefix()
        time = stored_times(found)[:1]
        return found.velocities(prefix, found.noise, time)[0].numpy()


def stored_times(found):
    inputs, _ = stored('pi05_tiny' if found.model.config.head.adaptive else 'pi0_tiny')
    return inputs['timesteps'].tolist()


def off(name, found):
    """Say how far the velocity is from the original's, as a share of the tolerance."""
    theirs = stored(name)[1][f'velocity_{found.case.name}'][0]
    return np.abs(velocity(found) - theirs).max() / tolerance_of(f'velocity_{found.case.name}')


@pytest.mark.parametrize('name', NAMES)
def test_every_array_agrees_with_the_original(name, capsys):
    assert main(['verify', '--fixture', str(FIXTURES / name)]) == 0
    assert 'FAIL' not in capsys.readouterr().out


@pytest.mark.parametrize('name', NAMES)
def test_a_view_that_is_not_there_is_not_run(name):
    found = ready(name)
    assert found.case.images[2] is None
    assert found.model.config.cameras == 2 and found.ask.pixels.shape[1] == 6
    assert off(name, found) < 1


@pytest.mark.parametrize('twice', [False, True])
def test_names_with_a_prefix_and_the_table_stored_twice_are_read(tmp_path, twice):
    folder = tmp_path / 'fixture'
    shutil.copytree(FIXTURES / 'pi0_tiny', folder)
    tensors = load_file(folder / 'model.safetensors')
    if twice:
        tensors[_TABLES[0]] = tensors[_TABLES[1]].clone()
    else:
        tensors[_TABLES[0]] = tensors.pop(_TABLES[1])
    save_file(
        {f'model.{key}': value for key, value in tensors.items()}, folder / 'model.safetensors'
    )
    plain, read = model_of('pi0_tiny').state_dict(), load(folder).state_dict()
    assert all(torch.equal(read[key], value) for key, value in plain.items())


def test_a_changed_number_is_found(tmp_path):
    folder = tmp_path / 'fixture'
    shutil.copytree(FIXTURES / 'pi0_tiny', folder)
    arrays = dict(np.load(folder / 'outputs.npz'))
    arrays = {key: arrays[key] for key in ('actions_A', 'actions_B', 'token_ids_A')}
    arrays['actions_B'] = arrays['actions_B'] + 1e-3
    np.savez(folder / 'outputs.npz', **arrays)
    failed = {each.array for each in verify(folder) if not each.passed}
    assert failed == {'actions_B'}


def test_a_fixture_without_actions_is_refused(tmp_path):
    folder = tmp_path / 'fixture'
    shutil.copytree(FIXTURES / 'pi0_tiny', folder)
    np.savez(folder / 'outputs.npz', token_ids_A=np.zeros(48, np.int64))
    with pytest.raises(FixtureError, match='expected the actions of each case'):
        verify(folder)


@pytest.mark.parametrize(('tokens', 'kept', 'every'), [(256, 16, 16), (81, 6, 16), (81, 81, 1)])
def test_a_thinned_out_case_is_known_by_its_rows(tokens, kept, every):
    assert thinned(tokens, np.zeros((3, kept, 8))) == every
    assert len(range(0, tokens, every)) == kept


def test_the_state_is_padded_to_its_own_columns_and_not_to_the_actions(tmp_path):
    folder = tmp_path / 'fixture'
    shutil.copytree(FIXTURES / 'pi05_tiny', folder)
    values = json.loads((folder / 'config.json').read_text()) | {'max_state_dim': 16}
    (folder / 'config.json').write_text(json.dumps(values))
    inputs = stored('pi05_tiny')[0]
    case = cases_of(folder, inputs)[0]
    arrays = Before(folder, original(folder), inputs).arrays(case)
    assert arrays['state_model_A'].shape == (16,)


def test_rows_may_be_dropped_behind_the_last_layer():
    model, stay = model_of('pi0_tiny'), torch.tensor([0, 3, 4])
    x = torch.randn(1, 6, model.config.decoder.width, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        whole = trace_prefix(model, x, torch.arange(6))
        cut = trace_prefix(model, x, torch.arange(6), model.config.decoder.layers, stay)
    assert torch.equal(cut.hidden[-1], whole.hidden[-1][stay])


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('factor', ['twice', 'never'])
def test_a_text_scaled_twice_or_not_at_all_is_found(name, factor, monkeypatch):
    found = ready(name)
    table = found.model.language_model.model.embed_tokens
    root = table.embedding_dim**0.5
    plain = type(table).forward
    changed = root if factor == 'twice' else 1 / root
    monkeypatch.setattr(type(table), 'forward', lambda self, ids: plain(self, ids) * changed)
    assert off(name, found) > 3


@pytest.mark.parametrize('name', NAMES)
def test_scaled_image_features_are_found(name, monkeypatch):
    found = ready(name)
    plain = type(found.model).project_rows
    root = found.model.config.decoder.width**0.5
    monkeypatch.setattr(type(found.model), 'project_rows', lambda *given: plain(*given) / root)
    assert off(name, found) > 3


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('counted', ['camera', 'padding'])
def test_positions_that_count_a_missing_camera_or_padding_are_found(name, counted, monkeypatch):
    found = ready(name)
    config, text = found.model.config, found.ask.ids.shape[1]
    added = config.tokens_per_image if counted == 'camera' else config.head.prompt_length - text
    plain = flow.run_prefix

    def moved(*given):
        prefix = plain(*given)
        return replace(prefix, position=prefix.position + added)

    monkeypatch.setattr('vla_accel_ros.models.parity.pi0_reference.run_prefix', moved)
    assert off(name, found) > 1.5


@pytest.mark.parametrize('name', NAMES)
def test_actions_that_see_only_those_before_them_are_found(name, monkeypatch):
    found = ready(name)
    monkeypatch.setattr(found.model.flow, 'causal', True)
    assert off(name, found) > 3


def test_a_state_that_sees_the_actions_is_found():
    found = ready('pi0_tiny')
    with torch.inference_mode():
        _, prefix = found.prefix()
        exact = found.velocities(prefix, found.noise, TIMES)
        # The state's row once more, with the actions' rows among its keys.
        cache = prefix.cache
        seen = Held(
            cache.store, [n + found.noise.shape[1] for n in cache.held], False, causal=False
        )
        found.model.flow.leading(found.ask.proprio, prefix.position, seen)
        cache.store[:, :, :, :, cache.held[0] - 1] = seen.new[:, :, :, :, 0]
        wrong = found.velocities(prefix, found.noise, TIMES)
    assert (exact - wrong).abs().max() > 3e-4


@pytest.mark.parametrize('name', NAMES)
def test_a_prefix_that_is_causal_is_found(name, monkeypatch):
    found, plain = ready(name), flow.prefill

    def causal(*given, **words):
        return plain(*given, **{**words, 'causal': True})

    monkeypatch.setattr(flow, 'prefill', causal)
    assert off(name, found) > 3


@pytest.mark.parametrize('name', NAMES)
def test_time_that_runs_the_wrong_way_is_found(name):
    found, theirs = ready(name), stored(name)[1]
    with torch.inference_mode():
        inference, prefix = found.prefix()
        plan = found.head.plan(found.noise, 10)
        turned = replace(plan, times=plan.times[::-1], conditions=plan.conditions.flip(0))
        ours = flow.denoise(inference, found.head.network, prefix, plan)[0][0].numpy()
        wrong = flow.denoise(inference, found.head.network, prefix, turned)[0][0].numpy()
    assert np.abs(ours - theirs['actions_A']).max() < 1e-4
    assert np.abs(wrong - theirs['actions_A']).max() > 1e-3


def test_a_state_written_into_the_prompt_before_it_is_normalised_is_found():
    folder, (inputs, theirs) = FIXTURES / 'pi05_tiny', stored('pi05_tiny')
    before, case = (
        Before(folder, original(folder), inputs),
        cases_of(FIXTURES / 'pi05_tiny', inputs)[0],
    )
    assert before.arrays(case)['token_ids_A'].tolist() == theirs['token_ids_A'].tolist()
    before.state = lambda case: case.state
    assert before.arrays(case)['token_ids_A'].tolist() != theirs['token_ids_A'].tolist()


def test_a_padded_state_taken_for_the_robots_is_found():
    folder, (inputs, theirs) = FIXTURES / 'pi05_tiny', stored('pi05_tiny')
    config, case = original(folder), cases_of(FIXTURES / 'pi05_tiny', inputs)[0]
    padded = replace(config, head=replace(config.head, prompt_numbers=32))
    ids = Before(folder, padded, inputs).ids(case)
    assert len(ids) > theirs['token_mask_A'].sum()
