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

"""What the charts have in common: text without markup, and a figure as plain values."""

from __future__ import annotations

import json


def plain(text: str) -> str:
    """Escape what Plotly would take for markup: it reads a small part of HTML."""
    for mark, entity in (('&', '&amp;'), ('<', '&lt;'), ('>', '&gt;'), ('%{', '%&#123;')):
        text = text.replace(mark, entity)
    return text.replace('\n', '<br>')


def small(text: str) -> dict:
    """Return an axis' title in the size of the text around."""
    return {'text': text, 'font': {'size': 13}}


def values_of(figure) -> dict:
    """Return a figure for JSON, without a template: that changes with the theme."""
    figure.layout.template = None
    return json.loads(figure.to_json())
