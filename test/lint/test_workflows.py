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

"""What runs before a commit and on a push: the same tools in the same versions, and all there."""

import re

from packaging.requirements import Requirement
import pytest
import yaml

from vla_accel_ros.sim.gl import PACKAGES

WORKFLOW = '.github/workflows/ci.yml'
PRE_COMMIT = '.pre-commit-config.yaml'


def pins(root):
    lines = (root / 'requirements-test.txt').read_text(encoding='utf-8').splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith('#')]
    return {pin.name: str(pin.specifier) for pin in found}


@pytest.fixture
def jobs(root):
    return yaml.safe_load((root / WORKFLOW).read_text(encoding='utf-8'))['jobs']


@pytest.fixture
def hooks(root):
    repos = yaml.safe_load((root / PRE_COMMIT).read_text(encoding='utf-8'))['repos']
    return {hook['id']: hook for repo in repos for hook in repo['hooks']}


def scripts(job):
    return '\n'.join(step.get('run', '') for step in job['steps'])


def test_the_workflow_calls_targets_of_the_makefile(root, jobs):
    targets = re.findall(r'^([a-z-]+):', (root / 'Makefile').read_text(encoding='utf-8'), re.M)
    called = {
        name: re.findall(r'^ *make ([a-z-]+)', scripts(job), re.M) for name, job in jobs.items()
    }
    assert called == {
        'lint': ['lint'],
        'test': ['test'],
        'cluster': ['test-cluster'],
        'ros': ['test'],
    }
    assert {target for names in called.values() for target in names} <= set(targets)


def test_the_workflow_caches_by_files_that_are_there(root):
    text = (root / WORKFLOW).read_text(encoding='utf-8')
    named = set(re.findall(r'[\w.*-]+\.(?:txt|toml)', text))
    assert named and all(list(root.glob(name)) for name in named)


def test_the_workflow_tests_the_oldest_python_and_that_of_ros(jobs):
    assert jobs['test']['strategy']['matrix']['python'] == ['3.10', '3.12']
    assert jobs['ros']['container']['image'] == 'ros:jazzy'


def test_the_workflow_installs_the_opengl_that_the_simulator_needs(jobs):
    for name in ('lint', 'test'):
        assert PACKAGES in scripts(jobs[name])


def test_pre_commit_has_the_versions_of_the_tests(root, hooks):
    tested = pins(root)
    for name in ('ruff-check', 'ruff-format'):
        assert hooks[name]['additional_dependencies'] == [f'ruff{tested["ruff"]}']
    assert 'mypy' in tested and hooks['mypy']['entry'].startswith('.venv/bin/')


def test_pre_commit_takes_every_version_from_one_release(hooks):
    others = {
        pin for hook in hooks.values() for pin in hook.get('additional_dependencies', ())
    } - {hooks['ruff-check']['additional_dependencies'][0]}
    assert len(others) == 1
