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

"""What a recipe will take, said before it begins: room on the disk and time."""

from __future__ import annotations

from pathlib import Path

from vla_accel_ros.files.outputs import in_gb, needed
from vla_accel_ros.training.datasets import spec_of
from vla_accel_ros.training.frames import META, size
from vla_accel_ros.training.recipe import Recipe

# Images a second that two cores of an EPYC made, by recipe; see docs/training.md.
MEASURED = {
    'tabletop-s': 50,
    'tabletop-m': 30,
    'tabletop-m-oft': 8,
    'tabletop-flow': 45,
    'tabletop-dit': 70,
    'libero-object-s': 40,
    'libero-goal-s': 40,
}


def forecast(recipe: Recipe, out: Path) -> list[str]:
    """Return in words what a recipe takes.

    Args:
        recipe: To follow.
        out: Folder of the run; frames that are there take no more room.

    Raises:
        OutputError: When the disk has no room for it.
    """
    used = dict.fromkeys(
        [*recipe.statistics, *(name for stage in recipe.stages for name in stage.mix)]
    )
    specs = {name: spec_of(recipe, name) for name in used}
    whole = sum(map(size, specs.values()))
    missing = sum(
        size(spec) for name, spec in specs.items() if not (out / 'frames' / name / META).exists()
    )
    needed(out / 'frames', missing)
    images = sum(stage.images for stage in recipe.stages)
    count = sum(spec.count for spec in specs.values())
    lines = [
        f'{recipe.name}: {count} frames, {in_gb(whole)} in {out / "frames"}; '
        f'{images} images in {len(recipe.stages)} stages'
    ]
    rate = MEASURED.get(recipe.name)
    if rate is None:
        lines.append('how long that takes is said as soon as a rate is known')
    else:
        lines.append(
            f'about {images / rate / 3600:.1f} h at the {rate} images/s that two cores of an EPYC '
            'made, and making the frames on top; your own rate is said as soon as it is known'
        )
    return lines
