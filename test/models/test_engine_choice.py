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

"""The engine that is asked for, or the next one with the reason; precision never changes silently.

What fails is faked here; real engines have tests of their own.
"""

import errno

import pytest
from toy_engine import Changing, Storing, exactly_only, install, lying, not_finite, only_here

from vla_accel_ros.engines.eager import EAGER
from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.registry import BFLOAT16, FLOAT32, INT8, find
from vla_accel_ros.engines.store import Store
from vla_accel_ros.engines.timings import Timing, machine
from vla_accel_ros.engines.wish import EngineWish
from vla_accel_ros.models.engine_build import all_ways, build
from vla_accel_ros.models.engine_choice import Means, timings_of, use_engine, use_engine_aloud
from vla_accel_ros.models.parity.frames import recorded
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.models.prediction import NotFiniteError


def mine():
    return EngineWish('mine')


@pytest.fixture
def policy(embedded_folder):
    return Policy.load(embedded_folder, threads=1)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / 'engines')


def refusing(reason):
    def refuse(program, bucket):
        if program.name == 'span':
            raise EngineError(reason)

    return lambda order: Changing(refuse=refuse)


def raising(error):
    def make(order):
        raise error

    return make


def timed(policy, store, engine, ms):
    timings_of(policy, store).record(Timing(engine, FLOAT32, True, 1, ms, machine()))


def test_a_named_engine_is_built_and_runs(policy, store, monkeypatch):
    install(monkeypatch)
    told = []
    in_use = use_engine(policy, mine(), Means(store, built=lambda built: told.append(str(built))))
    assert (str(in_use), in_use.trouble) == ('mine', '')
    assert policy.predict(recorded(policy).observation).engine == 'mine'
    assert told[0] == 'building toy graph of vision float32'
    assert told[1].startswith('built toy graph of vision float32 in ')
    assert {entry.key['kind'] for entry in store.entries()} >= {'toy graph of span'}


@pytest.mark.parametrize(
    ('make', 'probe', 'reason'),
    [
        (Storing, lambda: 'mine is not installed: pip install it', 'mine is not installed'),
        (raising(OSError('libcudnn.so.9 is missing')), None, 'mine cannot be made: libcudnn'),
        (raising(EngineError('no driver of version 580')), None, 'no driver of version 580'),
        (refusing('the provider is listed and does not load'), None, 'does not load'),
        (refusing('built for an H100, this is an A100'), None, 'built for an H100'),
        (refusing('opset 99 is too new'), None, 'opset 99 is too new'),
        (refusing('90 rows are out of range, 16 to 64'), None, '90 rows are out of range'),
        (refusing('bucket of 90 rows was not built'), None, 'bucket of 90 rows was not built'),
        (lambda order: Changing(lying), None, 'does not agree with eager: '),
    ],
)
def test_an_engine_that_cannot_run_gives_way_with_the_reason(
    policy, store, monkeypatch, make, probe, reason
):
    install(monkeypatch, make, probe=probe or (lambda: None))
    in_use = use_engine(policy, mine(), Means(store))
    assert policy.in_use is in_use and in_use.engine is EAGER
    assert str(in_use).startswith('eager (asked: mine; ') and reason in in_use.reason
    answer = policy.predict(recorded(policy).observation)
    assert answer.engine == str(in_use)
    with pytest.raises(EngineError, match='|'.join(reason.split('(')[:1])):
        use_engine(policy, EngineWish('mine', engine_required=True), Means(store))
    assert policy.in_use is in_use


def test_a_full_disk_is_named(policy, store, monkeypatch):
    install(monkeypatch)

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr('vla_accel_ros.engines.store.tempfile.mkdtemp', full)
    in_use = use_engine(policy, mine(), Means(store))
    assert in_use.name == 'eager' and 'No space left on device' in in_use.reason


def test_a_cache_that_cannot_be_written_is_named(policy, tmp_path, monkeypatch):
    install(monkeypatch)
    (tmp_path / 'file').write_text('')
    in_use = use_engine(policy, mine(), Means(Store(tmp_path / 'file' / 'engines')))
    assert in_use.name == 'eager' and 'cannot be stored in' in in_use.reason


def test_one_program_that_cannot_run_leaves_the_others_on_the_engine(policy, store, monkeypatch):
    def refuse(program, bucket):
        if program.name == 'vision':
            raise EngineError('towers are not taken')

    told = []
    install(monkeypatch, lambda order: Changing(refuse=refuse))
    in_use = use_engine(policy, mine(), Means(store, told=told.append))
    assert str(in_use) == 'mine (vision runs on eager: towers are not taken)'
    assert told == ['vision runs on eager: towers are not taken']


