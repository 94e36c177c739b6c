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

"""A method is applied to a policy, or refused without touching it."""

from dataclasses import replace

import numpy as np
import pytest

from vla_accel_ros.acceleration import apply_method, check_method, parse
from vla_accel_ros.models.policy import Policy
from vla_accel_ros.observations import Observation


@pytest.fixture(scope='module')
def policy(random_checkpoint):
    return Policy.load(random_checkpoint, threads=1)


def kept(policy):
    images = (np.zeros((policy.image_size, policy.image_size, 3), np.uint8),) * policy.cameras
    return policy.predict(Observation(images, 'pick up the red cube', 1)).kept


def test_a_policy_prunes_as_the_method_says_from_its_next_call_on(policy):
    apply_method(parse('none'), policy)
    whole = kept(policy)
    apply_method(parse('hold+random@keep=0.5'), policy)
    assert kept(policy) == whole // 2


def test_a_check_leaves_the_policy_as_it_is(policy):
    apply_method(parse('random@keep=0.5'), policy)
    before = kept(policy)
    check_method(parse('none'), policy)
    assert kept(policy) == before


def test_what_does_not_fit_the_model_is_refused_with_the_method_s_name_where_it_has_one(policy):
    method = parse('fastv@layer=40')
    with pytest.raises(ValueError, match=r"^method 'fastv@layer=40': layer is 40"):
        check_method(method, policy)
    with pytest.raises(ValueError, match=r'^layer is 40'):
        check_method(replace(method, name=''), policy)
