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

"""The page as a file: whole or not there, small, and with nothing that runs but its own."""

from dataclasses import replace
from html.parser import HTMLParser
import json
from pathlib import Path
import re

import numpy as np
import pytest
import report_demo

from vla_accel_ros.files import whole_files
from vla_accel_ros.report.data import Estimate
from vla_accel_ros.report.moments import Camera, ShownEpisode, ShownTrace, Step
from vla_accel_ros.report.page import write
from vla_accel_ros.report.pictures import MOMENT_BYTES, encode_views

LARGEST = 15_000_000


class Parts(HTMLParser):
    """Collects the attributes of all elements, and the text of scripts by their id."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.scripts, self._open = [], {}, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.elements.append((tag, attrs))
        self._open = attrs.get('id', 'code') if tag == 'script' else None

    def handle_endtag(self, tag):
        self._open = None

    def handle_data(self, data):
        if self._open:
            self.scripts[self._open] = data


@pytest.fixture(scope='module')
def parts(page):
    return Parts(page.read_text(encoding='utf-8'))


def test_six_hundred_frames_are_within_the_limit(page, parts):
    assert len(json.loads(parts.scripts['moments-data'])['pictures']) == 600
    assert page.stat().st_size <= LARGEST


def test_the_worst_pictures_of_a_large_model_are_within_the_limit(report, tmp_path):
    rng = np.random.default_rng(0)
    noise = [tuple(rng.integers(0, 255, (224, 224, 3), np.uint8) for _ in 'ab') for _ in range(3)]
    jpegs = [encode_views(views) for views in noise]
    cameras = (Camera('agent', 16, 16), Camera('wrist', 16, 16))
    ids = np.arange(0, 256, 2)
    steps = tuple(
        Step(i / 20, 'deliberative', 'precise', 0.1234, 0.5, 12.34, 1.234, (ids, ids))
        for i in range(660)
    )
    trace = ShownTrace(steps, tuple(range(660)))
    episode = ShownEpisode('one', 'lift', {row.name: trace for row in report.methods})
    large = replace(
        report,
        cameras=cameras,
        episodes=(episode,),
        clips=(),
        pictures=tuple(jpegs[i % 3] for i in range(660)),
    )
    assert write(large, tmp_path / 'report.html').stat().st_size <= LARGEST


def test_nothing_is_fetched_and_only_the_pages_own_scripts_may_run(parts):
    for tag, attrs in parts.elements:
        assert not {'src', 'srcset', 'action', 'formaction', 'poster'} & set(attrs), (tag, attrs)
        assert not [name for name in attrs if name.startswith('on')], (tag, attrs)
        if 'href' in attrs:
            assert attrs['href'].startswith('#')
    policy = next(
        attrs['content']
        for tag, attrs in parts.elements
        if attrs.get('http-equiv') == 'Content-Security-Policy'
    )
    scripts = next(part for part in policy.split('; ') if part.startswith('script-src'))
    assert policy.startswith("default-src 'none'")
    assert scripts.count('sha256-') == 2
    assert 'unsafe' not in scripts


def test_tables_have_captions_and_scopes_and_fields_have_names(parts):
    tags = [tag for tag, _ in parts.elements]
    assert tags.count('caption') == tags.count('table')
    for tag, attrs in parts.elements:
        if tag == 'th':
            assert attrs.get('scope') in ('col', 'row', 'colgroup', 'rowgroup')
        if attrs.get('role') == 'img' or attrs.get('type') == 'range':
            assert attrs.get('aria-label')


def test_each_picture_is_stored_once(page, report):
    text = page.read_text(encoding='utf-8')
    from base64 import b64encode

    for jpeg in (report.pictures[0][0], report.pictures[300][1]):
        assert text.count(b64encode(jpeg).decode()) == 1


def test_a_page_that_fails_leaves_the_old_one_and_nothing_else(report, tmp_path, monkeypatch):
    path = tmp_path / 'report.html'
    path.write_text('old')

    def fail(*_):
        raise OSError('disk full')

    monkeypatch.setattr(whole_files.os, 'replace', fail)
    with pytest.raises(OSError, match='disk full'):
        write(report, path)
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_without_moments_or_times_is_a_page_still(report, tmp_path):
    rows = tuple(replace(row, latencies_ms=(), decisions={}, values={}) for row in report.methods)
    bare = replace(report, methods=rows, episodes=(), clips=(), pictures=(), bounds=())
    text = write(bare, tmp_path / 'out' / 'report.html').read_text(encoding='utf-8')
    assert 'data-figure' not in text.split('<script>')[0]
    assert 'No bound was set' in text


def test_numbers_that_are_not_finite_are_dashes(report, tmp_path):
    row = replace(report.methods[1], values={'p95': Estimate(float('nan'))})
    made = replace(report, methods=(report.methods[0], row), episodes=())
    assert 'nan' not in write(made, tmp_path / 'r.html').read_text('utf-8').split('<script')[0]


def test_pictures_are_bounded_and_keep_their_shape():
    noise = np.random.default_rng(1).integers(0, 255, (480, 640, 3), np.uint8)
    encoded = encode_views([noise, noise])
    assert sum(map(len, encoded)) <= MOMENT_BYTES
    plain = encode_views([np.full((96, 96, 3), (200, 30, 60), np.uint8)])
    import cv2

    back = cv2.imdecode(np.frombuffer(plain[0], np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert back.shape == (96, 96, 3)
    assert np.abs(back.astype(int) - (200, 30, 60)).max() < 8
    with pytest.raises(ValueError, match=r'view 0 is float64 \[4, 4\]'):
        encode_views([np.zeros((4, 4))])


def test_the_example_of_the_documentation_writes_a_page(tmp_path, monkeypatch):
    page = Path(__file__).resolve().parents[2] / 'docs' / 'report.md'
    code = re.search(r'```python\n(.*?)```', page.read_text(encoding='utf-8'), re.DOTALL).group(1)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, str(page), 'exec'), {})
    assert 'fast saves the most: 3.15× less' in Path('report.html').read_text(encoding='utf-8')


def test_the_demo_is_made_of_what_it_says(report):
    assert [row.name for row in report.methods] == [method[0] for method in report_demo.METHODS]
    assert sum(len(e.traces['fast'].steps) for e in report.episodes) == 600
