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

"""A LeRobot dataset as a bag, so that everything that reads bags reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
import re
import tempfile

from vla_accel_ros.inputs.trajectories import NS
from vla_accel_ros.replay.demo.writer import BagWriter
from vla_accel_ros.replay.lerobot import layout
from vla_accel_ros.replay.lerobot.reader import Dataset

# A dataset does not say when it was recorded; the same one always becomes the same bag.
BEGIN_NS, GAP_NS, LEAD_NS = 1_767_225_600 * NS, 2 * NS, NS // 1000


def topic_of(camera: str) -> str:
    """Return the topic of a camera: `/wrist/image_raw` of `observation.images.wrist`."""
    name = camera.removeprefix(layout.IMAGES).removeprefix('observation.')
    return f'/{re.sub("[^A-Za-z0-9_]", "_", name)}/image_raw'


@contextmanager
def as_bag(folder: Path, say: Callable[[str], None]) -> Iterator[Path]:
    """Give the bag, which is there meanwhile and has the dataset's name.

    Actions go along under the names of their columns; those without names are left out, for
    nobody can tell what they mean.

    Args:
        folder: The dataset.
        say: Told what was left out.

    Raises:
        DatasetError: When the dataset will not do.
    """
    dataset = Dataset(folder)
    info = dataset.info
    columns = info.names(layout.ACTION) if layout.ACTION in info.features else ()
    if not columns:
        why = 'have no names' if layout.ACTION in info.features else 'are not there'
        say(f'{folder}: the columns of the action {why}: the recorded actions are left out')
    names: tuple[str, ...] = ()
    if layout.STATE in info.features:
        width = info.width(layout.STATE)
        names = info.names(layout.STATE) or tuple(f'state_{k}' for k in range(width))
    with tempfile.TemporaryDirectory(prefix='vla-accel-') as place:
        bag = Path(place) / folder.resolve().name
        cameras = {camera: topic_of(camera) for camera in info.cameras}
        with BagWriter(bag, 1 / info.fps, cameras=cameras) as writer:
            begin_ns = stamp_ns = BEGIN_NS
            task = None
            for frame in dataset.frames():
                if frame.number == 0:
                    begin_ns, task = stamp_ns + GAP_NS, None
                stamp_ns = begin_ns + round(frame.number / info.fps * NS)
                if frame.task != task:
                    task = frame.task
                    writer.instruction(stamp_ns - LEAD_NS, task)
                if frame.state is not None:
                    writer.proprio(stamp_ns, names, frame.state)
                for camera, pixels in frame.images.items():
                    writer.image(stamp_ns, camera, pixels)
                if columns and frame.action is not None:
                    writer.action(stamp_ns, frame.action, columns)
        yield bag
