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

"""Pictures of simulations whose model is another one after each reset."""

import gc

import numpy as np
import pytest

from vla_accel_ros.environments.offscreen import Offscreen
from vla_accel_ros.sim.gl import OpenGLError, import_mujoco

mujoco = import_mujoco()

SCENE = """
<mujoco>
  <worldbody>
    <light pos="0 0 2"/>
    <camera name="above" pos="0 0 1"/>
    <geom type="plane" size="1 1 0.1" group="1" rgba="1 1 1 1"/>
    <geom type="box" pos="{x} 0 0.1" size="0.1 0.1 0.1" group="{group}" rgba="1 0 0 1"/>
  </worldbody>
</mujoco>
"""


def scene(x=0.2, group=1):
    model = mujoco.MjModel.from_xml_string(SCENE.format(x=x, group=group))
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data


def red(picture):
    """Return the columns where the picture is red."""
    strong = (picture[..., 0] > 100) & (picture[..., 1] < 50)
    return np.flatnonzero(strong.any(axis=0))


@pytest.fixture
def offscreen():
    drawer = Offscreen(shadows=False)
    yield drawer
    drawer.close()


def test_another_model_is_drawn_right_after_the_old_one_was_collected(offscreen):
    right = offscreen.render(*scene(x=0.2), 'above', 64)
    gc.collect()
    left = offscreen.render(*scene(x=-0.2), 'above', 64)
    gc.collect()
    again = offscreen.render(*scene(x=0.2), 'above', 64)
    assert red(right).min() > 32 > red(left).max() > 0
    assert np.array_equal(right, again)


def test_what_is_there_for_collisions_is_not_drawn(offscreen):
    assert red(offscreen.render(*scene(group=0), 'above', 64)).size == 0


def test_two_sizes_of_one_model_are_drawn(offscreen):
    model, data = scene()
    assert offscreen.render(model, data, 'above', 64).shape == (64, 64, 3)
    assert offscreen.render(model, data, 'above', 32).shape == (32, 32, 3)


def test_without_opengl_the_packages_are_named(offscreen, monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError('gladLoadGL error')

    monkeypatch.setattr(mujoco, 'Renderer', refuse)
    with pytest.raises(OpenGLError, match=r'gladLoadGL error.*apt-get install'):
        offscreen.render(*scene(), 'above', 64)
