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

from pruning_harness import drive, moving, ramp
import pytest
import torch

from vla_accel_ros.pruning.action_memory import ActionMemory, complete
from vla_accel_ros.pruning.interface import Layout, Rows
from vla_accel_ros.pruning.registry import create
from vla_accel_ros.pruning.scores import TokenScores
from vla_accel_ros.pruning.selection import top


def peak(layout, *ids, floor=0.01):
    scores = torch.full((layout.cameras, layout.tokens), floor).flatten()
    for place, token in enumerate(ids):
        scores[token] = 1.0 - 0.01 * place
    return scores.view(layout.cameras, layout.tokens)


def test_the_newest_action_score_weighs_most():
    memory = ActionMemory()
    for step in range(4):
        memory.add(torch.tensor([float(step == 1), float(step == 2), float(step == 3)]))
    total = 0.8 + 0.64 + 0.512
    torch.testing.assert_close(memory.estimate(3, 0.8), torch.tensor([0.512, 0.64, 0.8]) / total)


def test_an_estimate_from_fewer_steps_than_its_window_is_refused():
    memory = ActionMemory()
    memory.add(torch.zeros(3))
    with pytest.raises(ValueError, match='1 action scores remembered, expected 3'):
        memory.estimate(3, 0.8)


def test_the_first_steps_prune_nothing_and_ask_only_for_the_actions_attention(layout):
    pruner = create('vla_pruner', layout)
    for _ in range(3):
        seen = drive(pruner)
        assert seen.count == 256 and pruner.reason == 'warm_up'
        assert not seen.needs.layers and not seen.needs.distances
        assert seen.needs.decode == (3, *range(17, 33))
    seen = drive(pruner)
    assert seen.count == 64 and pruner.reason == 'pruned'
    assert list(seen.kept) == ['layer 3']


def test_the_codes_choices_are_parameters(layout):
    pruner = create('vla_pruner', layout, rows='last_row', action_layers='single', window=1)
    drive(pruner)
    seen = drive(pruner)
    assert seen.needs.layers == {3: (Rows.LAST,)}
    assert seen.needs.decode == (3, 15)


def test_kept_tokens_are_nominated_by_either_score(layout):
    pruner = create('vla_pruner', layout, window=1)
    drive(pruner, decode=lambda layer: ramp(layout).flip(-1))
    seen = drive(pruner, decode=lambda layer: ramp(layout).flip(-1))
    nominated = top(ramp(layout), 64) | top(ramp(layout).flip(-1), 64)
    assert bool((nominated | ~seen.mask).all())
    assert seen.mask[0, :64].any() and seen.mask[0, -64:].any()


