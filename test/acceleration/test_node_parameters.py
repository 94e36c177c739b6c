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

"""The parameters of the nodes and the methods of the command line: the same thing."""

from dataclasses import asdict
import subprocess
import sys

import pytest

from vla_accel_ros.acceleration import find, method_of
from vla_accel_ros.acceleration.node_parameters import parameters_of, read_pruning_parameters
from vla_accel_ros.acceleration.settings import settings_of
from vla_accel_ros.models.heads.continuation import Continuation

INFERENCE = {
    'policy_step': 0.05,
    'pruning': 'none',
    'keep': 0.25,
    'budget': 'adaptive',
    'pruning_parameters': '',
    'decoder': 'greedy',
    'relaxed_bins': 2,
    'draft': 'given',
    'flow_steps': 0,
    'flow_bend': 0.0,
    **asdict(Continuation()),
}


@pytest.mark.parametrize(
    'text', ['none', 'sp_vla+jacobi', 'hold+specprune@history_layers=1/2,keep=0.5', 'fast']
)
def test_a_method_comes_back_from_the_parameters_of_both_nodes(text):
    (method,) = find(text)
    nodes = parameters_of(method)
    scheduler = method_of({**nodes['scheduler'], 'policy_step': 0.05})
    inference = method_of({**INFERENCE, **nodes['inference']})
    assert scheduler.scheduler == method.scheduler
    assert (inference.pruning, inference.decoder) == (method.pruning, method.decoder)
    given = settings_of(method)['pruning_parameters'].items()
    assert given <= settings_of(inference)['pruning_parameters'].items()


def test_the_step_is_the_nodes():
    assert method_of({'policy_step': 0.1}).scheduler.policy_step_s == 0.1
    # A short pause fits the step that the node has.
    assert method_of({'policy_step': 0.02, 'pause': 0.05}).scheduler.pause_s == 0.05


def test_parameters_of_other_pruning_methods_wait_for_their_method():
    given = {**INFERENCE, 'pruning_parameters': '{v_high: 0.5, layer: 3}'}
    assert dict(method_of({**given, 'pruning': 'fastv'}).pruning_parameters) == {
        'keep': 0.25,
        'layer': 3,
    }
    assert method_of(given).pruning_parameters == ()


@pytest.mark.parametrize(
    ('text', 'said'),
    [('{', 'no YAML'), ('[1, 2]', 'expected a mapping'), ('keep', 'expected a mapping')],
)
def test_pruning_parameters_that_are_no_mapping_are_refused(text, said):
    with pytest.raises(ValueError, match=f'pruning_parameters = .*{said}'):
        read_pruning_parameters(text)


def test_neither_the_methods_nor_the_scheduler_s_parameters_bring_torch():
    code = (
        'import sys\n'
        'from vla_accel_ros.acceleration import method_of\n'
        'from vla_accel_ros.acceleration.grammar import names_text\n'
        'names_text(), method_of({"policy_step": 0.05, "rule": "trust"})\n'
        'sys.exit("torch" in sys.modules)'
    )
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0
