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

from made_up import MODEL, MadeUpPlan, never, space
import pytest

from vla_accel_ros.tuning.points import front
from vla_accel_ros.tuning.search import search
from vla_accel_ros.tuning.spaces import spaces
from vla_accel_ros.tuning.store import Folder, files_of
from vla_accel_ros.tuning.study import Study


def tune(folder, trials=8, workers=1, stop=never, methods='hold@w_max=3', seed=3, show=None):
    with files_of(folder) as files:
        return search(
            MadeUpPlan(),
            spaces(methods, MODEL),
            Folder(files, {}),
            trials,
            seed,
            workers,
            show or (lambda done: None),
            stop,
        )


def tried(found):
    return [(p.name, dict(p.values), p.score.loss, p.score.cost) for p in found.points]


def test_it_finds_what_is_cheap_and_loses_nothing(tmp_path):
    found = tune(tmp_path, trials=25)
    assert found.complete and len(found.points) == 25
    best = next(p for p in front(found.points) if p.score.loss == 0)
    # The method as it is has 0.16, of which a little is lost.
    assert 0.2 <= best.values['v_min'] < 0.25


def test_the_first_trial_is_the_method_as_it_is(tmp_path):
    assert dict(tune(tmp_path, trials=1).points[0].values) == space('hold@w_max=3').start


def test_an_interrupted_search_goes_on_as_it_would_have_gone_on(tmp_path):
    shown = []
    part = tune(tmp_path / 'a', stop=lambda: len(shown) > 3, show=shown.append)
    assert not part.complete and 0 < len(part.points) < 8
    assert tried(tune(tmp_path / 'a')) == tried(tune(tmp_path / 'b'))


def test_more_trials_are_added_to_those_there_are(tmp_path):
    first = tried(tune(tmp_path, trials=3))
    assert tried(tune(tmp_path, trials=5))[:3] == first


def test_the_seed_decides_the_draws(tmp_path):
    assert tried(tune(tmp_path / 'a', seed=1)) != tried(tune(tmp_path / 'b', seed=2))


def test_methods_take_turns(tmp_path):
    shown = []
    found = tune(tmp_path, methods='hold,ridge', stop=lambda: len(shown) > 4, show=shown.append)
    counts = [sum(p.space == name for p in found.points) for name in ('hold', 'ridge')]
    assert max(counts) - min(counts) <= 1


def test_several_processes_work_on_one_study(tmp_path):
    found = tune(tmp_path, trials=6, workers=2)
    assert found.complete and len({p.name for p in found.points}) == 6


def test_hopeless_settings_are_no_points_of_the_front_but_the_sampler_knows_them(tmp_path):
    found = tune(tmp_path, trials=12)
    stopped = [p for p in found.points if p.score.stopped]
    assert stopped and all(p.score.loss > 40 for p in stopped)


def test_the_same_values_are_not_tried_twice(tmp_path, monkeypatch):
    tried_values = []
    monkeypatch.setattr(MadeUpPlan, 'build', lambda self, baseline, stop: Counting(tried_values))
    only = 'hold@v_min=0.2,w_max=3,tau=0.5,capacity=6'
    assert tune(tmp_path, trials=6, methods=only).complete
    assert len(tried_values) == 2


class Counting:
    def __init__(self, seen):
        from made_up import MadeUpTarget

        self._target, self._seen = MadeUpTarget(MadeUpPlan()), seen
        self.baseline = self._target.baseline

    def measure(self, method, stop):
        self._seen.append(method)
        return self._target.measure(method, stop)


def test_a_trial_of_a_killed_command_is_not_waited_for(tmp_path):
    storage = Folder(files_of(tmp_path), {})
    Study(space(), storage, 0, False).ask()
    study = Study(space(), storage, 0, False)
    assert study.done == 0
    study.ask()


def test_what_never_goes_together_is_said(tmp_path, monkeypatch):
    found = space()
    study = Study(found, Folder(files_of(tmp_path), {}), 0, False)

    def refuse(*_):
        raise ValueError('no')

    monkeypatch.setattr(type(found), 'with_values', refuse)
    with pytest.raises(ValueError, match='do not go together'):
        study.ask()
