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

"""What this machine has: one function a question, each answered by a `Finding`.

What can take the process down with it (DDS, OpenGL drivers) is tried in a child process.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
import json
import os
from pathlib import Path
import platform
import shutil
import subprocess
import sys

from vla_accel_ros import extras
from vla_accel_ros.paths import share_file

APT_ROS = 'source /opt/ros/jazzy/setup.bash, or pip install -r requirements-ros.txt'
PIP = 'pip install -r requirements.txt'
DDS_PROFILE = 'config/fastdds.xml'
SHARED_MEMORY_MIB = 128
RENDER = """
import json
from vla_accel_ros.sim.gl import choose_backend, import_mujoco
backend, mujoco = choose_backend(), import_mujoco()
model = mujoco.MjModel.from_xml_string(
    '<mujoco><worldbody><light pos="0 0 2"/><geom size=".2"/></worldbody></mujoco>')
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
with mujoco.Renderer(model, 16, 16) as renderer:
    renderer.update_scene(data)
    image = renderer.render()
print(json.dumps({'backend': backend, 'shades': len(set(image.ravel().tolist()))}))
"""


@dataclass(frozen=True)
class Finding:
    """The answer to one question.

    Attributes:
        name: What was looked at.
        ok: Whether it is there and works.
        text: What was found, in a line.
        needed: Whether the demo cannot do without it.
        remedy: What to do about it when it is not there.
        details: The numbers behind the text.
    """

    name: str
    ok: bool
    text: str
    needed: bool = False
    remedy: str = ''
    details: dict = field(default_factory=dict)


def _child(arguments: list[str], seconds: float = 60) -> tuple[dict | None, str]:
    """Run Python in a child; return the JSON of its last line, or None and why there is none."""
    try:
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None, f'no answer within {seconds:.0f} s'
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines:
        return json.loads(lines[-1]), ''
    errors = done.stderr.strip().splitlines()
    if done.returncode < 0:
        return None, f'killed by signal {-done.returncode}'
    return None, errors[-1] if errors else f'exit code {done.returncode}'


def python() -> Finding:
    """Say which Python runs this."""
    text = '{}.{}.{}'.format(*sys.version_info[:3]) + f', {sys.executable}'
    return Finding(
        'python', sys.version_info >= (3, 10), text, needed=True, remedy='Python 3.10 or newer'
    )


def cores() -> Finding:
    """Say how many processors and how much memory there are."""
    count = len(os.sched_getaffinity(0))
    gib = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30
    return Finding(
        'machine',
        True,
        f'{count} cores, {gib:.0f} GiB of memory',
        details={'cores': count, 'memory_gib': round(gib, 1)},
    )


def ros() -> Finding:
    """Say which ROS 2 there is, by bringing up a node."""
    found, why = _child(['-m', 'vla_accel_ros.graph.probe'])
    if found is None:
        return Finding('ros', False, why, needed=True, remedy=APT_ROS)
    text = f'{found["distro"]} from {found["origin"]}, {found["rmw"]}'
    return Finding('ros', True, text, needed=True, details=found)


def log_folder() -> Finding:
    """Say whether ROS can write its logs, without which no node starts."""
    from vla_accel_ros.ros import log_folder

    why = log_folder.why_unusable()
    return Finding(
        'logs',
        not why,
        why or 'ROS can write its logs',
        remedy='set HOME or ROS_LOG_DIR to a folder that can be written; `vla-accel demo` writes '
        'to its own',
    )


def launch() -> Finding:
    """Say whether `ros2 launch` can be used; the demo does without."""
    there = find_spec('launch_ros') is not None
    return Finding(
        'launch',
        there,
        'launch_ros' if there else 'no launch_ros: `vla-accel demo` starts the nodes itself',
        remedy=get_launch(),
    )


def get_launch() -> str:
    """Return how this system gets `ros2 launch`: only Ubuntu 24.04 has packages of ROS 2 Jazzy."""
    if os.environ.get('ROS_DISTRO'):
        return f'apt install ros-{os.environ["ROS_DISTRO"]}-ros2launch'
    system = _os_release()
    if (system.get('ID'), system.get('VERSION_ID')) == ('ubuntu', '24.04'):
        return 'apt install ros-jazzy-ros2launch, then source /opt/ros/jazzy/setup.bash'
    name = system.get('PRETTY_NAME', 'this system')
    return (
        f'{name} has no package of it: a container or machine with Ubuntu 24.04, or ROS 2 '
        'Jazzy built from source'
    )


def _os_release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def dds_profile() -> Finding:
    """Say whether images travel through large enough shared memory."""
    try:
        profile = share_file(DDS_PROFILE)
    except FileNotFoundError as error:
        return Finding('dds', False, str(error), remedy='install the package again')
    free = shutil.disk_usage('/dev/shm').free / 2**20 if Path('/dev/shm').is_dir() else 0
    details = {'profile': str(profile), 'shared_memory_free_mib': round(free)}
    if free < SHARED_MEMORY_MIB:
        return Finding(
            'dds',
            False,
            f'{free:.0f} MiB free in /dev/shm',
            details=details,
            remedy=f'{SHARED_MEMORY_MIB} MiB or more (docker run --shm-size=512m)',
        )
    chosen = os.environ.get('FASTRTPS_DEFAULT_PROFILES_FILE')
    text = f'shared memory, {free:.0f} MiB free; '
    text += f'profile {chosen} (yours)' if chosen else 'profile set by launch file and demo'
    return Finding('dds', True, text, details=details)


def torch() -> Finding:
    """Say which PyTorch there is, and which GPU it sees."""
    try:
        import torch
    except ImportError as error:
        return Finding('torch', False, f'not importable: {error}', needed=True, remedy=PIP)
    if not torch.cuda.is_available():
        return Finding(
            'torch',
            True,
            f'{torch.__version__}, no GPU: the embedded model runs on '
            'the CPU, a 7B model needs a GPU',
            needed=True,
            details={'version': torch.__version__, 'gpu': None},
        )
    gpu = torch.cuda.get_device_properties(0)
    gib = gpu.total_memory / 2**30
    text = f'{torch.__version__}, CUDA {torch.version.cuda}, {gpu.name}, {gib:.0f} GiB'
    if gib < 16:
        text += ' (too small for a 7B model in bfloat16)'
    return Finding(
        'torch',
        True,
        text,
        needed=True,
        details={'version': torch.__version__, 'gpu': gpu.name, 'gpu_memory_gib': round(gib, 1)},
    )


def extra(name: str) -> Finding:
    """Say whether the libraries of an extra are there.

    Args:
        name: One of `extras.PURPOSES`.
    """
    title, purpose = f'extra {name}', extras.PURPOSES[name]
    wanted = extras.libraries(name)
    if not wanted:
        return Finding(title, False, 'unknown: this package is on the path, but not installed')
    lacking = extras.missing(name)
    there = {each: extras.installed(each) for each in wanted if each not in lacking}
    text = ', '.join(f'{each} {number}' for each, number in there.items())
    if lacking:
        text = f'without {", ".join(lacking)}'
    return Finding(
        title,
        not lacking,
        f'{text} ({purpose})',
        remedy=extras.remedy(name),
        details={'there': there, 'missing': lacking},
    )


def opengl() -> Finding:
    """Say whether the cameras of the embedded arm can be rendered, by rendering."""
    from vla_accel_ros.sim.gl import PACKAGES

    found, why = _child(['-c', RENDER])
    remedy = f'apt install {PACKAGES}'
    if found is None:
        return Finding('opengl', False, why, needed=True, remedy=remedy)
    if found['shades'] < 2:
        return Finding(
            'opengl',
            False,
            f'{found["backend"]} renders nothing but one shade',
            needed=True,
            remedy=remedy,
            details=found,
        )
    return Finding('opengl', True, f'{found["backend"]} renders', needed=True, details=found)
