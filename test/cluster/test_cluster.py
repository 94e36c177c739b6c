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

"""Episodes and settings on a cluster of several nodes: the same ones, whoever is lost."""

from dataclasses import dataclass, replace
import json
import os
from pathlib import Path
import shutil
import sys

from episodes import timeless
import pytest

import vla_accel_ros
from vla_accel_ros import acceleration as methods
from vla_accel_ros.cli import main
from vla_accel_ros.evaluation import runner
from vla_accel_ros.evaluation.journal import Journal
from vla_accel_ros.evaluation.latency import Fixed
from vla_accel_ros.evaluation.spread import Spread
from vla_accel_ros.files.own_outputs import journal_beside
from vla_accel_ros.sim.tasks import all_instructions
from vla_accel_ros.stopping import never

# A node is slow to start beside other work.
pytestmark = pytest.mark.timeout(500)
LIFTS = all_instructions('lift')
FIRST = 2_000_000


@pytest.fixture
def setup(random_checkpoint):
    return runner.Setup(str(random_checkpoint), max_steps=6)


def in_order(results, jobs):
    order = {(job.method.name, job.seed): place for place, job in enumerate(jobs)}
    return [timeless(r) for r in sorted(results, key=lambda r: order[r.method, r.seed])]


@dataclass(frozen=True)
class Trap(Fixed):
    """A clock that holds its first episode for good, having said on which node it is.

    Attributes:
        folder: Where that is said, by a file's name.
    """

    folder: str = ''

    def begin(self, seed):
        from threading import Event

        from ray import get_runtime_context

        if not os.listdir(self.folder):
            Path(self.folder, get_runtime_context().get_node_id()).touch()
            Event().wait()


@dataclass(frozen=True)
class Fatal(Fixed):
    """A clock that ends the process that uses it."""

    def begin(self, seed):
        os._exit(9)


@pytest.fixture
def sendable():
    """Have the classes of this file, which is on no machine of the cluster, sent as they stand."""
    from ray import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])


class TestConnected:
    def test_a_machine_that_is_killed_costs_no_episode_and_changes_none(
        self, nodes, cluster, sendable, setup, tmp_path, capsys
    ):
        chosen = methods.find('none,hold+specprune+verify@keep=0.5,random')
        seeds = range(FIRST, FIRST + 2)
        jobs = runner.plan(chosen, seeds, LIFTS, [Fixed(60)] * 3)
        here = runner.prepare(jobs, setup)
        alone = list(runner.run(jobs, setup, here=here))
        trap = [replace(jobs[0], latency=Trap(60, str(tmp_path))), *jobs[1:]]
        killed = []

        def watch():
            # Asked again and again while episodes run.
            for name in () if killed else os.listdir(tmp_path):
                (node,) = (n for n in nodes.list_all_nodes() if n.node_id == name)
                nodes.remove_node(node, allow_graceful=False)
                killed.append(name)
                nodes.add_node(num_cpus=1)
            return False

        spread = Spread(cluster)
        assert spread.workers == 2
        results = list(spread.run(trap, here, watch))
        assert len(killed) == 1 and in_order(results, jobs) == in_order(alone, jobs)
        assert len(spread.about()['lost']) == 1 and spread.notes() == []
        assert 'was lost, what it was at is done again' in capsys.readouterr().err

    def test_an_episode_that_ends_every_worker_ends_the_run_and_says_so(
        self, cluster, sendable, setup
    ):
        jobs = runner.plan(methods.find('none'), range(FIRST, FIRST + 1), LIFTS, [Fatal(60)])
        here = runner.prepare(jobs, setup)
        with pytest.raises(runner.WorkerLostError, match='3 workers were lost at the same task'):
            list(Spread(cluster).run(jobs, here, never))

    def test_a_folder_is_sent_where_it_is_not_and_arrives_whole(
        self, cluster, random_checkpoint, tmp_path
    ):
        folder, moved = tmp_path / 'hidden', tmp_path / 'moved'
        shutil.copytree(random_checkpoint, folder)
        (sent,) = cluster.send([folder])
        # There as it is, on the same file system.
        assert sent.here() == folder and not sent.received().exists()
        folder.rename(moved)
        assert sent.here() is None
        cluster.hand_over(sent, moved)
        place = sent.here()
        assert place == sent.received() and place.name == 'hidden'
        assert {f.name: f.read_bytes() for f in place.iterdir()} == {
            f.name: f.read_bytes() for f in random_checkpoint.iterdir()
        }


