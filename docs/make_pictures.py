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

"""Make the pictures of the documentation that are no results.

`python docs/make_pictures.py` draws the graph. With the picture that `vla-accel demo` leaves, for
instance `python docs/make_pictures.py out/demo/last_episode.png`, it makes `demo.png` as well.
"""

from itertools import pairwise
from pathlib import Path
import sys

from matplotlib import rcParams
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from PIL import Image

FOLDER = Path(__file__).resolve().parent
WIDTH, HEIGHT = 880, 440
INK, QUIET = '#1f2933', '#52606d'
# Every step, only the steps that ask the VLA, and what is not of this package.
FAST, SLOW, OUTSIDE = '#1d6fa5', '#b4571a', '#616e7c'
FILL = {FAST: '#e6f1f8', SLOW: '#fbeee3', OUTSIDE: '#f1f3f5'}


class Drawing:
    """A figure in pixels of the page, y downward."""

    def __init__(self, width: int, height: int) -> None:
        self.figure = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor='white')
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, width), ylim=(height, 0))
        self.axes.axis('off')

    def text(self, x, y, words, size=12.0, colour=INK, **options) -> None:
        """Write words around a point."""
        options = {'ha': 'center', 'va': 'center', 'linespacing': 1.25} | options
        self.axes.text(x, y, words, size=size, color=colour, **options)

    def box(self, x, y, width, height, name, lines, colour) -> None:
        """Draw a box with its name and what it does."""
        style = 'round,pad=0,rounding_size=7'
        self.axes.add_patch(
            FancyBboxPatch(
                (x, y), width, height, boxstyle=style, fc=FILL[colour], ec=colour, lw=1.8
            )
        )
        middle = x + width / 2
        self.text(middle, y + 19, name, 14, weight='bold')
        self.text(middle, y + 31, lines, 11.5, QUIET, va='top')

    def arrow(self, points, colour, dashed=False) -> None:
        """Draw an arrow along points, the corners right angles."""
        for start, end in pairwise(points):
            last = end == points[-1]
            self.axes.add_patch(
                FancyArrowPatch(
                    start,
                    end,
                    arrowstyle='-|>,head_width=4,head_length=7' if last else '-',
                    shrinkA=0,
                    shrinkB=0,
                    mutation_scale=1,
                    lw=1.8,
                    color=colour,
                    ls=(0, (4, 3)) if dashed else '-',
                )
            )

    def save(self, path: Path) -> None:
        """Write the drawing; the same drawing gives the same file."""
        rcParams['svg.hashsalt'] = path.stem
        self.figure.savefig(path, metadata={'Date': None} if path.suffix == '.svg' else None)


def graph(path: Path) -> None:
    """Draw the nodes and what flows between them."""
    drawing = Drawing(WIDTH, HEIGHT)
    top, tall = 128, 96
    middle = top + 40
    drawing.box(10, top, 92, tall, 'drivers', 'of one\ncamera\nor more', OUTSIDE)
    drawing.box(180, top, 118, tall, 'camera', 'pairs by stamp,\nchecks, fits to\nthe model', FAST)
    drawing.box(
        388, top, 128, tall, 'scheduler', 'decides each step:\nqueue, predictor,\nor VLA', FAST
    )
    drawing.box(
        606, top, 128, tall, 'arm_command', 'limits, watchdog,\ngripper; streams\ntwists', FAST
    )
    drawing.box(794, top, 78, tall, 'robot', 'MoveIt\nServo, or\nsim_arm', OUTSIDE)
    drawing.box(
        388, 300, 128, tall, 'inference', 'runs the VLA:\nprunes tokens,\ndecodes, reads', SLOW
    )
    drawing.box(606, 14, 128, 62, 'operator', 'lets the arm move', OUTSIDE)
    drawing.box(388, 14, 128, 62, 'anyone', 'says what to do', OUTSIDE)

    for left, right, label in (
        (102, 180, 'images'),
        (298, 388, 'vla/frame'),
        (516, 606, 'vla/action'),
        (734, 794, 'twists'),
    ):
        drawing.arrow([(left, middle), (right, middle)], FAST)
        drawing.text((left + right) / 2 - 3, middle - 12, label, 12, FAST)
    drawing.text(764, middle + 16, 'gripper', 12, FAST)

    drawing.arrow([(452, 76), (452, top)], OUTSIDE)
    drawing.text(460, 102, 'vla/instruction', 12, OUTSIDE, ha='left')
    drawing.arrow([(670, 76), (670, top)], OUTSIDE)
    drawing.text(678, 102, 'enable, stop', 12, OUTSIDE, ha='left')

    drawing.arrow([(418, top + tall), (418, 300)], SLOW)
    drawing.text(410, 262, 'vla/observation\nvla/request', 12, SLOW, ha='right')
    drawing.arrow([(486, 300), (486, top + tall)], SLOW)
    drawing.text(494, 262, 'vla/action_chunk', 12, SLOW, ha='left')

    drawing.arrow([(833, top + tall), (833, 348), (516, 348)], OUTSIDE, dashed=True)
    drawing.text(678, 336, 'proprio: joint states, for checkpoints that want them', 11, OUTSIDE)
    drawing.arrow([(833, 262), (670, 262), (670, top + tall)], OUTSIDE, dashed=True)
    drawing.text(750, 250, 'ee_pose: the tool', 11, OUTSIDE)

    drawing.arrow([(14, 420), (50, 420)], FAST)
    drawing.text(58, 420, 'every policy step, image to twist in 2 to 3 ms', 12, INK, ha='left')
    drawing.arrow([(366, 420), (402, 420)], SLOW)
    drawing.text(410, 420, 'only steps that ask the VLA', 12, INK, ha='left')
    drawing.arrow([(626, 420), (662, 420)], OUTSIDE, dashed=True)
    drawing.text(670, 420, 'state of the robot', 12, INK, ha='left')
    drawing.text(
        14,
        326,
        'Each box in colour is a lifecycle node\nand a process of its own. Every node\n'
        'reports once a second on /diagnostics.',
        12,
        QUIET,
        ha='left',
        va='top',
    )
    drawing.save(path)


def demo(source: Path, path: Path) -> None:
    """Scale the contact sheet of a demo to twice the width of a page, in 256 colours."""
    sheet = Image.open(source)
    width = 2 * WIDTH
    sheet = sheet.resize((width, round(width * sheet.height / sheet.width)), Image.LANCZOS)
    sheet.quantize(256).save(path, optimize=True)


if __name__ == '__main__':
    graph(FOLDER / 'graph.svg')
    for name in sys.argv[1:]:
        demo(Path(name), FOLDER / 'demo.png')
