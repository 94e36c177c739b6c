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

"""A fixture that cannot be compared with is refused in a line that says why."""

import json
from pathlib import Path
import shutil

import numpy as np
import pytest

from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.parity.comparison import FixtureError, needed, rows_of
from vla_accel_ros.models.parity.registry import verify

FIXTURES = Path(__file__).parents[2] / 'fixtures'
FAMILIES = ('pi0_tiny', 'pi05_tiny', 'smolvla_tiny', 'cogact_tiny')


@pytest.fixture(params=FAMILIES)
def copy(request, tmp_path):
    shutil.copytree(FIXTURES / request.param, tmp_path / request.param)
    return tmp_path / request.param


def change(file, spoil):
    """Change each array of a file; None leaves it out."""
    with np.load(file) as arrays:
        kept = {name: spoil(name, array) for name, array in dict(arrays).items()}
    np.savez(file, **{name: array for name, array in kept.items() if array is not None})


def of(beginnings, instead):
    """Change the arrays whose names begin so."""
    return lambda name, array: instead(array) if name.startswith(beginnings) else array


SPOILT = {
    'no_noise': (of('noise', lambda _: None), r'has no array noise'),
    'a_short_noise': (of('noise', lambda a: a[:, :-1]), r'has noise.* of \[1, \d+, \d+\], expec'),
    'no_times': (of(('timesteps', 'dit_times'), lambda _: None), r'has no array .*timesteps'),
    'an_image_without_colours': (
        of(('cam', 'image'), lambda a: a[..., 0]),
        r'expected \[n, n, 3\]',
    ),
    'rows_beyond_the_images': (of('keep', lambda a: a + 5000), r'rows 5\d+ to .*, expected 0 to'),
}


@pytest.mark.parametrize('how', SPOILT)
def test_an_input_that_is_missing_or_misshapen_is_named(copy, how):
    spoil, words = SPOILT[how]
    change(copy / 'inputs.npz', spoil)
    with pytest.raises(FixtureError, match=words) as caught:
        verify(copy)
    assert 'inputs.npz' in str(caught.value) and '\n' not in str(caught.value)


def test_a_fixture_without_answers_is_refused(copy):
    np.savez(copy / 'outputs.npz', unknown=np.zeros(1))
    with pytest.raises(FixtureError, match=r'outputs\.npz has no actions_., expected the actions'):
        verify(copy)


def test_a_fixture_without_cases_is_refused(copy):
    if 'cogact' in copy.name:
        change(copy / 'inputs.npz', of('image', lambda _: None))
    else:
        (copy / 'inputs.json').write_text('{}')
    with pytest.raises(FixtureError, match=r'has no case|has the images \[\], expected some'):
        verify(copy)


def test_files_that_are_missing_or_cut_short_are_named(copy):
    for name in ('outputs.npz', 'inputs.npz', 'inputs.json', 'model.safetensors', 'config.json'):
        file = copy / name
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        with pytest.raises((FixtureError, CheckpointError), match=f'{name} cannot be read'):
            verify(copy)
        file.unlink()
        with pytest.raises((FixtureError, CheckpointError), match=rf'{name}.* is missing|neither'):
            verify(copy)
        shutil.copy(FIXTURES / copy.name / name, file)


def test_a_folder_of_no_known_family_is_told_those_that_are(copy):
    (copy / 'config.json').write_text(json.dumps({'type': 'gr00t', 'chunk_size': 16}))
    with pytest.raises(CheckpointError, match=r"type is 'gr00t', expected .*cogact.*pi0, smolvla"):
        verify(copy)


def test_a_fixture_of_pi0_needs_statistics_of_one_data_set(tmp_path):
    copy = tmp_path / 'copy'
    shutil.copytree(FIXTURES / 'pi0_tiny', copy)
    (copy / 'norm_stats.json').unlink()
    with pytest.raises(FixtureError, match='has statistics of 0 data sets, expected one'):
        verify(copy)


def test_an_array_may_be_of_any_size_where_none_is_said(tmp_path):
    arrays = {'image': np.zeros((3, 4, 3)), 'kept': np.array([0, 2])}
    assert needed(tmp_path, arrays, 'image', (None, None, 3)).shape == (3, 4, 3)
    assert rows_of(tmp_path, arrays, 'kept', 3).tolist() == [0, 2]
    with pytest.raises(FixtureError, match=r'rows 0 to 2 in kept, expected 0 to 1'):
        rows_of(tmp_path, arrays, 'kept', 2)