def test_precision_never_changes_without_a_word(policy, store, monkeypatch):
    install(monkeypatch, raising(EngineError('no AMX')), precisions=(FLOAT32, BFLOAT16))
    in_use = use_engine(policy, EngineWish('mine', BFLOAT16), Means(store))
    assert str(in_use) == 'eager in float32 (asked: mine in bfloat16; no AMX)'
    assert in_use.facts()['precision'] == FLOAT32
    with pytest.raises(ValueError, match='expected auto or one of those'):
        EngineWish('mine', INT8)
    in_use = use_engine(policy, EngineWish('eager', BFLOAT16), Means(store))
    assert 'type of the weights, which is float32, not bfloat16' in str(in_use)


def test_behind_fewer_bits_that_cannot_run_the_same_engine_does_exactly(
    policy, store, monkeypatch
):
    install(monkeypatch, exactly_only, precisions=(FLOAT32, BFLOAT16))
    timed(policy, store, 'mine', 1.0)
    in_use = use_engine(policy, EngineWish('mine', BFLOAT16), Means(store))
    assert str(in_use) == 'mine in float32 (asked: mine in bfloat16; there is no bfloat16)'
    assert not in_use.as_asked and in_use.facts()['asked'] == 'mine in bfloat16'


def test_a_device_is_handed_to_the_engine_and_told(policy, store, monkeypatch):
    orders = []

    def make(order):
        orders.append(order.device)
        return Changing()

    install(monkeypatch, make, devices=('here', 'there'))
    for asked, text in (('auto', 'mine'), ('here', 'mine'), ('there', 'mine on there')):
        in_use = use_engine(policy, EngineWish('mine', engine_device=asked), Means(store))
        assert str(in_use) == in_use.facts()['asked'] == text and in_use.as_asked
    assert orders == ['here', 'here', 'there']
    assert in_use.facts()['device'] == 'there'


def test_behind_a_device_that_cannot_run_the_engines_first_one_does(policy, store, monkeypatch):
    install(monkeypatch, only_here, devices=('here', 'there'))
    there = EngineWish('mine', engine_device='there')
    in_use = use_engine(policy, there, Means(store))
    assert str(in_use) == 'eager (asked: mine on there; there is no device there)'
    timed(policy, store, 'mine', 1.0)
    in_use = use_engine(policy, there, Means(store))
    assert str(in_use) == 'mine (asked: mine on there; there is no device there)'
    assert (in_use.facts()['device'], in_use.as_asked) == ('', False)
    required = EngineWish('mine', engine_required=True, engine_device='there')
    with pytest.raises(EngineError, match='there is no device there'):
        use_engine(policy, required, Means(store))


@pytest.mark.parametrize(
    ('engine', 'device', 'reason'),
    [
        ('onnxruntime', 'cuda', 'onnxruntime has no provider CUDAExecutionProvider, expected'),
        ('onnxruntime', 'tensorrt', 'onnxruntime has no provider TensorrtExecutionProvider'),
        ('openvino', 'gpu.1', "OpenVINO finds no device 'GPU.1' here, only "),
    ],
)
def test_a_device_that_is_not_here_gives_way_with_the_reason(
    policy, store, engine, device, reason
):
    pytest.importorskip(engine)
    in_use = use_engine(policy, EngineWish(engine, engine_device=device), Means(store))
    assert str(in_use).startswith(f'eager (asked: {engine} on {device}; {reason}')


def test_another_device_is_timed_apart_and_auto_leaves_it_out(policy, store, monkeypatch):
    install(monkeypatch, lambda order: Changing(), devices=('here', 'there'))
    few = Means(store), all_ways(['none'], []), [1]
    there = build(policy, find('mine'), FLOAT32, *few, device='there')
    assert there.device == 'there' and there.failure == ''
    kept = {(each.engine, each.engine_device) for each in timings_of(policy, store).here(1)}
    assert kept == {('mine', 'there'), ('eager', '')}
    assert str(use_engine(policy, EngineWish(), Means(store))) == 'eager'
    build(policy, find('mine'), FLOAT32, *few)
    kept = {(each.engine, each.engine_device) for each in timings_of(policy, store).here(1)}
    assert kept == {('mine', 'there'), ('mine', ''), ('eager', '')}


