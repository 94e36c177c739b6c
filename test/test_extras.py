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

"""Libraries that a robot does without: named where they are missing, with what to do."""

import subprocess
import sys

import pytest

from vla_accel_ros import cli, extras


@pytest.fixture
def without(monkeypatch):
    """Take libraries away, as if they were not installed."""

    def take(*names):
        for name in names:
            monkeypatch.setitem(sys.modules, name, None)

    return take


def test_libraries_of_an_extra_are_those_of_the_installed_package():
    sim = extras.libraries('sim')
    assert set(sim) == {'gymnasium', 'imageio_ffmpeg', 'mujoco'}
    assert sim['imageio_ffmpeg'] == 'imageio-ffmpeg>=0.4.9'
    assert set(sim) | {'matplotlib'} == set(extras.libraries('train'))


def test_a_package_that_is_not_installed_has_no_extras(monkeypatch):
    monkeypatch.setattr(extras, 'PACKAGE', 'no_such_package_anywhere')
    assert extras.libraries('sim') == {} and extras.extra_of('mujoco') is None


@pytest.mark.parametrize(
    ('module', 'first', 'extra'),
    [
        ('mujoco', '', 'sim'),
        ('mujoco', 'train', 'train'),
        ('mujoco', 'eval', 'sim'),
        ('plotly.io', '', 'eval'),
        ('matplotlib', 'train', 'train'),
        ('torch', '', None),
    ],
)
def test_a_module_is_of_the_extra_that_fits_the_command(module, first, extra):
    assert extras.extra_of(module, first) == extra


def test_nothing_is_missing_where_all_is_installed():
    # The cluster has an environment of its own, `make test-cluster`.
    for extra in sorted(set(extras.PURPOSES) - {'cluster'}):
        assert extras.missing(extra) == []
        extras.require(extra)


def test_what_is_missing_is_found_without_importing_anything(without):
    without('optuna', 'rosbags')
    assert extras.missing('eval') == ['optuna', 'rosbags'] and extras.missing('sim') == []


@pytest.mark.parametrize(
    ('arguments', 'taken', 'words'),
    [
        (['demo'], 'imageio_ffmpeg', 'demo needs imageio_ffmpeg, of vla_accel_ros[sim]: '),
        (['replay', 'bag'], 'plotly', 'replay needs plotly, of vla_accel_ros[eval]: '),
        (['eval', '--report', 'x'], 'jinja2', 'eval needs jinja2, of vla_accel_ros[eval]: '),
        (['bench', '--plot', 'x.png'], 'matplotlib', 'needs matplotlib, of vla_accel_ros[eval]: '),
        (['tune', '--sim'], 'optuna', 'tune needs optuna, of vla_accel_ros[eval]: '),
        (['train'], 'mujoco', 'train needs mujoco, of vla_accel_ros[train]: '),
    ],
)
def test_a_command_says_before_its_work_which_extra_it_lacks(
    arguments, taken, words, without, capsys
):
    without(taken)
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == '' and err.count('\n') == 1
    assert words in err and f"'{taken.replace('_', '-')}>=" in err


def test_an_evaluation_without_the_simulator_is_one_line():
    code = (
        'import sys\nsys.modules["mujoco"] = None\nfrom vla_accel_ros import cli\n'
        'sys.exit(cli.main(["eval", "--episodes", "1", "--methods", "none"]))'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (2, '')
    assert done.stderr == (
        f'vla-accel: error: eval needs mujoco, of vla_accel_ros[sim]: {extras.remedy("sim")}\n'
    )
