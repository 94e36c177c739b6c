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
"""Summaries add up."""

from episodes import call, episode
import pytest

from vla_accel_ros.evaluation.metrics import summarise


def test_a_summary_counts_model_time_of_failures_too():
    summary = summarise('none', [
        episode('none', 1, True, [call(10), None, call(20), None]),
        episode('none', 2, False, [call(30)] * 6)])
    assert summary['success'] == 0.5
    assert summary['steps'] == 10
    assert summary['steps_per_success'] == 4
    assert summary['model_calls'] == 8
    assert summary['model_ms_per_step'] == pytest.approx(21.0)
    assert summary['model_ms_per_success'] == pytest.approx(210.0)
    assert summary['call_ms_p50'] == 30.0
    assert summary['decisions'] == {'deliberative': 0.8, 'intuitive': 0.2}
    assert summary['failed_seeds'] == [2]


def test_what_has_no_value_is_none():
    summary = summarise('none', [episode('none', 1, False, [None] * 3)])
    assert summary['model_ms_per_success'] is None
    assert summary['call_ms_p95'] is None
    with pytest.raises(ValueError, match='no episode'):
        summarise('none', [])
