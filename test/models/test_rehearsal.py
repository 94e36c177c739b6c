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

"""After a rehearsal no answer of the method and the decoder asks for a shape that is new."""

import numpy as np
import pytest
from small_models import small
import torch

from vla_accel_ros.bench.subjects import of_config
from vla_accel_ros.decoding.registry import EXACT
from vla_accel_ros.engines.cuda_graph import CudaGraph
from vla_accel_ros.engines.recorders import HostRecorder
from vla_accel_ros.motion import Motion
from vla_accel_ros.observations import Observation

CASES = [
    *(('tokens', 'sp_vla', {}, decoder) for decoder in EXACT),
    ('tokens', 'fastv', {'keep': 0.3}, 'verify'),
    ('tokens', 'vla_pruner', {'keep': 0.5, 'window': 1}, 'verify'),
    ('slots', 'sp_vla', {'place': 'before_llm'}, 'greedy'),
    ('slots', 'none', {}, 'greedy'),
]


@pytest.fixture(scope='module')
def subjects():
    return {
        kind: of_config('small', small(kind), 'cpu', torch.float32) for kind in ('tokens', 'slots')
    }


def observe(policy, draw):
    size = policy.image_size
    images = tuple(draw.integers(0, 256, (size, size, 3), np.uint8) for _ in range(policy.cameras))
    proprio = policy.proprio.middle if policy.proprio else None
    return Observation(images, 'take action', proprio=proprio)


@pytest.mark.parametrize(('kind', 'method', 'options', 'decoder'), CASES)
def test_no_answer_after_it_makes_a_graph(kind, method, options, decoder, subjects):
    policy, engine = subjects[kind].policy(), CudaGraph(HostRecorder(), kept=1000)
    policy.set_engine(engine)
    policy.set_pruning(method, **options)
    policy.set_decoder(decoder, draft='previous')
    policy.warm_up()
    policy.reset()
    before, draw = set(engine.captured), np.random.default_rng(1)
    for step in range(6):
        motion = Motion((0.02 * step, 0.0, 0.0), (0.0, 0.0, 0.0), 0.1) if step else None
        answer = policy.predict(observe(policy, draw), motion=motion)
        if len(answer.token_ids):
            draft = answer.token_ids.copy()
            draft[step] -= 1
            policy.assume_previous(draft)
    assert set(engine.captured) == before


def test_the_largest_shape_comes_first(subjects):
    policy, engine = subjects['tokens'].policy(), CudaGraph(HostRecorder())
    policy.set_engine(engine)
    policy.set_pruning('fastv', keep=0.5)
    policy.warm_up()
    lengths = [
        dict(bucket)['positions'][0]
        for program, bucket in engine.captured
        if program.name == 'span' and program.narrowed
    ]
    # The last one is that of the grey image, which was answered afterwards.
    *others, _ = lengths
    assert others == sorted(others, reverse=True)
    assert len(set(others)) > 3


def test_the_policy_has_learnt_nothing(subjects):
    answers = []
    for warm in (False, True):
        policy = subjects['tokens'].policy()
        policy.set_engine(CudaGraph(HostRecorder()))
        policy.set_pruning('vla_pruner', keep=0.5, window=1)
        if warm:
            policy.warm_up()
            policy.reset()
        draw = np.random.default_rng(2)
        found = [policy.predict(observe(policy, draw)) for _ in range(3)]
        answers.append([(each.token_ids.tolist(), each.kept_ids.tolist()) for each in found])
    assert answers[0] == answers[1]
