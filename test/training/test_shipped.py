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
"""The shipped checkpoint: it loads, sees, reads, and lifts what it is told to lift."""

import numpy as np
import pytest

from vla_accel_ros.evaluation.closed_loop import run_episode
from vla_accel_ros.evaluation.driver import Driver
from vla_accel_ros.evaluation.environments.tabletop import Tabletop
from vla_accel_ros.evaluation.methods import find
from vla_accel_ros.evaluation.seeds import RANGES
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.observations import Observation
from vla_accel_ros.paths import checkpoint_folder
from vla_accel_ros.sim.env import TabletopEnv
from vla_accel_ros.sim.expert import Expert
from vla_accel_ros.sim.tasks import all_instructions

LIFTS = all_instructions('lift')
FIRST = RANGES['tuning'].start + 5000
MAX_BYTES = 25e6


@pytest.fixture(scope='module')
def policy():
    return Policy.load(checkpoint_folder('tabletop-s'), threads=1)


@pytest.fixture(scope='module')
def env(policy):
    made = TabletopEnv(image_size=policy.image_size)
    yield made
    made.close()


def test_it_is_small_and_whole():
    folder = checkpoint_folder('tabletop-s')
    assert (folder / 'model.safetensors').stat().st_size <= MAX_BYTES
    for name in ('config.json', 'tokenizer.json', 'preprocessor_config.json',
                 'dataset_statistics.json'):
        assert (folder / name).is_file(), name


def test_it_sees_and_has_its_key(policy):
    assert policy.self_test(cameras=2) > 0
    assert policy.unnorm_key == 'tabletop-s'
    assert policy.config.visual_tokens >= 72


def test_the_same_picture_with_another_colour_leads_elsewhere(policy, env):
    right = total = 0
    for seed in range(FIRST, FIRST + 8):
        env.reset(seed=seed)
        views = (env.render_camera('agent'), env.render_camera('wrist'))
        wanted = np.stack([Expert().action(env.state(), text)[:3] for text in LIFTS])
        for index, text in enumerate(LIFTS):
            said = policy.predict(Observation(views, text)).chunk_values[0, :3]
            right += np.linalg.norm(wanted - said, axis=1).argmin() == index
            total += 1
    assert right >= 0.9 * total


def test_it_lifts_the_cube_that_it_is_told_to(policy):
    environment, driver = Tabletop(policy.image_size), Driver(policy, find('none')[0])
    episodes = [
        run_episode(driver, environment, FIRST + 20 + i, text)
        for i, text in enumerate(LIFTS)
    ]
    environment.close()
    assert sum(episode.success for episode in episodes) >= 2
