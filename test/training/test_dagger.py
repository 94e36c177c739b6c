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

"""DAgger's frames do not depend on where their making was interrupted."""

from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from vla_accel_ros.models.presets import embedded
from vla_accel_ros.sim.scene import COLOURS
from vla_accel_ros.sim.tasks import all_instructions
from vla_accel_ros.training import dagger
from vla_accel_ros.training.batches import Pixels
from vla_accel_ros.training.frames import Frames, FrameSpec
from vla_accel_ros.training.recipe_parts import FramesRecipe
from vla_accel_ros.training.rollout import Rollout
from vla_accel_ros.training.tokens import statistics

LIFTS = all_instructions('lift')
RECIPE = FramesRecipe('dagger', 12, 600_000)


@pytest.fixture
def policy(monkeypatch):
    """Give a policy whose answers depend on how many came before, as those of noise do."""
    monkeypatch.setattr(dagger, 'AT_ONCE', 2)
    config = replace(
        embedded(12, cameras=1, image_size=32, tower_width=32, width=48, heads=2),
        norm_stats={'here': statistics(np.full((9, 7), 0.02))},
    )

    def make():
        number = count()

        def answers(pixels, prompts, _):
            return np.full((len(prompts), 1, 7), np.sin(next(number)))

        return Rollout(config, answers, lambda _: [1], Pixels(config), ('agent',))

    return make


def made(folder):
    return Frames.create(folder, FrameSpec(12, 32, ('agent',), COLOURS, LIFTS, 6))


def test_a_chunk_is_the_same_whichever_run_made_the_one_before(tmp_path, policy):
    whole, parts = made(tmp_path / 'whole'), made(tmp_path / 'parts')
    dagger.collect_dagger(whole, RECIPE, policy)
    assert whole.done.all()
    # Stopped when the first chunk is whole.
    dagger.collect_dagger(parts, RECIPE, policy, stopped=lambda: bool(parts.done[0]))
    assert parts.done.tolist() == [True, False]
    dagger.collect_dagger(parts, RECIPE, policy)
    for name, array in whole.arrays.items():
        np.testing.assert_array_equal(array, parts.arrays[name], err_msg=name)
    assert np.ptp(whole.arrays['proprio'][:, 0]) > 0


def test_what_is_stopped_within_a_chunk_leaves_it_unfinished(tmp_path, policy):
    frames, asked = made(tmp_path), count()
    dagger.collect_dagger(frames, RECIPE, policy, stopped=lambda: next(asked) > 1)
    assert not frames.done.any()
