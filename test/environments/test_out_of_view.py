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

"""What a camera cannot see changes no picture, and is not drawn."""

import numpy as np
import pytest

from vla_accel_ros.environments.offscreen import Offscreen
from vla_accel_ros.environments.out_of_view import hidden, out_of_view
from vla_accel_ros.sim.gl import import_mujoco

mujoco = import_mujoco()

SCENE = """
<mujoco>
  <asset><material name="mirror" reflectance="{reflectance}"/></asset>
  <worldbody>
    <light pos="0 0 3" castshadow="{shadow}"/>
    <camera name="ahead" pos="0 -1 0.6" xyaxes="1 0 0 0 0.5 0.9"/>
    <geom name="table" type="box" pos="0 0 -0.05" size="0.4 0.4 0.05" group="1" material="mirror"/>
    <geom name="seen" type="sphere" pos="0 0 0.1" size="0.1" group="1" rgba="1 0 0 1"/>
    <geom name="edge" type="sphere" pos="-0.62 0.2 0.1" size="0.12" group="1" rgba="0 1 0 1"/>
    <geom name="behind" type="sphere" pos="0 -2 0.1" size="0.1" group="1" rgba="0 0 1 1"/>
    <geom name="over" type="sphere" pos="0 1.2 1.0" size="0.2" group="1" rgba="0 0 1 1"/>
    <geom name="under" type="sphere" pos="0 0.1 -3" size="0.2" group="1" rgba="0 0 1 1"/>
    <geom name="floor" type="plane" pos="0 0 -0.5" size="9 9 0.1" group="1"/>
  </worldbody>
</mujoco>
"""


@pytest.fixture
def offscreen():
    drawer = Offscreen(shadows=True)
    yield drawer
    drawer.close()


def made(reflectance=0.0, shadow='false'):
    model = mujoco.MjModel.from_xml_string(SCENE.format(reflectance=reflectance, shadow=shadow))
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data


def unseen(offscreen, model, data):
    """Return the names of the geoms that are out of the camera's view."""
    offscreen.render(model, data, 'ahead', 64)
    with mujoco.Renderer(model, 64, 64) as renderer:
        renderer.update_scene(data, camera='ahead')
        outside = out_of_view(model, data, renderer.scene)
    return {model.geom(each).name for each in np.flatnonzero(outside)}


def test_what_is_beside_behind_or_above_the_view_is_not_drawn(offscreen):
    assert unseen(offscreen, *made()) == {'behind', 'over', 'under'}


def test_what_a_mirror_shows_is_drawn(offscreen):
    assert unseen(offscreen, *made(reflectance=0.5)) == {'behind', 'under'}


def test_where_shadows_fall_all_is_drawn(offscreen):
    assert unseen(offscreen, *made(shadow='true')) == set()


@pytest.mark.parametrize('reflectance', [0.0, 0.5])
@pytest.mark.parametrize('shadow', ['false', 'true'])
def test_the_picture_is_the_same_as_with_all_drawn(offscreen, monkeypatch, reflectance, shadow):
    model, data = made(reflectance, shadow)
    shown = offscreen.render(model, data, 'ahead', 64).copy()
    monkeypatch.setattr(
        'vla_accel_ros.environments.offscreen.out_of_view',
        lambda model, *_: np.zeros(model.ngeom, bool),
    )
    assert np.array_equal(shown, offscreen.render(model, data, 'ahead', 64))


def test_the_mirror_shows_something_here(offscreen):
    dull = offscreen.render(*made(), 'ahead', 64).copy()
    assert not np.array_equal(dull, offscreen.render(*made(reflectance=0.5), 'ahead', 64))


def test_what_was_hidden_is_there_again_also_after_an_error():
    model, _ = made()
    with pytest.raises(KeyError), hidden(model, np.ones(model.ngeom, bool)):
        assert not model.geom_group.any()
        raise KeyError
    assert (model.geom_group == 1).all()