def test_auto_takes_the_fastest_that_is_built_and_builds_nothing(policy, store, monkeypatch):
    install(monkeypatch)
    auto = EngineWish()
    in_use = use_engine(policy, auto, Means(store))
    assert str(in_use) == 'eager' and '`vla-accel engine build` does it' in in_use.hint
    timed(policy, store, 'mine', 1.0)
    timed(policy, store, 'eager', 2.0)
    in_use = use_engine(policy, auto, Means(store))
    assert in_use.name == 'eager' and 'toy graph of span float32 is not built' in in_use.reason
    assert store.entries() == []
    use_engine(policy, mine(), Means(store))
    in_use = use_engine(policy, auto, Means(store))
    assert (str(in_use), in_use.hint) == ('mine', '')
    timed(policy, store, 'eager', 0.5)
    in_use = use_engine(policy, auto, Means(store))
    assert (str(in_use), in_use.hint) == ('eager', '')


def test_auto_leaves_out_what_is_not_exact_or_was_removed(policy, store, monkeypatch):
    install(monkeypatch, precisions=(FLOAT32, BFLOAT16))
    timings = timings_of(policy, store)
    timings.record(Timing('mine', BFLOAT16, False, 1, 0.1, machine()))
    timings.record(Timing('removed', FLOAT32, True, 1, 0.2, machine()))
    timings.record(Timing('eager', FLOAT32, True, 1, 2.0, machine()))
    assert str(use_engine(policy, EngineWish(), Means(store))) == 'eager'


def test_after_a_named_engine_the_next_is_the_fastest_that_is_built(policy, store, monkeypatch):
    install(monkeypatch)
    use_engine(policy, mine(), Means(store))
    timed(policy, store, 'mine', 1.0)
    install(monkeypatch, raising(EngineError('no GPU')), name='warp')
    in_use = use_engine(policy, EngineWish('warp'), Means(store))
    assert str(in_use) == 'mine (asked: warp; no GPU)'


def test_an_engine_that_gives_nan_from_the_start_is_neither_chosen_nor_timed(
    policy, store, monkeypatch
):
    install(monkeypatch, lambda order: Changing(not_finite))
    in_use = use_engine(policy, mine(), Means(store))
    assert in_use.engine is EAGER and 'it gave NaN or infinity' in in_use.reason
    outcome = build(policy, find('mine'), FLOAT32, Means(store), all_ways(['none'], []), [1])
    assert 'it gave NaN or infinity' in outcome.failure
    assert timings_of(policy, store).here(1) == []


def test_an_engine_that_gives_nan_where_eager_does_not_is_left(policy, store, monkeypatch):
    broken = []
    install(
        monkeypatch,
        lambda order: Changing(lambda name, done: not_finite(name, done) if broken else done),
    )
    use_engine(policy, mine(), Means(store))
    seen = recorded(policy).observation
    good = policy.predict(seen)
    broken.append(True)
    answer = policy.predict(seen)
    assert (answer.token_ids == good.token_ids).all()
    assert answer.engine == (
        'eager (asked: mine; mine: it gave NaN or infinity where eager gives numbers)'
    )
    assert policy.in_use.engine is EAGER
    # Somebody else's policy has its own luck with the engine, and so has who comes after.
    assert policy.sibling().in_use.name == 'mine'
    broken.clear()
    policy.renew()
    assert policy.predict(seen).engine == policy.in_use.name == 'mine'


def test_where_eager_gives_nan_as_well_the_engine_stays(policy, store, monkeypatch):
    install(monkeypatch)
    use_engine(policy, mine(), Means(store))
    policy.model.language_model.model.norm.weight.data.fill_(float('nan'))
    with pytest.raises(NotFiniteError):
        policy.predict(recorded(policy).observation)
    assert str(policy.in_use) == 'mine'


def test_a_sibling_runs_on_the_same(policy, store, monkeypatch):
    install(monkeypatch)
    use_engine(policy, mine(), Means(store))
    assert policy.sibling().in_use is policy.in_use


def test_a_command_says_what_runs_and_why(policy, monkeypatch):
    install(monkeypatch, raising(EngineError('no GPU')))
    said = []
    use_engine_aloud(policy, mine(), said.append)
    use_engine_aloud(policy, EngineWish(), said.append)
    use_engine_aloud(policy, EngineWish('eager'), said.append)
    assert said == [
        'engine: eager (asked: mine; no GPU) (no engine is built and timed for this checkpoint: '
        '`vla-accel engine build` does it)',
        'engine: eager (no engine is built and timed for this checkpoint: `vla-accel engine '
        'build` does it)',
    ]
