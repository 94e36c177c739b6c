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

"""One frame with everything that it can teach."""

from __future__ import annotations

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.inputs.views import fit_view
from vla_accel_ros.sim.env import TabletopEnv
from vla_accel_ros.sim.expert import Expert
from vla_accel_ros.sim.rotations import wrap
from vla_accel_ros.sim.scene import BIN_FLOOR
from vla_accel_ros.sim.state import State
from vla_accel_ros.sim.tasks import Task, parse

BIN, TOOL = 'bin', 'tool'
SEEN_PIXELS = 5
# How far outside a picture, in its sides, the middle of the bin or tool may be while a part of it
# may be inside.
MARGIN = 0.5
_CHANNEL = {'red': 0, 'green': 1, 'blue': 2}


def colour_mask(image: np.ndarray, colour: str) -> np.ndarray:
    """Return where an image [H, W, 3] shows a cube's colour, bool [H, W].

    The scene's other things are all greyish, so a cube is where its channel stands out.
    """
    channel = _CHANNEL[colour]
    mine = image[..., channel].astype(np.int16)
    others = np.maximum(image[..., channel - 1], image[..., channel - 2]).astype(np.int16)
    return (mine > 60) & (mine > others * 1.6)


def locate(env: TabletopEnv, views: list[np.ndarray], colour: str, centre: np.ndarray):
    """Say where a cube is in each view.

    The projected centre counts where the cube's colour can be seen and the centre is inside the
    picture; where only a part sticks in, the middle of that part; a cube whose colour shows
    nowhere is not seen; a few pixels only are neither.

    Returns:
        Places float32 [cameras, 2] as shares of the side, seen int8 [cameras].
    """
    places = np.zeros((len(views), 2), dtype=np.float32)
    seen = np.zeros(len(views), dtype=np.int8)
    for index, (name, view) in enumerate(zip(env.cameras, views, strict=True)):
        rows, columns = np.nonzero(colour_mask(view, colour))
        if len(rows) == 0:
            continue
        side = view.shape[0]
        column, row, depth = env.project(centre, name, side)
        inside = depth > 0 and 0 <= column < side and 0 <= row < side
        if not inside:
            column, row = columns.mean() + 0.5, rows.mean() + 0.5
        places[index] = column / side, row / side
        seen[index] = 1 if len(rows) >= SEEN_PIXELS else -1
    return places, seen


def locate_grey(env: TabletopEnv, centre: np.ndarray):
    """Say where the bin's floor or the tool is in each view, by projection alone: no colour.

    Where the middle is outside the picture but a part may be inside, it is not to be told.

    Returns:
        Places float32 [cameras, 2] as shares of the side, seen int8 [cameras].
    """
    places = np.zeros((len(env.cameras), 2), dtype=np.float32)
    seen = np.zeros(len(env.cameras), dtype=np.int8)
    for index, name in enumerate(env.cameras):
        column, row, depth = env.project(centre, name, env.image_size)
        place = np.array([column, row]) / env.image_size
        outside = np.maximum(-place, place - 1.0).max()
        if depth > 0 and outside < MARGIN:
            seen[index] = 1 if outside < 0 else -1
            places[index] = np.clip(place, 0.0, 1.0)
    return places, seen


def where(state: State, name: str) -> np.ndarray:
    """Return the middle of a cube, of the bin's floor or of the tool, float64 [3] in m."""
    if name == TOOL:
        return state.ee_position
    if name == BIN:
        return state.bin_position + [0.0, 0.0, BIN_FLOOR]
    return state.cubes[name]


def turn(state: State, name: str) -> float:
    """Return a cube's yaw against the tool's, rad; other things' counts as none."""
    return 0.0 if name in (BIN, TOOL) else wrap(state.yaw(name) - state.ee_yaw, np.pi / 2)


def render(env: TabletopEnv, size: int, rendered: int) -> list[np.ndarray]:
    """Return one view a camera, uint8 [size, size, 3], rendered at another size and fitted.

    A robot's camera has a size of its own; what resizing does to edges should be nothing new.
    """
    return [fit_view(env.render_camera(name, rendered), size) for name in env.cameras]


def ahead(env: TabletopEnv, expert: Expert, tasks: tuple[Task, ...], horizon: int) -> np.ndarray:
    """Return the expert's next actions for each task, float64 [tasks, horizon, 7].

    The expert is let act from this instant on, without a picture. Tasks go together for as
    long as their actions are the same, as they are before a cube is grasped; the environment
    is left as it was.
    """
    result = np.zeros((len(tasks), horizon, END_EFFECTOR.width))
    start = env.save_state()

    def follow(group: list[int], step: int) -> None:
        state = env.state()
        parts: dict[bytes, list[int]] = {}
        for index in group:
            result[index, step] = expert.action(state, tasks[index])
            parts.setdefault(result[index, step].tobytes(), []).append(index)
        if step + 1 == horizon:
            return
        here = env.save_state() if len(parts) > 1 else None
        for number, part in enumerate(parts.values()):
            if number:
                env.restore_state(here)
            env.advance(result[part[0], step])
            follow(part, step + 1)

    follow(list(range(len(tasks))), 0)
    if horizon > 1:
        env.restore_state(start)
    return result


def label(
    env: TabletopEnv,
    expert: Expert,
    instructions: tuple[str, ...],
    objects: tuple[str, ...],
    rendered: int | None = None,
    horizon: int = 1,
) -> dict[str, np.ndarray]:
    """Render the environment's instant and label it for every instruction.

    Args:
        env: In the instant; its image size is the frame's.
        expert: Labels the actions.
        instructions: To be labelled for.
        objects: Cube colours, `BIN` and `TOOL`.
        rendered: Size to render at before fitting; None for the frame's own.
        horizon: Actions that a label looks ahead.

    Returns:
        Values of one frame, as `frames.layout` names them, without `kind` and `asked`.
    """
    state = env.state()
    views = render(env, env.image_size, rendered or env.image_size)
    located = [
        locate_grey(env, where(state, name))
        if name in (BIN, TOOL)
        else locate(env, views, name, where(state, name))
        for name in objects
    ]
    return {
        'views': np.stack(views),
        'proprio': env.proprio(),
        'actions': ahead(env, expert, tuple(map(parse, instructions)), horizon),
        'vectors': np.stack([where(state, name) - state.ee_position for name in objects]),
        'turns': np.array([turn(state, name) for name in objects]),
        'width': np.float32(state.width),
        'places': np.stack([places for places, _ in located], axis=1),
        'seen': np.stack([seen for _, seen in located], axis=1),
    }
