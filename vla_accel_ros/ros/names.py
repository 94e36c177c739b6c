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

"""Names that ROS takes."""

from __future__ import annotations

import re

# Of the 247 characters that a topic may have, the longest of the nodes' own names needs some 50.
LONGEST_NAMESPACE = 150


def check_namespace(text: str, what: str = 'namespace') -> None:
    """Refuse what rcl would not take as a namespace; slashes at the ends are not counted.

    Args:
        text: The namespace; empty is one.
        what: What it is called in the message.

    Raises:
        ValueError: When it is not; quotes it and says what was expected.
    """
    inner = text.strip('/')
    if inner and (
        '__' in inner
        or not all(re.fullmatch('[A-Za-z_][A-Za-z0-9_]*', each) for each in inner.split('/'))
    ):
        raise ValueError(
            f'{what} is {text!r}, expected names of letters, digits and single underscores '
            'with a slash between two'
        )
    if len(inner) > LONGEST_NAMESPACE:
        raise ValueError(
            f'{what} has {len(inner)} characters, expected at most {LONGEST_NAMESPACE}'
        )
