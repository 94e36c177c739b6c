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

"""Steps of a flow, its noise, and every pruning method on it."""

import json

import numpy as np
from pi0_fixture import FIXTURES, NAMES
import pytest

from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.prediction import NotFiniteError
from vla_accel_ros.motion import Motion
from vla_accel_ros.observations import Observation
from vla_accel_ros.pruning.registry import METHODS

MOTION = Motion((0.2, 0.0, 0.1), (0.0, 0.0, 0.0), 0.1)


@pytest.fixture(scope='module')
def policies():
    return {name: Policy.load(FIXTURES / name, cameras=1) for name in NAMES}


def looks(step=0):
    image = np.random.default_rng(step).integers(0, 256, (224, 224, 3), np.uint8)
    return Observation((image,), 'put the cup on the plate', step, np.linspace(-0.5, 0.5, 8))


@pytest.mark.parametrize('name', NAMES)
def test_an_episode_can_be_run_again(policies, name):
    policy = policies[name].sibling()
    first, second = (policy.predict(looks()).chunk_values for _ in range(2))
    policy.reset()
    assert np.array_equal(policy.predict(looks()).chunk_values, first)
    # Each answer of an episode has noise of its own.
    assert not np.allclose(first, second)


@pytest.mark.parametrize('name', NAMES)
def test_fewer_steps_are_taken_where_they_are_asked_for(policies, name):
    policy = policies[name].sibling()
    whole = policy.predict(looks())
    policy.reset()
    policy.set_flow(3)
    few = policy.predict(looks())
    assert (whole.work.steps, few.work.steps) == (10, 3)
    assert not np.array_equal(whole.chunk_values, few.chunk_values)


@pytest.mark.parametrize('name', NAMES)
def test_a_straight_path_ends_in_one_step(policies, name):
    policy = policies[name].sibling()
    policy.set_flow(10, 2.0)
    # Any two velocities are within a bend of 2.
    assert policy.predict(looks()).work.steps == 2
    policy.set_flow(10, 1e-9)
    assert policy.predict(looks()).work.steps == 10


def test_steps_out_of_range_are_refused(policies):
    with pytest.raises(ValueError, match=r'-1 steps and a bend of 0\.0, expected 0 to 1000'):
        policies['pi0_tiny'].sibling().set_flow(-1)


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('method', sorted(METHODS))
def test_every_pruning_method_runs(policies, name, method):
    policy = policies[name].sibling()
    policy.set_pruning(method)
    policy.set_flow(2)
    for step in range(4):
        answer = policy.predict(looks(step), motion=MOTION)
    assert np.isfinite(answer.chunk_values).all()
    assert answer.kept <= 256 and len(answer.seen) == 4
    if method not in ('none', 'specprune', 'sp_vla'):
        assert answer.kept < 256


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('method', ['sp_vla', 'specprune'])
def test_methods_that_count_by_themselves_drop_what_they_are_told_to(policies, name, method):
    policy = policies[name].sibling()
    policy.set_pruning(method, budget='fixed', keep=0.25)
    policy.set_flow(2)
    for step in range(4):
        answer = policy.predict(looks(step), motion=MOTION)
    assert answer.kept == 64
    assert np.isfinite(answer.chunk_values).all()


def test_nan_of_the_network_is_no_action(policies):
    policy = Policy.load(FIXTURES / 'pi0_tiny', cameras=1)
    policy.model.flow.action_out_proj.bias[0] = float('nan')
    with pytest.raises(NotFiniteError):
        policy.predict(looks())


def follow_up(policies, name, consumed=2, **settings):
    """Answer twice, the second time while all but some rows of the first answer are left."""
    policy = policies[name].sibling()
    policy.reset()
    policy.set_continuation(**settings)
    first = policy.predict(looks()).chunk_values
    tail = first[consumed:]
    second = policy.predict(looks(1), tail=tail, delay=3)
    return tail, second.chunk_values, second.work.steps


