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

"""From camera frames to one observation: which frames belong together, and how they are fitted.

Frames of several cameras belong together when their capture stamps differ by no more than a
tolerance. Each view is fitted to the model's input size and the views are stacked top to bottom,
in the checkpoint's order; `observations.split_views` takes them apart again.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import NamedTuple

import numpy as np

NS = 1_000_000_000
# How OpenVLA checkpoints name the ways of making a picture square (`image_resize_strategy`).
RESIZES = ('resize-naive', 'letterbox', 'resize-crop')
FILTERS = ('bicubic', 'area')
# The pad of `letterbox`: int(mean * 255) of SigLIP's normalisation, as OpenVLA pads.
PAD = 127


class FrameSet(NamedTuple):
    """Frames that belong together, one a camera.

    Attributes:
        stamp_ns: The oldest of their capture stamps, nanoseconds.
        frames: Whatever was added, in the cameras' order.
    """

    stamp_ns: int
    frames: tuple


class FramePairer:
    """Puts together the frames of several cameras, newest first.

    Each frame is used at most once, sets come in the order of their stamps, and a frame that
    was passed over is dropped and counted.

    Args:
        cameras: How many cameras there are.
        tolerance_ns: Largest difference of the stamps within a set, nanoseconds.
        depth: Frames a camera that wait for their partners.
        restart_ns: A stamp further back than this is a clock that began anew.

    Raises:
        ValueError: When there is no camera or the tolerance is negative.

    Attributes:
        counts: `unpaired` frames that were passed over, `out_of_order` ones refused.
    """

    def __init__(
        self, cameras: int, tolerance_ns: int, depth: int = 8, restart_ns: int = NS
    ) -> None:
        if cameras < 1 or tolerance_ns < 0:
            raise ValueError(
                f'{cameras} cameras within {tolerance_ns} ns, expected at least 1 and 0 ns')
        self.tolerance_ns = tolerance_ns
        self.counts: Counter[str] = Counter()
        self._restart_ns = restart_ns
        self._waiting = [deque(maxlen=depth) for _ in range(cameras)]
        self._newest: list[int | None] = [None] * cameras

    def reset(self) -> None:
        """Forget every frame and stamp."""
        for waiting in self._waiting:
            waiting.clear()
        self._newest = [None] * len(self._newest)

    def add(self, camera: int, stamp_ns: int, frame: object) -> FrameSet | None:
        """Add a frame and return the set that it completes, if any.

        Args:
            camera: Its index.
            stamp_ns: Its capture stamp, nanoseconds.
            frame: Anything; handed back in the set.
        """
        newest = self._newest[camera]
        if newest is not None and stamp_ns < newest - self._restart_ns:
            self.reset()
        elif newest is not None and stamp_ns <= newest:
            self.counts['out_of_order'] += 1
            return None
        self._newest[camera] = stamp_ns
        waiting = self._waiting[camera]
        if len(waiting) == waiting.maxlen:
            self.counts['unpaired'] += 1
        waiting.append((stamp_ns, frame))
        chosen = [
            min(frames, key=lambda f: abs(f[0] - stamp_ns), default=None)
            for frames in self._waiting]
        if None in chosen:
            return None
        stamps = [stamp for stamp, _ in chosen]
        if max(stamps) - min(stamps) > self.tolerance_ns:
            return None
        for frames, (stamp, _) in zip(self._waiting, chosen, strict=True):
            while frames and frames[0][0] <= stamp:
                self.counts['unpaired'] += frames.popleft()[0] < stamp
        return FrameSet(min(stamps), tuple(frame for _, frame in chosen))


def age_fault(stamp_ns: int, now_ns: int, max_age_ns: int, max_future_ns: int) -> str:
    """Tell what is wrong with a capture stamp, empty when nothing is.

    Args:
        stamp_ns: The stamp, nanoseconds.
        now_ns: The present on the same clock.
        max_age_ns: Older frames are `stale_frame`.
        max_future_ns: Frames further ahead are `future_frame`.

    Returns:
        `unstamped_frame`, `stale_frame`, `future_frame` or ''.
    """
    if stamp_ns <= 0:
        return 'unstamped_frame'
    if now_ns - stamp_ns > max_age_ns:
        return 'stale_frame'
    return 'future_frame' if stamp_ns - now_ns > max_future_ns else ''


def fit_view(
    image: np.ndarray,
    size: int,
    resize: str = 'resize-naive',
    filter_name: str = 'bicubic',
    centre_crop: float = 1.0,
) -> np.ndarray:
    """Fit one view to the model's input size; a view that has it already is not touched.

    Args:
        image: uint8 [h, w, 3] RGB.
        size: Side of the result, pixels; 0 leaves the size as it is.
        resize: `resize-naive` ignores the aspect, `letterbox` pads to a square, `resize-crop`
            takes the central square; the names of OpenVLA's configurations.
        filter_name: `bicubic`, antialiased as PIL's, which OpenVLA was trained with, or
            `area`, a third of the time.
        centre_crop: Share of the area that is kept, 1 keeps all.

    Returns:
        uint8 [size, size, 3].

    Raises:
        ValueError: For an unknown strategy or filter, or a crop outside (0, 1].
    """
    if resize not in RESIZES or filter_name not in FILTERS or not 0 < centre_crop <= 1:
        raise ValueError(
            f'resize {resize!r}, filter {filter_name!r}, centre crop {centre_crop}: expected one '
            f'of {RESIZES}, one of {FILTERS}, and an area in (0, 1]')
    if centre_crop < 1:
        side = centre_crop ** 0.5
        image = _centre(image, round(image.shape[0] * side), round(image.shape[1] * side))
    height, width = image.shape[:2]
    if size == 0 or height == width == size:
        return image
    if resize == 'resize-crop':
        image = _centre(image, min(height, width), min(height, width))
    elif resize == 'letterbox' and height != width:
        side = max(height, width)
        square = np.full((side, side, 3), PAD, np.uint8)
        top, left = (side - height) // 2, (side - width) // 2
        square[top:top + height, left:left + width] = image
        image = square
    return _resample(image, size, filter_name)


def stack_views(views: list[np.ndarray]) -> np.ndarray:
    """Stack views top to bottom.

    Args:
        views: uint8 [h, w, 3] each, all of one size.

    Returns:
        uint8 [n * h, w, 3]; a single view is handed back as it is.

    Raises:
        ValueError: When the views differ in size.
    """
    if any(view.shape != views[0].shape for view in views):
        raise ValueError(f'views are {[list(view.shape) for view in views]}, expected one size')
    return views[0] if len(views) == 1 else np.concatenate(views)


def _centre(image: np.ndarray, height: int, width: int) -> np.ndarray:
    height, width = max(height, 1), max(width, 1)
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top:top + height, left:left + width]


def _resample(image: np.ndarray, size: int, filter_name: str) -> np.ndarray:
    if filter_name == 'area':
        import cv2

        return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    from PIL import Image

    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC))
