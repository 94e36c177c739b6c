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

"""The page of an evaluation."""

from episodes import call, episode

from vla_accel_ros.cli import main
from vla_accel_ros.evaluation.metrics import summarise
from vla_accel_ros.evaluation.page_measures import MEASURES

WORDS = ['--task', 'lift', '--max-steps', '5', '--workers', '1', '--episodes', '1']


def evaluate(folder, *words):
    return main(['eval', '--checkpoint', str(folder), *WORDS, *words])


def test_a_page_shows_methods_timelines_and_failures(random_checkpoint, tmp_path, capsys):
    words = ['--methods', 'none,hold+random@keep=0.25', '--report', str(tmp_path / 'page')]
    assert evaluate(random_checkpoint, *words) == 0
    text = (tmp_path / 'page' / 'report.html').read_text(encoding='utf-8')
    assert 'hold+random@keep=0.25' in text
    assert 'none fails seed 2000000' in text
    assert 'pick up the' in text
    assert [file.name for file in (tmp_path / 'page').iterdir()] == ['report.html']


def test_a_file_may_be_named_and_other_files_are_refused(random_checkpoint, tmp_path, capsys):
    assert evaluate(random_checkpoint, '--report', str(tmp_path / 'one.html')) == 0
    assert (tmp_path / 'one.html').is_file()
    (tmp_path / 'data.txt').write_text('mine')
    assert evaluate(random_checkpoint, '--report', str(tmp_path / 'data.txt')) == 2
    assert 'expected a folder or a file ending in .html' in capsys.readouterr().err
    assert (tmp_path / 'data.txt').read_text() == 'mine'


def test_every_measure_of_the_page_is_one_of_the_summary():
    summary = summarise('none', [episode('none', 1, True, [call()])])
    assert {measure.key for measure in MEASURES} <= set(summary)
