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


"""Tests of the choice of OpenGL, in processes of their own: it is made once a process."""

import os
import subprocess
import sys

from vla_accel_ros.sim import gl

_RENDER = (
    'from vla_accel_ros.sim.env import TabletopEnv\n'
    'env = TabletopEnv(image_size=32)\n'
    'print(int(env.reset(seed=0)[0]["agent"].mean()) > 20)\n'
)


def run(code, **environment):
    kept = {k: v for k, v in os.environ.items() if k not in ('MUJOCO_GL', 'PYOPENGL_PLATFORM')}
    return subprocess.run(
        [sys.executable, '-c', code],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_users_choice_wins(monkeypatch):
    monkeypatch.setenv('MUJOCO_GL', 'OSMesa')
    assert gl.choose_backend() == 'osmesa'


def test_egl_comes_before_osmesa_and_nothing_is_none(monkeypatch):
    monkeypatch.delenv('MUJOCO_GL', raising=False)
    monkeypatch.setattr(sys, 'platform', 'linux')
    monkeypatch.setattr(gl, 'osmesa_works', lambda: True)
    monkeypatch.setattr(gl, 'egl_works', lambda: True)
    assert gl.choose_backend() == 'egl'
    monkeypatch.setattr(gl, 'egl_works', lambda: False)
    assert gl.choose_backend() == 'osmesa'
    monkeypatch.setattr(gl, 'osmesa_works', lambda: False)
    assert gl.choose_backend() is None


def test_it_renders_when_nothing_is_set_and_when_mujoco_was_imported_first():
    for code in (_RENDER, 'import mujoco\n' + _RENDER):
        done = run(code)
        assert done.stdout.strip() == 'True', done.stderr


def test_without_opengl_the_physics_runs_and_rendering_names_the_packages():
    done = run(
        'from vla_accel_ros.sim.env import TabletopEnv\n'
        'env = TabletopEnv()\n'
        'env.advance([0] * 7)\n'
        'try:\n'
        '    env.reset(seed=0)\n'
        'except RuntimeError as error:\n'
        '    print(error)\n',
        MUJOCO_GL='disable',
    )
    assert gl.PACKAGES in done.stdout, done.stderr


def test_a_renderer_that_is_open_as_the_process_ends_is_closed_before_its_display():
    done = run(
        'import atexit\n'
        'from vla_accel_ros.sim.gl import import_mujoco, make_renderer\n'
        'mujoco = import_mujoco()\n'
        'class Told(mujoco.Renderer):\n'
        '    def __init__(self, *args, **sizes):\n'
        '        super().__init__(*args, **sizes)\n'
        "        atexit.register(print, 'display')\n"
        '    def close(self):\n'
        "        print('closed')\n"
        '        super().close()\n'
        'mujoco.Renderer = Told\n'
        "kept = make_renderer(mujoco.MjModel.from_xml_string('<mujoco/>'), 16, 16)\n"
    )
    assert done.stdout.split()[:2] == ['closed', 'display']
    assert done.stderr == ''


def test_rendering_after_a_fork_is_refused_instead_of_hanging():
    done = run(
        'import os\n' + _RENDER + 'child = os.fork()\n'
        'if not child:\n'
        '    try:\n'
        '        env.render_camera("agent")\n'
        '    except RuntimeError as error:\n'
        '        os._exit(7 if "spawn" in str(error) else 1)\n'
        '    os._exit(2)\n'
        'print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n'
    )
    assert done.stdout.split() == ['True', '7'], done.stderr
