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

"""SmolVLA against its original's numbers, and that each known trap would be seen."""

from dataclasses import replace
import shutil

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
import torch

from vla_accel_ros.layers.interleaved import InterleavedExpert
from vla_accel_ros.layers.memory import Held
from vla_accel_ros.models.checkpoints.folder import load
from vla_accel_ros.models.checkpoints.json_file import read_json
from vla_accel_ros.models.families.smolvla.family import SmolVLAFamily
from vla_accel_ros.models.families.smolvla.model import SmolVLA
from vla_accel_ros.models.heads.flow_head import FlowHead
from vla_accel_ros.models.parity import smolvla_compare
from vla_accel_ros.models.parity.comparison import compare_all, read_arrays
from vla_accel_ros.models.parity.registry import verify
from vla_accel_ros.models.parity.smolvla_prefix import Prefix, Steps
from vla_accel_ros.models.parity.smolvla_reference import rows_looked_at


@pytest.fixture(scope='module')
def stored(smolvla_fixture):
    return read_arrays(smolvla_fixture / 'outputs.npz')


@pytest.fixture(scope='module')
def inputs(smolvla_fixture):
    return read_arrays(smolvla_fixture / 'inputs.npz')


@pytest.fixture
def model(smolvla_fixture):
    return load(smolvla_fixture, 'cpu', torch.float32)


def test_every_array_agrees_and_none_is_left_out(smolvla_fixture, stored):
    comparisons, missing = verify(smolvla_fixture)
    assert not missing
    assert {c.array for c in comparisons} == {*stored}
    assert [c for c in comparisons if not c.passed] == []


def renamed(folder, target, rename):
    """Write the fixture with other names of its tensors."""
    shutil.copytree(folder, target)
    tensors = load_file(folder / 'model.safetensors')
    save_file(rename(tensors), target / 'model.safetensors')
    return target


LAYOUTS = {
    'without_prefix': lambda t: {name.removeprefix('model.'): v for name, v in t.items()},
    'table_stored_once': lambda t: {n: v for n, v in t.items() if 'lm_head' not in n},
    'of_mixed_types': lambda t: {
        n: v.to(torch.bfloat16) if '.vlm.' in n else v for n, v in t.items()
    },
}


@pytest.mark.parametrize('layout', sorted(LAYOUTS))
def test_other_layouts_of_the_names_load_the_same_model(smolvla_fixture, model, tmp_path, layout):
    folder = renamed(smolvla_fixture, tmp_path / smolvla_fixture.name, LAYOUTS[layout])
    other = load(folder, 'cpu', torch.float32)
    assert other.config == model.config
    near = 1e-2 if layout == 'of_mixed_types' else 0.0
    for (name, one), (_, two) in zip(
        model.state_dict().items(), other.state_dict().items(), strict=True
    ):
        torch.testing.assert_close(two, one, rtol=near, atol=near, msg=name)


@pytest.mark.parametrize(
    ('chunk', 'stored_rows', 'rows'),
    [(10, [0, 5, 9], [0, 5, 9]), (16, [0, 8, 15], [0, 8, 15]), (16, [0, 5, 9], [0, 5, 9])],
)
def test_the_rows_that_a_fixture_stores_are_found_in_chunks_of_any_length(
    chunk, stored_rows, rows
):
    weights = np.random.default_rng(1).random((4, chunk, 20))
    assert rows_looked_at(weights, weights[:, stored_rows] + 1e-6) == rows


def test_of_a_short_chunk_the_middle_row_is_looked_at():
    weights = np.random.default_rng(1).random((4, 5, 20))
    assert rows_looked_at(weights, weights[:, [0, 1, 4]]) == [0, 2, 4]


class Asked:
    """Case A up to the first velocity, with a place for each trap.

    Args:
        model: The model.
        stored: The original's numbers.
        inputs: The fixture's.
    """

    def __init__(self, model: SmolVLA, stored, inputs) -> None:
        self.model, self.inputs = model, inputs
        self.visual = torch.from_numpy(stored['connector_A'][:2]).flatten(0, 1)[None]
        self.ids = torch.from_numpy(stored['token_ids_A'])[None]
        self.state = torch.from_numpy(stored['state_norm_A'])[None]
        self.shift = self.first = 0
        self.turned = False

    def velocity(self):
        """Give the velocities at the fixture's times."""
        model = self.model
        with torch.inference_mode():
            x = model.embed_sequence(self.ids, self.visual, self.state)
            positions = torch.arange(x.shape[1])
            # Behind the two cameras.
            positions[128:] += self.shift
            prefix = Prefix(model, x, positions)
            steps = Steps(FlowHead(model, None, model.flow), prefix, x.shape[1] + self.first)
            times = [float(time) for time in self.inputs['timesteps']]
            noise = torch.from_numpy(self.inputs['noise_A'])
            return torch.cat(
                [steps.velocity(noise, 1 - time if self.turned else time) for time in times]
            )


