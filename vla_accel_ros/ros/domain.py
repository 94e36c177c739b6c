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

"""The ROS domain that the environment names, checked before the middleware sees it."""

from __future__ import annotations

import os
import re

VARIABLE = 'ROS_DOMAIN_ID'
# Beyond it there are no ports left; Fast DDS then ends the whole process.
LARGEST = 232


def domain_of_environment() -> int:
    """Return the ROS domain of `ROS_DOMAIN_ID`, 0 where it is not set.

    Raises:
        ValueError: When it is no domain.
    """
    text = os.environ.get(VARIABLE) or '0'
    if not re.fullmatch('[0-9]{1,9}', text) or int(text) > LARGEST:
        raise ValueError(f'{VARIABLE} is {text!r}, expected 0 to {LARGEST}')
    return int(text)