@pytest.mark.parametrize('name', NAMES)
def test_a_guided_chunk_goes_on_from_the_one_under_way(policies, name):
    tail, alone, _ = follow_up(policies, name)
    _, guided, steps = follow_up(policies, name, rtc='exp')
    apart = [np.abs(chunk[:3] - tail[:3]).max() for chunk in (alone, guided)]
    assert apart[1] < 0.3 * apart[0]
    assert steps == 10
    # The rows that the old chunk has none for are not drawn to it.
    assert np.abs(guided[-2:] - alone[-2:]).max() < apart[0]


@pytest.mark.parametrize('name', NAMES)
def test_a_warm_start_takes_the_last_steps_only_and_stays_near_the_old_chunk(policies, name):
    tail, alone, _ = follow_up(policies, name)
    _, warm, steps = follow_up(policies, name, flow_warm=0.3)
    assert steps == 3
    apart = [np.abs(chunk[: len(tail)] - tail).max() for chunk in (alone, warm)]
    assert apart[1] < apart[0]


def test_rows_of_another_chunk_guide_nothing(policies):
    policy = policies['pi0_tiny'].sibling()
    policy.predict(looks())
    expected = policy.predict(looks(1)).chunk_values
    policy.reset()
    policy.set_continuation(rtc='exp', flow_warm=0.3)
    tail = policy.predict(looks()).chunk_values[2:] + 0.01
    found = policy.predict(looks(1), tail=tail, delay=3).chunk_values
    np.testing.assert_array_equal(found, expected)


def test_a_continuation_out_of_range_is_refused(policies):
    with pytest.raises(ValueError, match="rtc is 'none', expected one of"):
        policies['pi0_tiny'].sibling().set_continuation(rtc='none')


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Give policies whose files say that up to 3 rows were given in training."""
    found = {}
    for name in NAMES:
        folder = tmp_path_factory.mktemp('trained') / name
        folder.mkdir()
        for file in (FIXTURES / name).iterdir():
            (folder / file.name).symlink_to(file)
        values = json.loads((folder / 'config.json').read_text())
        (folder / 'config.json').unlink()
        told = json.dumps({**values, 'rtc_training_max_delay': 3})
        (folder / 'config.json').write_text(told)
        found[name] = Policy.load(folder, cameras=1)
    return found


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize(('delay', 'kept'), [(2, 2), (3, 3), (9, 3)])
def test_rows_that_are_executed_meanwhile_stand_in_the_new_chunk_as_they_are(
    trained, name, delay, kept
):
    policy = trained[name].sibling()
    policy.reset()
    first = policy.predict(looks()).chunk_values
    alone = policy.predict(looks(1), tail=first[2:], delay=delay).chunk_values
    policy.reset()
    policy.set_continuation(rtc='prefix')
    tail = policy.predict(looks()).chunk_values[2:]
    np.testing.assert_array_equal(tail, first[2:])
    found = policy.predict(looks(1), tail=tail, delay=delay).chunk_values
    np.testing.assert_allclose(found[:kept], tail[:kept], rtol=0, atol=1e-6)
    # The rows behind them follow them, so they are others than without.
    assert (np.abs(found[kept:] - alone[kept:]).max(1) > 1e-4).all()


@pytest.mark.parametrize('name', NAMES)
def test_without_a_delay_nothing_is_given(trained, name):
    policy = trained[name].sibling()
    chunks = []
    for rtc in ('off', 'prefix'):
        policy.reset()
        policy.set_continuation(rtc=rtc)
        tail = policy.predict(looks()).chunk_values[2:]
        chunks.append(policy.predict(looks(1), tail=tail, delay=0).chunk_values)
    np.testing.assert_array_equal(*chunks)


def test_a_checkpoint_that_was_not_trained_for_it_is_given_no_rows(policies):
    policy = policies['pi0_tiny'].sibling()
    with pytest.raises(ValueError, match='not trained to go on from given rows'):
        policy.set_continuation(rtc='prefix')
