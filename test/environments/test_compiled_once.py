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

"""A model of the same text is compiled once, and given again as it was."""

import numpy as np
import pytest

from vla_accel_ros.environments.compiled_once import CompiledOnce
from vla_accel_ros.sim.gl import import_mujoco

mujoco = import_mujoco()

SCENE = """
<mujoco>
  <worldbody>
    <body name="cup" pos="0 0 {height}">
      <joint type="slide" axis="0 0 1" damping="2"/>
      <geom name="side" type="sphere" size="0.1" rgba="1 0 0 1"/>
    </body>
  </worldbody>
</mujoco>
"""


def arrays(model):
    return {
        name: np.array(getattr(model, name))
        for name in dir(model)
        if not name.startswith('_') and isinstance(getattr(model, name), np.ndarray)
    }


def test_what_a_simulation_wrote_to_the_model_is_gone_when_it_is_given_again():
    compiled = CompiledOnce()
    text = SCENE.format(height=1.0)
    model = compiled.model(text)
    fresh = arrays(model)
    model.body('cup').pos[:] = 7.0
    model.geom('side').rgba[3] = 0.0
    model.dof_damping[:] = 0.0
    again = compiled.model(text)
    assert again is model
    assert arrays(again).keys() == fresh.keys()
    for name, values in arrays(again).items():
        np.testing.assert_array_equal(values, fresh[name], err_msg=name)


def test_another_text_is_another_model():
    compiled = CompiledOnce()
    first = compiled.model(SCENE.format(height=1.0))
    second = compiled.model(SCENE.format(height=2.0))
    assert second is not first
    assert second.body('cup').pos[2] == 2.0
    assert compiled.model(SCENE.format(height=1.0)).body('cup').pos[2] == 1.0


@pytest.mark.parametrize('struct, field', [('opt', 'timestep'), ('stat', 'extent')])
def test_a_model_whose_options_were_changed_is_compiled_anew(struct, field):
    compiled = CompiledOnce()
    text = SCENE.format(height=1.0)
    model = compiled.model(text)
    was = getattr(getattr(model, struct), field)
    setattr(getattr(model, struct), field, 2 * was)
    again = compiled.model(text)
    assert again is not model
    assert getattr(getattr(again, struct), field) == was
