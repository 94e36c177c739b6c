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

"""Colours that are told apart on white and on dark paper, and the two looks of the charts."""

from __future__ import annotations

# Each has a contrast of 3:1 or more with both papers.
METHODS = (
    '#2f7fd6',
    '#d9662b',
    '#1e9a72',
    '#a86ad4',
    '#c94f7c',
    '#8b8034',
    '#6f7f95',
    '#0d94ad',
    '#b8664a',
    '#5f6fe0',
)
# Darker: they stand behind white letters as well.
KINDS = {
    'intuitive': '#17805c',
    'verified': '#2570c2',
    'deliberative': '#bf5419',
    'queued': '#9157c0',
    'bridged': '#7a7222',
    'waiting': '#667487',
    'skipped': '#667487',
}
OTHER = '#667487'
PAPER = {'light': '#ffffff', 'dark': '#161a20'}
INK = {'light': '#1c2128', 'dark': '#dde3ea'}
GRID = {'light': '#e3e7ec', 'dark': '#2c333c'}
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'


def of_method(index: int) -> str:
    """Return the colour of a method by its place in the report."""
    return METHODS[index % len(METHODS)]


def templates() -> dict[str, dict]:
    """Return Plotly's templates for light and dark, as plain values."""
    import plotly.graph_objects as go
    import plotly.io as pio

    looks = {}
    for theme, base in (('light', 'plotly_white'), ('dark', 'plotly_dark')):
        axis = {
            'gridcolor': GRID[theme],
            'zerolinecolor': GRID[theme],
            'linecolor': GRID[theme],
            'automargin': True,
        }
        own = go.layout.Template(
            layout={
                'paper_bgcolor': PAPER[theme],
                'plot_bgcolor': PAPER[theme],
                'font': {'family': FONT, 'color': INK[theme], 'size': 13},
                'hoverlabel': {'font': {'family': FONT}, 'namelength': -1},
                'colorway': [INK[theme]],
                'xaxis': axis,
                'yaxis': axis,
            }
        )
        template = pio.templates[base].to_plotly_json()
        # Only the layout matters: the charts set colours of their own.
        template = {'layout': {**template['layout'], **own.to_plotly_json()['layout']}}
        looks[theme] = template
    return looks
