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

"""LIBERO's suites by their standard protocol: `libero:libero_spatial`, `libero:spatial/3`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.environments import libero_protocol as protocol
from vla_accel_ros.environments.compiled_once import CompiledOnce
from vla_accel_ros.environments.interface import Outcome, View
from vla_accel_ros.environments.libero_expert import act
from vla_accel_ros.environments.libero_import import PREFIX, import_libero
from vla_accel_ros.environments.libero_scene import SceneReader
from vla_accel_ros.environments.libero_tasks import LiberoTask, initial_states, tasks_of
from vla_accel_ros.environments.mapping import OSC_POSE
from vla_accel_ros.environments.offscreen import Offscreen
from vla_accel_ros.environments.optional import quiet
from vla_accel_ros.environments.panda import proprio
from vla_accel_ros.sim.cameras import project

CAMERAS = ('agentview', 'robot0_eye_in_hand')
ALL = 'all'
SAMPLED = f'{PREFIX}-sampled'


class LiberoSuite:
    """See `interface.Environment`; the task of an episode follows from its seed.

    Args:
        kind: Which suite, and which task of it.
        max_steps: Steps after which an episode is cut off; the suite's own where None.

    Raises:
        ValueError: When LIBERO is missing.
    """

    mapping = OSC_POSE
    step_s = 1.0 / protocol.CONTROL_HZ

    def __init__(self, kind: LiberoKind, max_steps: int | None = None) -> None:
        self.name, self.cameras = kind.name, kind.cameras
        self._tasks = kind.tasks()
        self._max_steps = max_steps or protocol.horizon(kind.suite)
        self._offscreen, self._compiled = Offscreen(shadows=True), CompiledOnce()
        self._sampled = kind.sampled
        self._env, self._task, self._states = None, None, None
        self._observation: dict = {}
        self._scene: SceneReader | None = None
        self._steps = 0

    def reset(self, seed: int, instruction: str) -> None:
        """Begin an episode from one of the task's initial states, and let it settle.

        Raises:
            ValueError: When the seed's task asks for something else, or its scene needs a file
                that the installed assets lack.
        """
        task = self._tasks[seed % len(self._tasks)]
        if task.language != instruction:
            raise ValueError(
                f"with seed {seed}, {self.name} asks '{task.language}', the policy is told "
                f"'{instruction}'"
            )
        self._enter(task)
        with quiet(), self._compiled.used():
            self._env.seed(seed if self._sampled else protocol.LAYOUT_SEED)
            self._observation = self._env.reset()
            if not self._sampled:
                index = protocol.initial_state(seed, len(self._tasks), len(self._states))
                self._observation = self._env.set_init_state(self._states[index])
        for _ in range(protocol.SETTLE_STEPS):
            self._advance(protocol.SETTLE_ACTION)
        self._steps, self._scene = 0, None

    def _enter(self, task: LiberoTask) -> None:
        if task == self._task:
            return
        wrapper = import_libero('.envs.env_wrapper')
        self._states = None if self._sampled else initial_states(task)
        if self._env is not None:
            self.close()
        try:
            with quiet(), self._compiled.used():
                self._env = wrapper.ControlEnv(
                    bddl_file_name=str(task.problem),
                    has_renderer=False,
                    has_offscreen_renderer=False,
                    use_camera_obs=False,
                    control_freq=protocol.CONTROL_HZ,
                    ignore_done=True,
                )
        except FileNotFoundError as error:
            # Suites name things that no release of the assets has.
            raise ValueError(
                f"{self.name} cannot build '{task.language}': the installed assets lack "
                f'{error.filename}'
            ) from error
        self._task = task

    def observe(self) -> View:
        """Render this instant."""
        images = tuple(
            protocol.through_jpeg(protocol.turn(self._drawn(name))) for name in self.cameras
        )
        return View(images, proprio(self._observation))

    def _drawn(self, camera: str) -> np.ndarray:
        """Return a picture as the simulator's own renderer gives it: bottom row first."""
        sim = self._env.sim
        size = protocol.IMAGE_SIZE
        return self._offscreen.render(sim.model._model, sim.data._data, camera, size)[::-1]

    def step(self, action: np.ndarray) -> Outcome:
        """Let one step go by under an action, float64 [7], cut to the controller's bounds."""
        success = self._advance(action)
        self._steps += 1
        return Outcome(success or self._steps >= self._max_steps, success)

    def _advance(self, action: np.ndarray) -> bool:
        told = np.clip(self.mapping.to_environment(action), -1.0, 1.0)
        self._observation = self._env.step(told)[0]
        return bool(self._env.check_success())

    def tool_position(self) -> np.ndarray:
        """Return the tool's position [3] in m."""
        return np.array(self._observation['robot0_eef_pos'])

    def fingers_apart(self) -> float:
        """Return the distance between the fingers, m."""
        first, second = self._observation['robot0_gripper_qpos']
        return float(first - second)

    def limits(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the smallest and the largest action, float64 [7] each."""
        ones = np.ones(END_EFFECTOR.width)
        return self.mapping.limits(-ones, ones)

    def expert_action(self) -> np.ndarray:
        """Return what the scripted expert does now, float64 [7].

        Raises:
            ValueError: When the task is more than picking up and placing.
        """
        return act(self._read().read())

    def _read(self) -> SceneReader:
        if self._scene is None:
            try:
                self._scene = SceneReader(self._env.env)
            except ValueError as error:
                raise ValueError(f"{self.name} asks '{self._task.language}': {error}") from error
        return self._scene

    def positions(self, names: tuple[str, ...]) -> np.ndarray:
        """Return the middles of things, float64 [n, 3] in m, NaN where one is not there.

        Raises:
            ValueError: As `expert_action`.
        """
        found = [self._read().centre(name) for name in names]
        return np.array([np.full(3, np.nan) if one is None else one for one in found])

    def project(self, points: np.ndarray, camera: str) -> tuple[np.ndarray, np.ndarray]:
        """Say where points [n, 3], m, are in a view of `observe`.

        Returns:
            Column and row as shares of the side [n, 2], and the depth [n] in m, not positive
            behind the camera.
        """
        sim = self._env.sim
        shares, depth = project(sim.model._model, sim.data._data, camera, points)
        # Views are mirrored; see `libero_protocol.turn`.
        return [1.0, 0.0] + shares * [-1.0, 1.0], depth

    def picture(self) -> np.ndarray:
        """Return the first view, upright, uint8 [h, w, 3]."""
        return np.ascontiguousarray(self._drawn(CAMERAS[0])[::-1])

    def close(self) -> None:
        """Free the renderer and the simulation."""
        self._offscreen.close()
        if self._env is not None:
            self._env.close()
        self._env = self._task = self._scene = None


@dataclass(frozen=True)
class LiberoKind:
    """See `interface.EnvironmentKind`.

    Attributes:
        suite: One of `libero_protocol.HORIZONS`, or a variant of one.
        chosen: Numbers of its tasks that take turns; all where empty.
        cameras: Names of the views, the simulator's.
        sampled: Whether LIBERO's own sampler places things, by the seed, for demonstrations; the
            suite's fixed states are its test.
    """

    suite: str
    chosen: tuple[int, ...] = ()
    cameras: tuple[str, ...] = CAMERAS
    sampled: bool = False
    default_task = ALL

    @classmethod
    def parse(cls, name: str, sampled: bool = False) -> LiberoKind:
        """Read `libero_spatial`, `spatial`, `spatial/3` or `spatial/0,3`.

        Raises:
            ValueError: When there is no such suite, or a task is no number or named twice.
        """
        suite, slash, listed = name.partition('/')
        chosen = listed.split(',') if slash else []
        for each in chosen:
            if not each.isdecimal():
                raise ValueError(f"'{name}' names task '{each}', expected a number from 0")
        numbers = tuple(map(int, chosen))
        if len({*numbers}) < len(numbers):
            raise ValueError(f"'{name}' names a task twice")
        return cls(protocol.suite_of(suite), numbers, sampled=sampled)

    @classmethod
    def parse_sampled(cls, name: str) -> LiberoKind:
        """Read as `parse`; LIBERO's own sampler places things.

        Raises:
            ValueError: As `parse`.
        """
        return cls.parse(name, sampled=True)

    @property
    def name(self) -> str:
        """As on the command line."""
        chosen = f'/{",".join(map(str, self.chosen))}' if self.chosen else ''
        return f'{SAMPLED if self.sampled else PREFIX}:{self.suite}{chosen}'

    def tasks(self) -> list[LiberoTask]:
        """Return the tasks that take turns: all in LIBERO's order, or the chosen in theirs.

        Raises:
            ValueError: When LIBERO is missing, or there is no such task.
        """
        tasks = tasks_of(self.suite)
        for each in self.chosen:
            if each >= len(tasks):
                raise ValueError(
                    f'{self.suite} has no task {each}, expected 0 to {len(tasks) - 1}'
                )
        return [tasks[each] for each in self.chosen] if self.chosen else tasks

    def of_task(self, instruction: str) -> LiberoKind:
        """Return the kind that has the task of an instruction only.

        Raises:
            ValueError: When LIBERO is missing, or there is no such task.
        """
        found = [task.index for task in self.tasks() if task.language == instruction]
        if not found:
            raise ValueError(f"{self.name} has no task '{instruction}'")
        return replace(self, chosen=(found[0],))

    def instructions(self, task: str) -> tuple[str, ...]:
        """Return the instruction of each task, in turn.

        Raises:
            ValueError: When another one is asked for: initial states belong to tasks.
        """
        found = tuple(one.language for one in self.tasks())
        if task not in (ALL, *(found if len(found) == 1 else ())):
            asked = [str(one.index) for one in self.tasks() if one.language == task]
            hint = f'{PREFIX}:{self.suite}/{asked[0] if asked else "N"}'
            raise ValueError(
                f"--task '{task}': {self.name} asks for what its tasks are, for one of them use "
                f'--env {hint}'
            )
        return found

    def kind_of(self, instruction: str) -> str:
        """Return the instruction: a suite's tasks are told apart."""
        return instruction

    def make(self, image_size: int, max_steps: int | None) -> LiberoSuite:
        """Build it; its pictures have the protocol's size, which the policy brings to its own.

        Raises:
            ValueError: When LIBERO is missing.
        """
        return LiberoSuite(self, max_steps)
