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

"""Timings of engines: by machine and threads, the fastest first."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
import json

import pytest

from vla_accel_ros.engines import timings
from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.timings import Timing, Timings


def timing(engine, ms, threads=1, machine=None):
    return Timing(
        engine, 'float32', True, threads, ms, timings.machine() if machine is None else machine
    )


def test_the_fastest_of_this_machine_comes_first(tmp_path):
    kept = Timings(tmp_path, 'abc')
    for each in (
        timing('eager', 20.0),
        timing('onnxruntime', 11.0),
        timing('openvino', 12.0),
        timing('openvino', 1.0, machine='another processor'),
        timing('eager', 5.0, threads=4),
    ):
        kept.record(each)
    here = Timings(tmp_path, 'abc').here(1)
    assert [each.engine for each in here] == ['onnxruntime', 'openvino', 'eager']
    # Nothing was timed with 3 threads; 4 are nearer than 1.
    assert [each.ms for each in kept.here(3)] == [5.0]
    assert Timings(tmp_path, 'def').here(1) == []


def test_a_new_timing_takes_the_place_of_the_one_before(tmp_path):
    kept = Timings(tmp_path, 'abc')
    kept.record(timing('eager', 20.0))
    kept.record(timing('eager', 18.0))
    assert [each.ms for each in kept.here(1)] == [18.0]
    kept.forget()
    assert kept.all() == []


def test_none_is_lost_where_several_write_at_once(tmp_path):
    def record(number):
        for threads in range(1, 9):
            Timings(tmp_path, 'abc').record(timing(f'engine {number}', 1.0, threads))

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(record, range(4)))
    assert len(Timings(tmp_path, 'abc').all()) == 32


@pytest.mark.parametrize(
    'text',
    [
        *('', '[{', '{}', '[{"engine": "eager"}]', '[1]'),
        json.dumps([asdict(timing('eager', 20.0)) | {'threads': '1'}]),
        json.dumps([asdict(timing('eager', 20.0)) | {'ms': None}]),
        json.dumps([asdict(timing('eager', 20.0)) | {'exact': 1}]),
    ],
)
def test_a_damaged_file_counts_as_none(tmp_path, text):
    kept = Timings(tmp_path, 'abc')
    kept.record(timing('eager', 20.0))
    (file,) = (tmp_path / 'timings').iterdir()
    file.write_text(text)
    assert kept.here(1) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / 'timings').write_text('no folder')
    with pytest.raises(EngineError, match=r'timings cannot be kept in .*abc.json'):
        Timings(tmp_path, 'abc').record(timing('eager', 20.0))


def test_timings_of_the_gpu_say_nothing_of_the_cpu(tmp_path):
    kept = Timings(tmp_path, 'abc')
    for device, ms in (('cpu', 20.0), ('cuda', 2.0)):
        kept.record(Timing('eager', 'float32', True, 1, ms, timings.machine(), device))
    assert [each.ms for each in kept.here(1)] == [20.0]
    assert [each.ms for each in kept.here(1, 'cuda')] == [2.0]


def test_a_timing_of_another_device_of_an_engine_does_not_take_the_place_of_the_first(tmp_path):
    kept = Timings(tmp_path, 'abc')
    first = timing('onnxruntime', 11.0)
    on_gpu = replace(first, ms=2.0, engine_device='cuda')
    for each in (first, on_gpu, replace(on_gpu, ms=3.0)):
        kept.record(each)
    assert [(each.engine_device, each.ms) for each in kept.here(1)] == [('cuda', 3.0), ('', 11.0)]


def test_what_was_kept_before_devices_had_names_is_of_the_first(tmp_path):
    kept = Timings(tmp_path, 'abc')
    kept.record(timing('onnxruntime', 11.0))
    (file,) = (tmp_path / 'timings').iterdir()
    (row,) = json.loads(file.read_text())
    del row['engine_device']
    file.write_text(json.dumps([row]))
    kept.record(timing('onnxruntime', 12.0))
    assert [(each.engine_device, each.ms) for each in kept.all()] == [('', 12.0)]
