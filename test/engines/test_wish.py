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
        (('openvino', 'bfloat16', False, 'a.st'), "engine_calibration is 'a.st'.*expected int8"),
        (('auto', 'bfloat16'), 'auto, which takes exact engines only: name the engine'),
    ],
)
def test_what_makes_no_sense_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        EngineWish(*values)
