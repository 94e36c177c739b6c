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

"""The parameters of what draws for RViz."""

from __future__ import annotations

from vla_accel_ros.options import Option

SETTINGS = (
    Option(
        'rate',
        10.0,
        'How often the markers are published, while somebody listens',
        unit='Hz',
        range=(0.5, 30.0),
        when='configure',
    ),
    Option('text_height', 0.03, 'Height of a letter', unit='m', range=(0.005, 1.0)),
    Option(
        'arrow_seconds',
        1.0,
        'The arrow ends where the commanded velocity leads in so long: longer to see slow motion',
        unit='s',
        range=(0.05, 20.0),
    ),
)
