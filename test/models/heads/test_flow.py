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

"""The denoising loop: where it ends, and what the pruner hears of it."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch

from vla_accel_ros.models.heads import flow
from vla_accel_ros.models.heads.flow_steps import Plan

TIMES = tuple(1 - k / 10 for k in range(10))


def denoised(monkeypatch, velocities, layers=(), **plan):
    """Denoise one number with made-up velocities, one an evaluation."""
    coming = iter(velocities)
    inference = SimpleNamespace(
        choice=SimpleNamespace(needs=SimpleNamespace(decode=layers)),
        run=lambda *_: {'velocity': torch.tensor([[next(coming)]])},
        watch=lambda _: nullcontext(),
    )
    nothing = torch.zeros(1)
    cache = SimpleNamespace(held=1, store=nothing, lengths=nothing)
    prefix = SimpleNamespace(cache=cache, position=nothing)
    monkeypatch.setattr(flow, 'Velocity', lambda *_: None)
    whole = Plan(torch.tensor([[[2.0, 1.0]]]), TIMES, -0.1, torch.zeros(10), **plan)
    x, done, scores = flow.denoise(inference, SimpleNamespace(causal=False), prefix, whole)
    return x.flatten().tolist(), done, scores


def test_all_steps_add_up_to_the_whole_of_a_steady_flow(monkeypatch):
    x, done, _ = denoised(monkeypatch, [[1.0, 3.0]] * 10)
    assert (x, done) == (pytest.approx([1.0, -2.0], abs=1e-5), 10)


def test_what_is_left_of_a_straight_path_is_taken_in_one_step_of_its_length(monkeypatch):
    x, done, _ = denoised(monkeypatch, [[1.0, 3.0], [2.0, 6.0]], bend=1e-3)
    # A tenth by the first velocity, nine tenths by the second.
    assert (x, done) == (pytest.approx([2 - 0.1 - 1.8, 1 - 0.3 - 5.4], abs=1e-5), 2)


def test_a_path_that_bends_is_followed_until_it_does_not(monkeypatch):
    turns = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]
    x, done, _ = denoised(monkeypatch, turns, bend=0.5)
    assert (x, done) == (pytest.approx([2 - 0.2 - 0.7, 1 - 0.1], abs=1e-5), 4)


def test_the_pruner_hears_the_mean_of_the_evaluations(monkeypatch):
    found = iter(
        {'score': torch.tensor([float(k), 2.0]), 'ids': torch.tensor([4, 7])} for k in range(10)
    )
    monkeypatch.setattr(flow, '_scores', lambda *_: next(found))
    _, _, scores = denoised(monkeypatch, [[1.0, 3.0]] * 10, layers=(1,))
    assert scores['score'].tolist() == pytest.approx([4.5, 2.0])
    assert scores['ids'].tolist() == [4, 7]
