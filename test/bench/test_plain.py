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

from dataclasses import replace

import numpy as np
import pytest

from vla_accel_ros.bench.plain import PlainPolicy, share_language_model


def test_the_plain_path_runs_on_the_very_same_memory(subject):
    llama = share_language_model(subject.model)
    ours = subject.model.language_model.state_dict()
    theirs = llama.state_dict()
    assert set(theirs) == set(ours)
    assert all(theirs[name].data_ptr() == ours[name].data_ptr() for name in ours)


def test_the_plain_path_gives_the_same_answer(any_subject):
    policy = any_subject.policy()
    plain = PlainPolicy(any_subject.model, any_subject.encode, any_subject.unnorm_key)
    for index in range(0, 40, 13):
        observation = any_subject.scene.frame(index).observation
        ours, theirs = policy.predict(observation), plain.predict(observation)
        np.testing.assert_array_equal(theirs.token_ids, ours.token_ids)
        np.testing.assert_allclose(theirs.chunk_values, ours.chunk_values, atol=5e-6)
        assert (theirs.kept, theirs.seen) == (ours.kept, ours.seen)
        assert theirs.work == replace(ours.work, projected=None)


def test_the_plain_paths_time_is_told_by_stage(subject):
    plain = PlainPolicy(subject.model, subject.encode)
    ms = plain.predict(subject.scene.frame(0).observation).timings_ms
    stages = {name: took for name, took in ms.items() if name != 'total'}
    assert all(took > 0 for name, took in stages.items() if name != 'selection')
    assert sum(stages.values()) <= ms['total']


def test_no_token_shortens_the_plain_answer(subject):
    settings = share_language_model(subject.model).generation_config
    assert settings.eos_token_id is None and settings.forced_eos_token_id is None


def test_weights_of_another_form_are_refused(subject):
    class Other:
        config = replace(
            subject.model.config, decoder=replace(subject.model.config.decoder, mlp=100)
        )
        language_model = subject.model.language_model
        device = subject.model.device

    with pytest.raises(RuntimeError, match='size mismatch'):
        share_language_model(Other)
