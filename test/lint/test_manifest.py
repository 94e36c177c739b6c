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

"""package.xml, setup.py and the requirements say the same."""

import ast
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
import re
import shutil
import subprocess
import sys
import zipfile

from catkin_pkg.package import parse_package
from packaging.requirements import Requirement
import pytest

from vla_accel_ros import __version__
from vla_accel_ros.command_table import COMMANDS
from vla_accel_ros.extras import PURPOSES

PYTHONS = ('3.10', '3.11', '3.12', '3.13')
# Imports whose distribution is called otherwise.
DISTRIBUTION = {
    'cv2': 'opencv-python-headless',
    'PIL': 'pillow',
    'yaml': 'pyyaml',
    'grpc': 'grpcio',
    'imageio_ffmpeg': 'imageio-ffmpeg',
}
# Used where they are there; the code says what to install where they are not.
OPTIONAL = {
    'huggingface_hub',
    'ament_index_python',
    'launch',
    'launch_ros',
    'transformers',
    'setuptools',
}
# Each extra, and the file that pins what it adds; training adds nothing that the others have not.
EXTRAS = {
    'sim': 'requirements-sim.txt',
    'eval': 'requirements-eval.txt',
    'engines': 'requirements-engines.txt',
    'remote': 'requirements-remote.txt',
    'cluster': 'requirements-cluster.txt',
}
# Environments of others, each made by `make` of the same name.
ELSEWHERE = {'libero': 'requirements-libero.txt', 'simpler': 'requirements-simpler.txt'}
FILES = ('requirements.txt', *EXTRAS.values(), 'requirements-ros.txt')
FILES += ('requirements-test.txt', 'requirements-test-alone.txt')
# Rooms and files that only work where their extras are installed.
BEYOND_A_ROBOT = ('sim', 'environments', 'evaluation', 'replay', 'tuning', 'bench', 'report')
BEYOND_A_ROBOT += ('training', 'cluster', 'graph/demo_picture.py')
# Where an engine's library is missing another one runs; a remote policy says what it lacks.
BEYOND_A_ROBOT += ('engines', 'remote')
# Names of rosdep keys that differ, and what has none.
ROSDEP = {'scikit-learn': 'sklearn', 'types-PyYAML': 'types-pyyaml'}
NO_ROSDEP = {'ruff', 'selenium', 'transformers'}
NO_ROSDEP |= {'json-numpy'}
NO_ROSDEP |= {'tensorrt-rtx-cu13-bindings', 'tensorrt-rtx-cu13-libs'}


def pins(root, name='requirements.txt'):
    lines = (root / name).read_text(encoding='utf-8').splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith('#')]


