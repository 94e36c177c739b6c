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

"""A model of OpenVLA's form that answers within a millisecond or two."""

from bench_subject import CONFIGS, TINY
import pytest
import torch

from vla_accel_ros.bench.subjects import of_config


@pytest.fixture(scope='session', params=list(CONFIGS))
def any_subject(request):
    return of_config(request.param, CONFIGS[request.param], 'cpu', torch.float32)


@pytest.fixture(scope='session')
def subject():
    return of_config('tiny', TINY, 'cpu', torch.float32)


@pytest.fixture(scope='session')
def oft_subject():
    return of_config('tiny-oft', CONFIGS['tiny-oft'], 'cpu', torch.float32)
