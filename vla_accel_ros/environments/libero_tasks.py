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

"""What LIBERO knows of a suite: its tasks in order, their words and their initial states."""

from __future__ import annotations

from collections.abc import Container, Iterator
import os
from pathlib import Path
import re
from typing import NamedTuple

import numpy as np

from vla_accel_ros.environments import libero_protocol as protocol
from vla_accel_ros.environments.libero_import import import_libero
from vla_accel_ros.environments.optional import quiet

_WORDS = re.compile(r'\(:language\s+(.*?)\)', re.DOTALL)
# LIBERO-PRO has the things moved by 0.1 to 0.5 in folders of their own, and one name for all.
_SHIFTED = re.compile(r'(?P<name>libero_.+_temp)_[xy]\d\.\d')
_UNSAFE_LOAD = 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'


class LiberoTask(NamedTuple):
    """One task of a suite.

    Attributes:
        suite: Full name of the suite.
        index: Its number in LIBERO's order.
        language: What the policy is told.
        problem: File that describes scene and goal.
    """

    suite: str
    index: int
    language: str
    problem: Path


def tasks_of(suite: str) -> list[LiberoTask]:
    """Return a suite's tasks, in LIBERO's order.

    Words are those of the task's name, as in the original evaluation. A variant whose file says
    something else than the file of the standard suite means just that, and its words are used.

    Raises:
        ValueError: When LIBERO is missing, or has no such suite, or not its files.
    """
    benchmark = _suite(suite)
    root = Path(import_libero('').get_libero_path('bddl_files'))
    found = []
    for index in range(benchmark.n_tasks):
        task = benchmark.get_task(index)
        problem = root / task.problem_folder / task.bddl_file
        if not problem.is_file():
            raise ValueError(
                f"{suite} is a name without files in this LIBERO: '{problem}' is missing"
            )
        language = task.language
        usual = root / (protocol.standard(suite) or suite) / task.bddl_file
        if usual.is_file() and _said(usual) != _said(problem):
            language = _said(problem).lower()
        found.append(LiberoTask(suite, index, language, problem))
    return found


class Meaning(NamedTuple):
    """What a task is about, by LIBERO's names.

    Attributes:
        objects: Things that lie in its scene.
        thing: The one that is to be moved first.
        goal: The one that it is brought to; None where that is a part of the room.
    """

    objects: tuple[str, ...]
    thing: str
    goal: str | None


def meaning_of(task: LiberoTask) -> Meaning:
    """Read what a task is about out of its problem file.

    Raises:
        ValueError: When LIBERO is missing, or the task is not done by moving a thing.
    """
    with quiet():
        parsed = import_libero('.envs.bddl_utils').robosuite_parse_problem(str(task.problem))
    objects = tuple(name for names in parsed['objects'].values() for name in names)
    first = parsed['goal_state'][0]
    if len(first) != 3 or first[1] not in objects:
        raise ValueError(f"'{task.language}' is not done by moving a thing: {' '.join(first)}")
    place = first[2]
    if place not in objects:
        place = parsed['regions'].get(place, {}).get('target')
    return Meaning(objects, first[1], place if place in objects else None)


def initial_states(task: LiberoTask) -> np.ndarray:
    """Return a task's initial states, float64 [states, numbers], by LIBERO's own reader.

    Raises:
        ValueError: When LIBERO has none for it; names the folder.
    """
    benchmark = _suite(task.suite)
    before = os.environ.get(_UNSAFE_LOAD)
    # Old distributions have pickled arrays, as trustworthy as LIBERO's code, with which they came.
    os.environ[_UNSAFE_LOAD] = '1'
    try:
        with quiet():
            return np.asarray(benchmark.get_task_init_states(task.index))
    except FileNotFoundError as error:
        folder = Path(import_libero('').get_libero_path('init_states'), task.suite)
        raise ValueError(
            f"initial states of '{task.problem.stem}' ({task.suite}) are missing in {folder}"
        ) from error
    finally:
        if before is None:
            del os.environ[_UNSAFE_LOAD]
        else:
            os.environ[_UNSAFE_LOAD] = before


def _suite(name: str):
    with quiet():
        known = import_libero('.benchmark').get_benchmark_dict()
        if name in known:
            return known[name]()
        base = protocol.standard(name)
        there = {*known, *_shifted_of(known)}
        if name not in there:
            alike = sorted(n for n in there if base and n.startswith(f'{base}_'))
            raise ValueError(
                f"LIBERO has no suite '{name}'; variants of {base} here: "
                f'{", ".join(alike) or "none"}'
            )
        benchmark = known[_SHIFTED.fullmatch(name)['name']]()
    benchmark.tasks = [task._replace(problem_folder=name) for task in benchmark.tasks]
    return benchmark


def _shifted_of(known: Container[str]) -> Iterator[str]:
    """List the folders of tasks whose things are moved, for names that LIBERO knows."""
    for folder in Path(import_libero('').get_libero_path('bddl_files')).iterdir():
        match = _SHIFTED.fullmatch(folder.name)
        if match and match['name'] in known:
            yield folder.name


def _said(problem: Path) -> str:
    match = _WORDS.search(problem.read_text(encoding='utf-8'))
    return ' '.join(match.group(1).split()) if match else ''
