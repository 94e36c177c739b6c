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


"""What the parts of the scene look like, and where its cameras are."""

from __future__ import annotations

from xml.etree import ElementTree

RGBA = {
    'red': '0.86 0.08 0.10 1',
    'green': '0.08 0.62 0.18 1',
    'blue': '0.08 0.24 0.88 1',
    'table': '0.80 0.76 0.69 1',
    'bin': '0.34 0.36 0.41 1',
    'shell': '0.93 0.93 0.92 1',
    'joint': '0.72 0.73 0.75 1',
    'hand': '0.86 0.86 0.87 1',
    'finger': '0.20 0.21 0.23 1',
    'pad': '0.12 0.12 0.13 1',
}
# Position, x axis, y axis, vertical field of view. Wrist in the hand's frame, others in the world.
CAMERAS = {
    'agent': ('0.95 0 0.52', '0 1 0 -0.76 0 0.65', 46),
    'wrist': ('0.07 0 0.02', '0 1 0 0.94 0 0.34', 75),
    'high': ('1.50 0 1.10', '0 1 0 -0.58 0 0.81', 52),
    'scene': ('1.16 -0.92 0.72', '0.66 0.75 0 -0.29 0.26 0.92', 42),
}


def camera(parent, name: str) -> None:
    """Fix the camera of that name to a body."""
    position, axes, fovy = CAMERAS[name]
    ElementTree.SubElement(parent, 'camera', name=name, pos=position, xyaxes=axes, fovy=str(fovy))


def text(values) -> str:
    """Return numbers as an MJCF attribute has them."""
    return ' '.join(repr(float(value)) for value in values)