def scale_text(asked, monkeypatch, factor):
    table = asked.model.language_model.model.embed_tokens.weight
    monkeypatch.setattr(table, 'data', table.data * factor)


def scale_images(asked, monkeypatch):
    asked.visual = asked.visual / 48**0.5


def count_the_absent_camera(asked, monkeypatch):
    asked.shift = asked.first = 64


def begin_actions_behind_padding(asked, monkeypatch):
    asked.first = 7


def see_later_actions(asked, monkeypatch):
    init = Held.__init__
    monkeypatch.setattr(
        Held,
        '__init__',
        lambda self, store, lengths, inside, causal: init(self, store, lengths, inside, False),
    )


def turn_time(asked, monkeypatch):
    asked.turned = True


def leave_the_state_raw(asked, monkeypatch):
    asked.state = torch.from_numpy(asked.inputs['state_A'])[None]


def rotate_cross_layers_from_the_prefix_on(asked, monkeypatch):
    right = InterleavedExpert.rope

    def rope(self, positions, x):
        count = positions.shape[1]
        begin = asked.ids.shape[1] + asked.visual.shape[1] + 1
        return right(self, begin + torch.arange(count)[None], x)

    monkeypatch.setattr(InterleavedExpert, 'rope', rope)


def let_others_see_the_state(asked, monkeypatch):
    monkeypatch.setattr('vla_accel_ros.layers.attending.Own.__call__', seeing_all)


def seeing_all(own, slot, queries, keys, values):
    from vla_accel_ros.layers.llama import fused

    return fused(queries, *own.keep(slot, keys, values))


def heed_the_base_of_the_vlm(asked, monkeypatch):
    from vla_accel_ros.layers.rotary import rope_table

    rotary = asked.model.language_model.model.rotary
    config = replace(asked.model.config.decoder, rope_theta=100000.0)
    monkeypatch.setattr(rotary, 'table', rope_table(config))


TRAPS = {
    'text_scaled_twice': lambda a, m: scale_text(a, m, 48**0.5),
    'text_not_scaled': lambda a, m: scale_text(a, m, 48**-0.5),
    'images_not_scaled': scale_images,
    'absent_camera_counted': count_the_absent_camera,
    'padding_counted': begin_actions_behind_padding,
    'later_actions_seen': see_later_actions,
    'time_turned': turn_time,
    'state_raw': leave_the_state_raw,
    'cross_layers_rotated_from_the_prefix_on': rotate_cross_layers_from_the_prefix_on,
    'state_seen_by_others': let_others_see_the_state,
    'base_of_the_vlm': heed_the_base_of_the_vlm,
}


def test_without_a_trap_the_velocities_agree(model, stored, inputs):
    found = Asked(model, stored, inputs).velocity()
    np.testing.assert_allclose(found, stored['velocity_A'], atol=1e-4, rtol=0)


@pytest.mark.parametrize('trap', sorted(TRAPS))
def test_a_trap_is_seen(model, stored, inputs, monkeypatch, trap):
    asked = Asked(model, stored, inputs)
    TRAPS[trap](asked, monkeypatch)
    ours = {'velocity_A': asked.velocity().numpy()}
    theirs = {'velocity_A': stored['velocity_A']}
    (found,) = compare_all(ours, theirs, smolvla_compare.tolerance)
    assert not found.passed and found.difference > 1e-3


def test_shifted_position_ids_are_seen_in_the_connector(model, stored, inputs):
    gap = np.abs(stored['connector_A_shifted_ids'] - stored['connector_A']).max()
    assert gap > 1e-2


def test_a_padded_state_is_not_taken_for_the_robots(model, smolvla_fixture):
    assert model.config.proprio == 6 and model.config.action_dims == 6
    with pytest.raises(
        ValueError, match=r'wants 6 numbers of proprioception, the observation has \[32\]'
    ):
        key = next(iter(model.config.norm_stats))
        SmolVLAFamily().proprio(model.config, key)(np.zeros(32))


def test_cameras_that_are_never_there_are_no_views(model, smolvla_fixture):
    assert model.config.cameras == 2
    values = read_json(smolvla_fixture / 'config.json')
    assert SmolVLAFamily().claims(smolvla_fixture, values)