def imported(files):
    found = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Import):
                found.update(alias.name.split('.')[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module.split('.')[0])
    return found - set(sys.stdlib_module_names) - {'vla_accel_ros'}


def libraries(files):
    return {
        DISTRIBUTION.get(name, name)
        for name in imported(files)
        if not is_ros(name) and name not in OPTIONAL
    }


def required(extra=''):
    """List what is required always, or what an extra adds."""
    found = [Requirement(line) for line in distribution('vla_accel_ros').requires]
    if not extra:
        return [r for r in found if r.marker is None]
    return [r for r in found if r.marker and r.marker.evaluate({'extra': extra})]


def is_ros(name):
    return name == 'rclpy' or name.endswith(('_msgs', '_srvs', '_interfaces'))


@pytest.fixture
def manifest(root):
    warnings = []
    package = parse_package(str(root / 'package.xml'), warnings=warnings)
    package.validate(warnings=warnings)
    assert not warnings
    return package


def test_the_manifest_is_one_that_colcon_takes_for_ament_python(manifest):
    assert manifest.package_format == 3
    assert manifest.get_build_type() == 'ament_python'
    # colcon falls back to a plain Python package, silently, where this does not hold.
    for person in manifest.maintainers:
        assert re.fullmatch(r'[\w.%+-]+@[\w.%+-]+\.[a-zA-Z]{2,6}', person.email)


def test_xmllint_agrees_where_it_is_installed(root):
    tool = shutil.which('xmllint')
    command = [tool, '--noout'] if tool else [sys.executable, '-m', 'xml.dom.minidom']
    if not tool:
        command = [sys.executable, '-c', 'import sys, xml.dom.minidom as d; d.parse(sys.argv[1])']
    assert subprocess.run([*command, str(root / 'package.xml')], check=False).returncode == 0


def test_version_is_the_same_everywhere(manifest, root):
    assert manifest.version == __version__ == distribution('vla_accel_ros').version
    assert f'\n{__version__} (' in (root / 'CHANGELOG.rst').read_text(encoding='utf-8')


def test_ros_packages_that_are_imported_are_declared(manifest, root):
    declared = {depend.name for depend in manifest.exec_depends}
    wheels = {
        pin.name.removeprefix('ros-').replace('-', '_')
        for pin in pins(root, 'requirements-ros.txt')
    }
    needed = {
        name for name in imported((root / 'vla_accel_ros/nodes').rglob('*.py')) if is_ros(name)
    }
    assert needed <= declared
    assert needed <= wheels


def test_what_the_tests_need_is_declared(manifest, root):
    declared = {depend.name for depend in manifest.test_depends}
    named = {
        f'python3-{ROSDEP.get(pin.name, pin.name)}'
        for pin in pins(root, 'requirements-test.txt')
        if pin.name not in NO_ROSDEP
    }
    assert declared == named


def test_libraries_that_are_imported_are_required_and_pinned(root):
    needed = libraries((root / 'vla_accel_ros').rglob('*.py'))
    declared = {r.name for extra in ('', *EXTRAS) for r in required(extra)}
    assert needed <= declared
    for extra, name in {'': 'requirements.txt', **EXTRAS}.items():
        assert {r.name for r in required(extra)} == {pin.name for pin in pins(root, name)}


def test_what_a_robot_runs_imports_no_library_of_an_extra(root):
    package = root / 'vla_accel_ros'
    beyond = [package / name for name in BEYOND_A_ROBOT]
    files = [
        file
        for file in package.rglob('*.py')
        if not any(place in (file, *file.parents) for place in beyond)
    ]
    assert package / 'nodes/scheduler.py' in files
    assert libraries(files) <= {requirement.name for requirement in required()}


def test_what_a_robot_installs_is_small():
    assert not {r.name for r in required()} & {'mujoco', 'optuna', 'plotly', 'matplotlib'}


def test_training_adds_nothing_that_simulation_and_evaluation_have_not():
    others = {str(r.name) + str(r.specifier) for extra in EXTRAS for r in required(extra)}
    assert {str(r.name) + str(r.specifier) for r in required('train')} <= others


def test_extras_are_those_that_the_commands_name():
    declared = set(distribution('vla_accel_ros').metadata.get_all('Provides-Extra'))
    assert declared == {*PURPOSES, 'robosuite', *ELSEWHERE}
    for command in COMMANDS.values():
        assert set(command.extras) <= set(PURPOSES)


@pytest.mark.parametrize('extra', ['', *EXTRAS])
def test_lower_bounds_admit_what_is_pinned(root, extra):
    bounds = {requirement.name: requirement.specifier for requirement in required(extra)}
    for pin in pins(root, EXTRAS.get(extra, 'requirements.txt')):
        version = next(iter(pin.specifier)).version
        assert version in bounds[pin.name], pin


def test_an_environment_of_others_is_pinned_within_the_lower_bounds():
    bounds = {requirement.name: requirement.specifier for requirement in required('sim')}
    assert {r.name for r in required('robosuite')} == {'robosuite', 'mujoco'}
    for pin in required('robosuite'):
        (spec,) = pin.specifier
        assert spec.operator == '==' and spec.version in bounds.get(pin.name, pin.specifier), pin


@pytest.mark.parametrize('extra', sorted(ELSEWHERE))
def test_what_make_installs_for_an_environment_of_others_is_what_its_extra_admits(root, extra):
    bounds = {requirement.name: requirement.specifier for requirement in required(extra)}
    lines = (root / ELSEWHERE[extra]).read_text(encoding='utf-8').splitlines()
    assert '-c requirements.txt' in lines
    found = [Requirement(line) for line in lines if line and not line.startswith(('#', '-c'))]
    pinned = {pin.name: pin.specifier for pin in found if pin.specifier}
    for name, bound in bounds.items():
        assert next(iter(pinned[name])).version in bound, name
    # What has no version here has one in requirements.txt, and the tests' tools in theirs.
    free = {pin.name for pin in found if not pin.specifier}
    assert free <= {pin.name for pin in pins(root)}
    tools = {str(pin) for pin in found if pin.name in ('hypothesis', 'pytest', 'pytest-timeout')}
    assert tools <= {str(pin) for pin in pins(root, 'requirements-test.txt')}


@pytest.mark.parametrize('python', PYTHONS)
@pytest.mark.parametrize('name', FILES)
def test_each_library_has_one_pin_for_each_python(root, python, name):
    seen = [
        pin.name
        for pin in pins(root, name)
        if pin.marker is None or pin.marker.evaluate({'python_version': python})
    ]
    everything = {pin.name for pin in pins(root, name)}
    assert sorted(seen) == sorted(everything)
    for pin in pins(root, name):
        assert [spec.operator for spec in pin.specifier] == ['=='], pin


def test_programs_have_a_main(root):
    programs = distribution('vla_accel_ros').entry_points.select(group='console_scripts')
    assert {p.name for p in programs} == {
        'vla-accel',
        'camera',
        'scheduler',
        'inference',
        'arm_command',
        'sim_arm',
        'markers',
    }
    for program in programs:
        source = Path(find_spec(program.module).origin).read_text(encoding='utf-8')
        names = {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
        assert program.attr in names, program


def test_the_wheel_holds_all_that_runs_and_is_shared(root, files, tmp_path):
    copy = tmp_path / 'source'
    for file in files:
        target = copy / file.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target)
    subprocess.run(
        [
            sys.executable,
            '-m',
            'pip',
            'wheel',
            '--quiet',
            '--no-deps',
            '--no-build-isolation',
            '--wheel-dir',
            str(tmp_path),
            str(copy),
        ],
        check=True,
        capture_output=True,
    )
    names = set(zipfile.ZipFile(next(tmp_path.glob('*.whl'))).namelist())
    data = f'vla_accel_ros-{__version__}.data/data/share/'
    assert data + 'ament_index/resource_index/packages/vla_accel_ros' in names
    assert data + 'vla_accel_ros/package.xml' in names
    for file in files:
        relative = file.relative_to(root)
        if relative.parts[0] == 'vla_accel_ros':
            assert str(relative) in names
        elif relative.parts[0] in ('launch', 'config'):
            assert f'{data}vla_accel_ros/{relative}' in names
