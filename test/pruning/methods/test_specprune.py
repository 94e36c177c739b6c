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


from pruning_harness import drive, moving, ramp, textured
import pytest
import torch

from vla_accel_ros.pruning.interface import Rows
from vla_accel_ros.pruning.layer_ranking import LayerRanking, confidence, rank_weights
from vla_accel_ros.pruning.methods.specprune import reference_age
from vla_accel_ros.pruning.registry import create
from vla_accel_ros.pruning.scores import TokenScores
from vla_accel_ros.scheduling.controller import Mode

SLOW, FAST = moving(0.02), moving(0.3)
STEP = 10**8


def peaks(layout, ids, floor=0.001):
    scores = torch.full((layout.cameras * layout.tokens,), floor)
    scores[list(ids)] = torch.linspace(1.0, 0.9, len(list(ids)))
    return scores.view(layout.cameras, layout.tokens)


def by_layer(layout, **ids):
    """Scores that peak at given ids at given layers: l1=range(…), l2=…, others at `rest`."""
    return lambda layer, rows: peaks(layout, ids.get(f'l{layer}', ids['rest']))


@pytest.mark.parametrize(
    ('speed', 'steps'), [(0.0, 11), (0.05, 10), (0.07, 9), (0.19, 7), (0.35, 4), (2.0, 4)]
)
def test_the_faster_the_arm_the_nearer_the_reference_frame(speed, steps):
    assert reference_age(moving(speed), 0.05) == steps


def test_unknown_motion_looks_farthest_back():
    assert reference_age(None, 0.05) == 11


def test_the_first_inference_keeps_all_and_gathers_history(layout):
    pruner = create('specprune', layout)
    seen = drive(pruner)
    assert seen.count == 256 and pruner.reason == 'first_step'
    assert seen.needs.layers == {15: (Rows.TEXT,), 32: (Rows.TEXT,)}
    assert seen.needs.drops == ()


def test_global_dynamic_and_local_tokens_stay(layout):
    pruner = create('specprune', layout, round_up=False, layer_level=False)
    before, after = textured(layout), tuple(i.copy() for i in textured(layout))
    after[0][14:28, 14:28] = 0  # patch 17
    drive(pruner, SLOW, before, 0, scores=by_layer(layout, rest=range(200, 230)))
    seen = drive(
        pruner,
        SLOW,
        after,
        STEP,
        scores=by_layer(layout, l1=range(60, 84), l2=range(100, 124), rest=range(5)),
    )
    expected = {17, *range(60, 84), *range(100, 124), *range(200, 230)}
    assert set(seen.mask[0].nonzero().flatten().tolist()) == expected
    assert list(seen.kept) == ['layer 2']


def test_without_history_the_last_inference_is_not_used(layout):
    pruner = create('specprune', layout, round_up=False, layer_level=False, history=False)
    image = textured(layout)
    drive(pruner, SLOW, image, 0, scores=by_layer(layout, rest=range(200, 230)))
    seen = drive(
        pruner,
        SLOW,
        image,
        STEP,
        scores=by_layer(layout, l1=range(24), l2=range(24), rest=range(24)),
    )
    assert seen.needs.layers == {1: (Rows.TEXT,), 2: (Rows.TEXT,)}
    assert seen.mask[0].nonzero().flatten().tolist() == list(range(24))


def test_a_still_image_has_no_dynamic_tokens_and_at_most_so_many_move(layout):
    pruner = create(
        'specprune',
        layout,
        round_up=False,
        layer_level=False,
        history=False,
        k_local=0,
        k_dynamic=7,
    )
    drive(pruner, SLOW, textured(layout, 0), 0)
    seen = drive(pruner, SLOW, textured(layout, 1), STEP)
    assert seen.count == 7
    pruner = create('specprune', layout, round_up=False, layer_level=False, history=False)
    drive(pruner, SLOW, textured(layout), 0)
    assert drive(pruner, SLOW, textured(layout), STEP).count == 24


def test_coarse_mode_keeps_fewer_and_the_controller_can_be_switched_off(layout):
    def second(motion, **options):
        pruner = create('specprune', layout, round_up=False, layer_level=False, **options)
        drive(pruner, SLOW, textured(layout, 0), 0)
        return drive(pruner, motion, textured(layout, 0), STEP).count, pruner.mode

    fine, mode = second(SLOW)
    assert mode is Mode.FINE
    coarse, mode = second(FAST)
    assert mode is Mode.COARSE
    assert (fine, coarse) == (30, 24)  # ramp: local within global; 30 and ceil(0.8 * 30)
    assert second(FAST, controller=False) == (30, Mode.FINE)


def test_later_layers_drop_a_tenth_of_the_least_each(layout):
    pruner = create('specprune', layout, round_up=False, budget='fixed', keep=100 / 256)
    image = textured(layout)
    drive(pruner, SLOW, image, 0)
    seen = drive(pruner, SLOW, image, STEP)
    assert {k: v.count for k, v in seen.kept.items()} == {
        'layer 2': 100,
        'layer 5': 90,
        'layer 10': 81,
        'layer 15': 73,
        'layer 20': 66,
    }
    assert torch.equal(seen.mask, ramp(layout) > 256 - 66)
    assert set(seen.needs.layers) == {1, 2, *range(3, 21), 32}
    assert seen.needs.drops == (2, 5, 10, 15, 20)


