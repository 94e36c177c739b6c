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

"""The test tree mirrors the package: what tests a module is found without a search."""

from pathlib import Path

# Of whole processes, of two hosts, and of the repository.
NO_ROOMS = ('faults', 'lint', 'network')
# About several modules of a room at once, or about files that are no modules.
EXCEPTIONS = {
    'decoding/test_decoders.py',
    'decoding/test_identical_on_fixture.py',
    'decoding/test_identical_on_random_models.py',
    'engines/programs/test_row_scores.py',
    'engines/test_capturable.py',
    'engines/test_refusing.py',
    'evaluation/test_chunks.py',
    'evaluation/test_outside_family.py',
    'evaluation/test_token_changes.py',
    'graph/test_presets.py',
    'graph/test_robots.py',
    'models/checkpoints/test_bad_values.py',
    'models/families/oft/test_policy_oft.py',
    'nodes/test_simulated_time.py',
    'pruning/test_bad_input.py',
    'pruning/test_baselines.py',
    'pruning/test_docs.py',
    'pruning/test_images.py',
    'replay/test_bad_messages.py',
    'ros/test_hostile_messages.py',
    'scheduling/test_docs.py',
    'scheduling/test_joint_space.py',
    'scheduling/test_two_arms.py',
    'test_benchmarks.py',
    'test_benchmarks_engine_bars.py',
    'test_benchmarks_soak.py',
    'test_fuzz.py',
    'test_engine_parity_benchmark.py',
    'test_gpu_benchmarks.py',
    'test_setup_scripts.py',
    'training/test_shipped.py',
}


def listed(files, root):
    for file in files:
        relative = file.relative_to(root)
        if relative.parts[0] == 'test' and file.match('test_*.py'):
            yield file.relative_to(root / 'test')


def names_a_module(test, package):
    """Say whether a test is named for a module, or a folder of them, of its room.

    More words may follow: `test_scheduler_trouble.py` tests `scheduler.py` in trouble.
    """
    room, words = package / test.parent, test.stem.removeprefix('test_').split('_')
    if not room.is_dir():
        return False
    known = {each.stem for each in room.iterdir()} | {room.name}
    return any('_'.join(words[:count]) in known for count in range(1, len(words) + 1))


def test_every_test_is_named_for_what_it_tests(files, root):
    astray = [
        str(test)
        for test in listed(files, root)
        if test.parts[0] not in NO_ROOMS
        and str(test) not in EXCEPTIONS
        and not names_a_module(test, root / 'vla_accel_ros')
    ]
    assert not astray


def test_no_exception_is_left_over(files, root):
    there = {str(test) for test in listed(files, root)}
    assert not {
        name
        for name in EXCEPTIONS
        if name in there and names_a_module(Path(name), root / 'vla_accel_ros')
    }
