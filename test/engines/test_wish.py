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

"""Which engine is asked for, by parameters and on the command line."""

import argparse

import pytest

from vla_accel_ros.engines.wish import OPTIONS, EngineWish, add_arguments, wish_of


def test_the_same_defaults_everywhere():
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    values = {name: option.default for name, option in OPTIONS.items()}
    assert wish_of(parser.parse_args([])) == EngineWish.of(values) == EngineWish()
    add_arguments(other := argparse.ArgumentParser(), 'eager')
    assert wish_of(other.parse_args([])) == EngineWish('eager')


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        (('warp',), "engine 'warp' is not there, expected one of auto, eager"),
        (('eager', 'int3'), "engine_precision is 'int3', expected one of"),
        (('eager', 'int8'), "engine_precision is 'int8', expected auto or one of those of.*eager"),
        (
            ('openvino', 'bfloat16', False, 'a.st'),
            "engine_calibration is 'a.st'.*expected int8 or float8",
        ),
        (
            ('tensorrt', 'float8'),
            "engine_precision is 'float8' and engine_calibration is '', expected a file of "
            '`vla-accel engine calibrate`',
        ),
        (('openvino', 'float8', False, 'a.st'), "is 'float8', expected auto or one of.*openvino"),
        (('auto', 'float8', False, 'a.st'), 'auto, which takes exact engines only: name the eng'),
        (('auto', 'bfloat16'), 'auto, which takes exact engines only: name the engine'),
        (('auto', 'auto', False, '', 'cuda'), "engine_device is 'cuda' and engine is auto"),
        (
            ('onnxruntime', 'auto', False, '', 'gpu'),
            "engine_device is 'gpu', expected auto or one of those of engine 'onnxruntime': "
            'cpu, cuda, tensorrt',
        ),
        (
            ('eager', 'auto', False, '', 'cuda'),
            "engine_device is 'cuda', expected auto: engine 'eager' has no choice of devices",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        EngineWish(*values)


@pytest.mark.parametrize(
    ('engine', 'asked', 'device', 'title'),
    [
        ('auto', 'auto', '', 'auto'),
        ('eager', 'auto', '', 'eager'),
        ('onnxruntime', 'auto', '', 'onnxruntime'),
        ('onnxruntime', 'cpu', '', 'onnxruntime'),
        ('onnxruntime', 'cuda', 'cuda', 'onnxruntime on cuda'),
        ('openvino', 'gpu.1', 'gpu.1', 'openvino on gpu.1'),
    ],
)
def test_the_first_device_is_the_one_that_runs_where_none_is_named(engine, asked, device, title):
    add_arguments(parser := argparse.ArgumentParser())
    wish = wish_of(parser.parse_args(['--engine', engine, '--engine-device', asked]))
    assert wish == EngineWish(engine, engine_device=asked)
    assert (wish.device, wish.title) == (device, title)


def test_float8_is_read_with_its_frames():
    add_arguments(parser := argparse.ArgumentParser())
    words = ['--engine', 'tensorrt', '--engine-precision', 'float8']
    wish = wish_of(parser.parse_args([*words, '--engine-calibration', 'a.st']))
    assert wish == EngineWish('tensorrt', 'float8', engine_calibration='a.st')


def test_runs_on_other_frames_are_told_apart(tmp_path):
    one, other = tmp_path / 'one.st', tmp_path / 'other.st'
    one.write_text('1')
    other.write_text('2')
    found = [
        EngineWish('openvino', 'int8', engine_calibration=str(file)).calibrated
        for file in (one, other)
    ]
    assert found[0] != found[1] and set(found[0]) == {'engine_calibration'}
    assert EngineWish('openvino', 'int8').calibrated == {}
    with pytest.raises(ValueError, match=r'engine_calibration .*none.st cannot be read: No such'):
        _ = EngineWish('openvino', 'int8', engine_calibration=str(tmp_path / 'none.st')).calibrated