def evaluate(folder, *words):
    return main(
        ['eval', '--checkpoint', str(folder), '--task', 'lift', '--max-steps', '6', *words]
        + ['--methods', 'none,hold', '--episodes', '2']
    )


def test_eval_reports_as_on_one_machine_and_goes_on_what_another_began(
    nodes, random_checkpoint, tmp_path, capsys
):
    local, there = tmp_path / 'local.json', tmp_path / 'there.json'
    assert evaluate(random_checkpoint, '--out', str(local), '--workers', '1') == 0
    cluster = ['--cluster', nodes.client_address]
    assert evaluate(random_checkpoint, '--out', str(there), *cluster) == 0
    assert f'starting 2 workers on {nodes.client_address}' in capsys.readouterr().err
    mine, other = (json.loads(file.read_text()) for file in (local, there))
    assert mine['cluster'] is None and other['cluster']['lost'] == []
    # The first worker to come up may have run all of them.
    assert 1 <= sum(each['workers'] for each in other['cluster']['machines']) <= 2
    for each, its in zip(mine['methods'], other['methods'], strict=True):
        for key in ('method', 'episodes', 'success', 'calls_a_step', 'steps', 'keep'):
            assert each.get(key) == its.get(key)
    # The first line and two episodes: the others are run again, on the cluster.
    journal = journal_beside(local)
    whole = journal.read_text().splitlines(keepends=True)
    journal.write_text(''.join(whole[:3]))
    assert evaluate(random_checkpoint, '--out', str(local), '--resume', *cluster) == 0
    held = json.loads(journal.read_text().splitlines()[0])['settings']
    before = tmp_path / 'before.jsonl'
    before.write_text(''.join(whole))
    mine, other = (Journal(path, held, resume=True).results for path in (before, journal))
    assert sorted(map(timeless, mine), key=str) == sorted(map(timeless, other), key=str)


def test_a_search_on_a_cluster_finds_what_it_finds_here(nodes, random_checkpoint, tmp_path):
    def tune(out, *words):
        assert (
            main(
                ['tune', '--sim', '--checkpoint', str(random_checkpoint), '--cost', 'calls']
                + ['--task', LIFTS[0], '--max-steps', '5', '--episodes', '2', '--trials', '3']
                + ['--confirm', '2', '--methods', 'hold@v_min=0', '--out', str(tmp_path / out)]
                + list(words)
            )
            == 0
        )
        found = json.loads((tmp_path / out / 'results.json').read_text())
        for each in found['trials']:
            each['facts'].pop('load'), each['facts'].pop('call_ms')
        return found['trials'], found['chosen']

    there = tune('there', '--cluster', nodes.client_address, '--workers', '1')
    assert there == tune('here', '--workers', '1')


def test_a_machine_with_other_code_is_named_with_what_differs(nodes, more, tmp_path, capsys):
    copy = tmp_path / 'vla_accel_ros'
    shutil.copytree(
        Path(vla_accel_ros.__file__).parent,
        copy,
        ignore=shutil.ignore_patterns('checkpoints', '__pycache__'),
    )
    package = copy / '__init__.py'
    package.write_text(package.read_text().replace("__version__ = '", "__version__ = '9."))
    more(num_cpus=1, env_vars={'PYTHONPATH': str(tmp_path)})
    assert main(['eval', '--cluster', nodes.client_address]) == 2
    assert 'vla_accel_ros is 9.' in capsys.readouterr().err
