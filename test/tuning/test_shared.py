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

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
import threading

from made_up import MODEL, MadeUpPlan, MadeUpTarget, never, space
from optuna.exceptions import UpdateFinishedTrialError
import pytest

from vla_accel_ros.tuning.points import Score
from vla_accel_ros.tuning.search import search
from vla_accel_ros.tuning.shared import Shared
from vla_accel_ros.tuning.spaces import spaces
from vla_accel_ros.tuning.study import Study

IDENTITY = {'cost': 'calls'}


@pytest.fixture
def url(tmp_path):
    return f'sqlite:///{tmp_path}/shared.db'


def shared(url, name='tune', identity=IDENTITY):
    return Shared(url, name, identity)


def tune(url, plan=None, trials=4):
    store = shared(url)
    with store.errors(), store.heart:
        found_in = spaces('hold@w_max=3', MODEL)
        return search(plan or MadeUpPlan(), found_in, store, trials, 3, 1, lambda _: None, never)


def forget(url):
    """Let the last sign of life of all trials be long ago, as of a machine without power."""
    from sqlalchemy import create_engine, text

    engine = create_engine(url)
    with engine.begin() as connection:
        changed = connection.execute(
            text('UPDATE trial_heartbeats SET heartbeat = :long_ago'),
            {'long_ago': datetime(2001, 1, 1).isoformat(' ')},
        )
    engine.dispose()
    return changed.rowcount


def names(found):
    return sorted(point.name for point in found.points)


class Meeting(MadeUpPlan):
    """Each command's first setting waits until the other command has one, too."""

    def __init__(self, barrier):
        super().__init__()
        object.__setattr__(self, 'barrier', barrier)

    def build(self, baseline, stop):
        target, first = MadeUpTarget(self), [True]
        measure = target.measure

        def meet(method, stop):
            if first.pop() if first else False:
                self.barrier.wait(60)
            return measure(method, stop)

        target.measure = meet
        return target


def test_two_commands_share_the_trials_and_both_have_as_many_as_were_asked_for(url):
    plan = Meeting(threading.Barrier(2))
    with ThreadPoolExecutor(2) as commands:
        one, other = commands.map(lambda _: tune(url, plan), range(2))
    assert one.complete and other.complete
    # What one had begun when the other began is all that can be too much; the first to end may
    # not have it.
    tried = set(names(one)) | set(names(other))
    assert 4 <= len(tried) <= 5
    assert min(len(one.points), len(other.points)) >= 4
    assert one.baseline == other.baseline is not None


def test_a_setting_that_another_command_was_faster_with_is_left_to_it(url, monkeypatch):
    study = Study(space('hold@w_max=3'), shared(url), 0, False)
    ask, late = study._study.ask, [UpdateFinishedTrialError('Trial#0 has already finished')]

    def once_too_late(*words):
        if late:
            raise late.pop()
        return ask(*words)

    monkeypatch.setattr(study._study, 'ask', once_too_late)
    assert study.ask().space == 'hold@w_max=3'
    assert not late


def test_trials_of_a_command_that_is_silent_are_tried_again_by_another(url):
    dead = shared(url)
    Study(space('hold@w_max=3'), dead, 0, False).ask()
    study = Study(space('hold@w_max=3'), shared(url), 0, False)
    assert (study.begun, study.done) == (1, 0)
    assert forget(url) == 1
    assert study.begun == 0
    assert len(tune(url, trials=3).points) == 3


def test_what_a_silent_command_finds_out_late_is_left_out_and_it_goes_on(url):
    late = Study(space('hold@w_max=3'), shared(url), 0, False)
    tickets = [late.ask(), late.ask()]
    assert forget(url) == 2
    assert Study(space('hold@w_max=3'), shared(url), 0, False).begun == 0
    for ticket, score in zip(tickets, [Score(0.0, 1.0, False, {}), None], strict=True):
        ticket.tell(score)
    assert (late.begun, late.done) == (0, 0)
    late.ask().tell(Score(0.0, 1.0, False, {}))
    assert late.done == 1