def test_later_drops_go_from_bucket_to_bucket(layout):
    pruner = create('specprune', layout, budget='fixed', keep=128 / 256)
    image = textured(layout)
    drive(pruner, SLOW, image, 0)
    seen = drive(pruner, SLOW, image, STEP)
    # 115, 104, 93, 84 without rounding: only 93 is the first to leave the bucket of 128.
    assert {k: v.count for k, v in seen.kept.items()} == {'layer 2': 128, 'layer 15': 96}


def test_later_drops_only_ever_narrow(two_cameras):
    pruner = create('specprune', two_cameras, round_up=False)
    image = textured(two_cameras)
    generator = torch.Generator().manual_seed(0)

    def scores(layer, rows):
        return torch.rand(2, 256, generator=generator)

    drive(pruner, SLOW, image, 0, scores=scores)
    seen = drive(pruner, SLOW, image, STEP, scores=scores)
    previous = set(range(512))
    for kept in seen.kept.values():
        now = set(kept.ids.tolist())
        assert now < previous
        previous = now


def test_it_fits_a_decoder_of_three_layers(small):
    pruner = create('specprune', small)
    drive(pruner, SLOW, textured(small), 0)
    seen = drive(pruner, SLOW, textured(small), STEP)
    assert next(iter(seen.kept)) == 'layer 1' and 0 < seen.count < 72


def test_explicit_layers_are_taken_as_they_are(layout):
    pruner = create('specprune', layout, layer=4, drop_layers=[8], history_layers=[6])
    assert drive(pruner, SLOW).needs.layers == {6: (Rows.TEXT,)}
    needs = drive(pruner, SLOW, stamp_ns=STEP).needs
    assert needs.drops == (4, 8)
    assert set(needs.layers) == {3, 4, 5, 6, 7, 8}
    with pytest.raises(ValueError, match='drop_layers is 32, expected 1 to 31'):
        create('specprune', layout, drop_layers=[32])


def test_a_reset_forgets_frames_history_and_mode(layout):
    pruner = create('specprune', layout)
    drive(pruner, FAST)
    drive(pruner, FAST, stamp_ns=STEP)
    pruner.reset()
    assert pruner.mode is Mode.FINE
    assert drive(pruner, FAST).count == 256


def test_new_parameters_keep_the_mode(layout):
    pruner = create('specprune', layout)
    drive(pruner, FAST)
    pruner.configure(pruner.Parameters(k_local=10))
    assert pruner.mode is Mode.COARSE


def scores_of(values, present=None, entropy=1.0):
    values = torch.tensor([values])
    present = torch.ones_like(values, dtype=torch.bool) if present is None else present
    return TokenScores(values, present, torch.tensor(entropy))


def test_rank_weights_fall_with_rank_and_sum_to_one():
    weights = rank_weights(scores_of([0.1, 0.7, 0.2]), slope=0.5)
    assert weights.argsort(descending=True)[0].tolist() == [1, 2, 0]
    assert float(weights.sum()) == pytest.approx(1)
    assert float(weights[0, 1] / weights[0, 2]) == pytest.approx(0.5 / 0.37754, rel=1e-4)


def test_absent_tokens_weigh_nothing():
    present = torch.tensor([[True, False, True]])
    weights = rank_weights(scores_of([0.1, 0.0, 0.2], present), slope=0.5)
    assert weights[0, 1] == 0 and float(weights.sum()) == pytest.approx(1)


def test_a_sure_layer_counts_more():
    assert confidence(scores_of([1.0, 2.0], entropy=0.5), 'entropy') == pytest.approx(2, rel=1e-4)
    assert confidence(scores_of([1.0, 3.0]), 'mean_std') == pytest.approx(2, rel=1e-4)


def test_the_running_mean_gives_each_new_layer_its_rate():
    ranking = LayerRanking()
    first = ranking.update(scores_of([0.2, 0.1]), 0.5, 0.2, 'entropy').clone()
    second = ranking.update(scores_of([0.1, 0.2]), 0.5, 0.2, 'entropy')
    now = rank_weights(scores_of([0.1, 0.2]), 0.5)
    torch.testing.assert_close(second, 0.8 * first + 0.2 * now, rtol=1e-4, atol=1e-6)


def test_history_is_of_the_tokens_that_the_last_inference_still_held(layout):
    pruner = create('specprune', layout, layer_level=False, round_up=False)
    image = textured(layout)
    drive(pruner, SLOW, image, 0)
    second = drive(pruner, SLOW, image, STEP, scores=lambda *_: ramp(layout).flip(-1))
    pruner.configure(pruner.Parameters(layer_level=False, round_up=False, k_global=300, k_local=0))
    third = drive(pruner, SLOW, image, 2 * STEP)
    assert second.count == 30 + 24
    assert torch.equal(third.mask, second.mask)