def test_of_tokens_that_are_alike_one_is_kept(layout):
    pruner = create('vla_pruner', layout, window=1, keep=8 / 256, round_up=False)
    visual = torch.nn.functional.one_hot(torch.arange(256) // 2, 128).float()[None]
    drive(pruner, decode=lambda layer: peak(layout, *range(200, 208)))
    seen = drive(pruner, visual=visual, scores=lambda layer, rows: peak(layout, *range(240, 248)))
    # Sixteen nominated, eight pairs of equal features: one of each pair stays.
    pairs = seen.mask.view(128, 2).sum(1)
    assert pairs.nonzero().flatten().tolist() == [*range(100, 104), *range(120, 124)]
    assert pairs.max() == 1


def test_in_a_single_pass_model_the_action_rows_serve_at_once(two_cameras):
    pruner = create('vla_pruner', two_cameras, keep=0.25)
    wanted = peak(two_cameras, 5, 300)

    def scores(layer, rows):
        return wanted if rows is Rows.ACTION else ramp(two_cameras)

    seen = drive(pruner, scores=scores)
    assert seen.needs.layers == {3: (Rows.ALL, Rows.ACTION)}
    assert seen.needs.decode == ()
    assert seen.mask.sum(1).tolist() == [64, 64]
    assert seen.mask[0, 5] and seen.mask[1, 300 - 256]


def test_cameras_may_have_budgets_of_their_own(two_cameras):
    pruner = create('vla_pruner', two_cameras, keep=0.25, camera_shares=[2.0, 0.5])
    assert drive(pruner).mask.sum(1).tolist() == [128, 32]
    pruner = create('vla_pruner', two_cameras, keep=0.25, camera_shares=[100.0, 1.0])
    assert drive(pruner).mask.sum(1).tolist() == [256, 64]
    with pytest.raises(ValueError, match='camera_shares has 3 values'):
        create('vla_pruner', two_cameras, camera_shares=[1.0, 1.0, 1.0])


def test_a_reset_begins_with_the_warm_up_again(layout):
    pruner = create('vla_pruner', layout, window=1)
    drive(pruner)
    pruner.reset()
    assert drive(pruner).count == 256


def test_new_parameters_keep_what_the_episode_taught(layout):
    pruner = create('vla_pruner', layout)
    for _ in range(3):
        drive(pruner)
    pruner.configure(pruner.Parameters(keep=0.5))
    assert drive(pruner).count == 128


def test_parameters_of_another_method_are_refused(layout):
    pruner = create('vla_pruner', layout)
    with pytest.raises(ValueError, match='vla_pruner takes VlaPrunerParameters'):
        pruner.configure(create('fastv', layout).parameters)


def test_refused_parameters_leave_the_old_ones_in_place(small):
    pruner = create('vla_pruner', small)
    before = pruner.parameters, pruner._drop_layer
    with pytest.raises(ValueError, match='layer is 9, expected 1 to 2'):
        pruner.configure(pruner.Parameters(layer=9))
    assert (pruner.parameters, pruner._drop_layer) == before


def test_a_score_that_is_not_finite_is_not_remembered(layout):
    pruner = create('vla_pruner', layout, window=1)
    drive(pruner, decode=lambda layer: ramp(layout) * float('nan'))
    assert drive(pruner).count == 256
    assert drive(pruner).count == 64


def test_missing_tokens_get_their_shallow_score_on_the_deep_scale():
    present = torch.tensor([[True, True, False, False]])
    deep = TokenScores(torch.tensor([[4.0, 2.0, 0.0, 0.0]]), present, torch.tensor(0.0))
    shallow = TokenScores(
        torch.tensor([[1.0, 2.0, 5.0, 0.5]]), torch.ones_like(present), torch.tensor(0.0)
    )
    torch.testing.assert_close(complete(deep, shallow), torch.tensor([[4.0, 2.0, 10.0, 1.0]]))
    assert complete(deep, None) is deep.received


class Attending:
    """A policy whose actions start to look at a token that the prompt never looks at.

    Deep layers see it only while it is kept; shallow ones see it less sharply, but always.
    """

    def __init__(self, **parameters):
        self.layout = Layout(cameras=1, rows=8, columns=8, patch=4, layers=32)
        self.pruner = create('vla_pruner', self.layout, keep=8 / 64, round_up=False, **parameters)
        self.target = 0
        generator = torch.Generator().manual_seed(5)
        self.prompt = (
            0.01 + peak(self.layout, *range(8)) + 0.001 * torch.rand(1, 64, generator=generator)
        )

    def attention(self, layer):
        sharp = peak(self.layout, self.target, *range(6))
        return 0.5 * sharp + 0.2 if layer <= 3 else sharp

    def step(self):
        seen = drive(
            self.pruner, moving(0.1), decode=self.attention, scores=lambda layer, rows: self.prompt
        )
        return bool(seen.mask[0, self.target]), seen

    def after_change(self, steps=40):
        for _ in range(6):
            self.step()
        self.target = 50
        return [self.step()[0] for _ in range(steps)]


def test_as_published_a_token_once_lost_never_comes_back():
    assert not any(Attending(remedy='none').after_change())


def test_with_the_remedy_a_lost_token_comes_back_within_the_window_and_stays():
    seen = Attending(remedy='shallow').after_change()
    assert all(seen[3:])


def test_refreshing_shows_lost_tokens_again_in_time():
    seen = Attending(remedy='none', refresh=10).after_change()
    first = seen.index(True)
    assert first <= 10
    assert any(seen[first + 1 : first + 3])


def test_one_in_so_many_inferences_keeps_all_counted_from_the_warm_up():
    policy = Attending(refresh=4)
    counts = [policy.step()[1].count for _ in range(15)]
    assert counts == 3 * [64] + 3 * [8, 8, 8, 64]