def test_a_command_that_died_while_it_drew_keeps_nobody_waiting(url):
    dead = shared(url)
    dead.heart.begin = lambda _trial: None
    Study(space('hold@w_max=3'), dead, 0, False).ask()
    study = Study(space('hold@w_max=3'), shared(url), 0, False)
    assert study.begun == 1
    # Its silence is counted from the first look at it.
    assert forget(url) == 1
    assert study.begun == 0


def test_one_trial_more_of_a_method_is_none_of_another(url):
    methods = spaces('hold@w_max=3,ridge@w_max=3', MODEL)
    first = Study(methods[0], shared(url), 0, False)
    for _ in range(3):
        first.ask().tell(Score(0.0, 1.0, False, {}))
    Study(methods[1], shared(url), 0, False).ask().tell(Score(0.0, 1.0, False, {}))
    shared(url).baseline = {'costs': [1.0]}
    found = search(MadeUpPlan(), methods, shared(url), 2, 3, 1, lambda _: None, lambda: True, None)
    assert (len(found.points), found.missing, found.complete) == (4, 1, False)


def test_what_is_missing_beside_the_database_is_not_said_of_the_database(url):
    with pytest.raises(ImportError, match='nosuchmodule'), shared(url).errors():
        import nosuchmodule  # noqa: F401


def test_a_command_that_begins_later_takes_the_first_ones_baseline(url):
    shared(url).baseline = {'costs': [3.0]}
    late = shared(url)
    late.baseline = {'costs': [4.0]}
    assert late.baseline == {'costs': [3.0]}


def test_of_commands_that_say_it_at_once_all_take_the_same_baseline(url):
    commands = [shared(url) for _ in range(3)]
    together = threading.Barrier(3)

    def say(number):
        command = commands[number]
        first = command._first

        def none_yet(_key):
            together.wait(60)

        command._first = none_yet
        command.baseline = {'costs': [number]}
        command._first = first
        return command.baseline

    with ThreadPoolExecutor(3) as pool:
        told = list(pool.map(say, range(3)))
    assert told[0] == told[1] == told[2]


def test_two_commands_do_not_draw_the_same(url):
    drawn = []
    for who in 'ab':
        study = Study(space(), shared(url, who), 0, False)
        study.ask()
        drawn.append(study.ask().values)
    assert drawn[0] != drawn[1]


def test_another_search_by_the_same_name_is_refused_and_named(url):
    shared(url)
    with pytest.raises(ValueError, match=r'cost is "calls", here it is "time".*--study'):
        shared(url, identity={'cost': 'time'})
    shared(url, name='mine', identity={'cost': 'time'})


@pytest.mark.parametrize('name', ['', 'a/b'])
def test_a_name_that_tells_no_search_is_refused(url, name):
    with pytest.raises(ValueError, match=f"--study is '{name}', expected a name without a '/'"):
        shared(url, name)


@pytest.mark.parametrize(
    ('wrong', 'said'),
    [
        ('trials.db', "'trials.db', expected the URL of a database"),
        ('nosuch://host/name', "'nosuch://host/name', expected the URL"),
        ('postgresql://me:secret@host/name', r':\*\*\*@host/name.*pip install .psycopg'),
        (
            'postgresql//me:secret@host/name',
            r"'postgresql//me:\*\*\*@host/name', expected the URL",
        ),
        ('me:secret@host', r"'\*\*\*@host', expected the URL"),
        ('sqlite://me:secret@host:port/name', r"'sqlite://me:\*\*\*@host:port/name', expected"),
        ('sqlite://me:1@secret@host/name', 'write an @ in its password as %40'),
        ('sqlite:////no/such/folder/x.db', 'does not answer: unable to open database file'),
    ],
)
def test_a_storage_that_cannot_be_used_is_named_without_its_password(monkeypatch, wrong, said):
    monkeypatch.setattr('vla_accel_ros.tuning.shared.OPENING_S', 0.0)
    with pytest.raises(ValueError, match=said) as error:
        shared(wrong)
    assert 'secret' not in str(error.value)
