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

"""CogACT against its original; each trap, once set, is found by an array that then differs."""

from contextlib import contextmanager
from functools import partial
import shutil

import numpy as np
import pytest
import torch

from vla_accel_ros.engines.programs import diffusion as programs
from vla_accel_ros.layers import dit
from vla_accel_ros.models.heads import diffusion, diffusion_head
from vla_accel_ros.models.parity import cogact_prefix as prefix
from vla_accel_ros.models.parity import cogact_reference as parity
from vla_accel_ros.models.parity.comparison import (
    FixtureError,
    compare_all,
    read_arrays,
    tolerance_of,
)
from vla_accel_ros.models.parity.registry import verify
from vla_accel_ros.models.tokenizer import PromptEncoder


@pytest.fixture(scope='module')
def stored(cogact_reference):
    return read_arrays(cogact_reference / 'outputs.npz')


def test_every_array_of_the_original_agrees(cogact_reference, stored):
    comparisons, left_out = verify(cogact_reference)
    assert {c.array: c for c in comparisons if not c.passed} == {}
    assert {c.array for c in comparisons} == set(stored) and not left_out


def failing(folder, stored, only):
    """Compare those arrays alone that a trap is looked for in; give the ones that fail."""
    like = {name: array for name, array in stored.items() if name.startswith(only)}
    ours = parity.Reference(folder, torch.float32).outputs(like)
    comparisons = compare_all(ours, stored, partial(tolerance_of, tolerances=parity.TOLERANCES))
    return {c.array for c in comparisons if not c.passed and c.array in ours}


ONLY = ('cognition', 'ddim', 'eps', 'normalised', 'timestep', 'pruned', 'input_ids')


@pytest.fixture(scope='module')
def nothing_fails(cogact_reference, stored):
    assert failing(cogact_reference, stored, ONLY) == set()


@contextmanager
def changed(target, name, value):
    patch = pytest.MonkeyPatch()
    patch.setattr(target, name, value)
    yield
    patch.undo()


def sines_first(times, size, dtype):
    cosines, sines = dit_embed(times, size, dtype).chunk(2, -1)
    return torch.cat([sines, cosines], -1)


def from_the_last(steps, count):
    return steps - 1 - kept(steps, count)[::-1]


def without_positions(config, ids, layer):
    """Keep the first tokens, so that those that stay close up."""
    return keep(config, np.arange(len(ids)), layer)


def tail_if_missing(self, instruction):
    ids = encode(self, instruction)
    return ids[:-1]


def clipped(self, given, room):
    done = denoise(self, given, room)
    return done | {'x': done['x'].clamp(-1, 1)}


def swapped(self, feature, guided):
    both = embed(self, feature, guided)
    return torch.cat(both.chunk(2)[::-1]) if guided else both


dit_embed, kept, keep = dit.embed_times, diffusion.kept_times, prefix.KeepThese
encode, denoise = PromptEncoder.__call__, programs.Denoise.run
embed = dit.ConditionEmbedder.forward
TRAPS = {
    'sines_before_cosines': (dit, 'embed_times', sines_first, 'eps_cond_0'),
    'norms_of_another_epsilon': (dit, 'EPS', 1e-2, 'eps_cond_0'),
    'the_walk_begins_at_99': (diffusion, 'kept_times', from_the_last, 'ddim10_sample_0'),
    'the_end_token_is_left_out': (PromptEncoder, '__call__', tail_if_missing, 'cognition_0'),
    'clean_samples_are_clipped': (programs.Denoise, 'run', clipped, 'ddim10_sample_0'),
    'condition_and_none_exchanged': (dit.ConditionEmbedder, 'forward', swapped, 'eps_cfg_0'),
    'other_tokens_are_kept': (prefix, 'KeepThese', without_positions, 'pruned_after0_cognition_0'),
    'grippers_split_at_zero': (diffusion_head, 'GRIPPER_AT', -0.5, 'normalised_0'),
}


@pytest.mark.parametrize('trap', TRAPS)
def test_a_trap_is_found(cogact_reference, stored, nothing_fails, trap):
    target, name, value, array = TRAPS[trap]
    with changed(target, name, value):
        assert array in failing(cogact_reference, stored, ONLY)


def test_a_fixture_without_an_input_is_refused_by_its_name(cogact_reference, tmp_path):
    copy = tmp_path / 'copy'
    shutil.copytree(cogact_reference, copy)
    inputs = read_arrays(copy / 'inputs.npz')
    inputs.pop('noise1')
    np.savez(copy / 'inputs.npz', **inputs)
    with pytest.raises(FixtureError, match=r'inputs.npz has no array noise1'):
        parity.verify_cogact(copy)


def test_a_fixture_may_hold_a_part_of_what_is_computed(cogact_reference, stored, tmp_path):
    copy = tmp_path / 'copy'
    shutil.copytree(cogact_reference, copy)
    part = {name: value for name, value in stored.items() if name.startswith('actions_')}
    np.savez(copy / 'outputs.npz', **part)
    comparisons = parity.verify_cogact(copy)
    assert {c.array for c in comparisons} == set(part)
    assert all(c.passed for c in comparisons)


def test_positions_stay_when_tokens_are_dropped(cogact_reference, stored):
    """The stored numbers are those of tokens at their old places, and of no others."""
    reference = parity.Reference(cogact_reference, torch.float32)
    config = reference.model.config
    with torch.inference_mode():
        ask = reference._ask(0)
        pruner = prefix.KeepThese(config, reference._array('keep_visual'), 0)
        run = prefix.run_prefix(
            reference.model, ask, pruner, reference.model.new_cache, read=1, last_is_action=True
        )
    last = config.visual_tokens + ask.ids.shape[1] - 1
    assert all(positions[-1] == last for positions in run.positions)
    expected = stored['pruned_after0_cognition_0']
    np.testing.assert_allclose(run.hidden[0, -1].numpy(), expected, atol=1e-5)
