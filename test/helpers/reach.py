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

"""An environment that is not ours: a dot on a plate to be brought to the middle."""

import gymnasium
from gymnasium.spaces import Box, Dict
import numpy as np

UNIT = 0.05
NEAR = 0.02


class Reach(gymnasium.Env):
    """Seven columns of -1..1, of which a unit is 5 cm; gripper -1 open to 1 closed."""

    metadata = {'render_modes': ['rgb_array'], 'render_fps': 20}
    language_instruction = 'bring the dot to the middle'

    def __init__(self, columns=7, size=48, images=True, words='', render_mode=None):
        self.render_mode, self._size = render_mode, size
        self.told, self.language_instruction = [], words or self.language_instruction
        self.action_space = Box(-1, 1, (columns,), np.float32)
        parts = {'state': Box(-1, 1, (2,), np.float64)}
        if images:
            image = Box(0, 255, (size, size, 3), np.uint8)
            parts = {**parts, 'views': Dict({'front': image, 'hand': image})}
        self.observation_space = Dict(parts)
        self._images = images

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.told = []
        self.dot = self.np_random.uniform(-0.2, 0.2, 2)
        return self._observe(), {}

    def step(self, action):
        self.told.append(np.array(action))
        self.dot = np.clip(self.dot + UNIT * np.asarray(action[:2], float), -0.25, 0.25)
        done = bool(np.linalg.norm(self.dot) < NEAR)
        return self._observe(), float(done), done, False, {'is_success': done}

    def _observe(self):
        seen = {'state': self.dot.copy()}
        if self._images:
            front = self.render()
            seen['views'] = {'front': front, 'hand': 255 - front}
        return seen

    def render(self):
        image = np.zeros((self._size, self._size, 3), np.uint8)
        row, column = ((self.dot + 0.25) / 0.5 * (self._size - 1)).astype(int)
        image[row, column] = 255
        return image


gymnasium.register('Reach-v0', entry_point='reach:Reach', max_episode_steps=30)
gymnasium.register('NoImage-v0', entry_point='reach:Reach', kwargs={'images': False})
gymnasium.register('FourColumns-v0', entry_point='reach:Reach', kwargs={'columns': 4})
