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

"""Whether the cameras of a robot are those that a checkpoint was trained with."""

from __future__ import annotations

from collections.abc import Iterator

from vla_accel_ros.deploy.finding import Finding, error, ok, warning
from vla_accel_ros.deploy.robot import CameraFacts, Facts

# Frames that come this much more slowly than the policy's steps make the arm stop and go.
SLOW = 1.25
# No sensor gives the same picture so often: it has noise.
FROZEN = 20


def camera_count(facts: Facts) -> Iterator[Finding]:
    """Compare the number of views."""
    wants, camera = facts.wants, facts.camera
    if wants is None or camera is None:
        return
    there, topics = len(camera.views), ', '.join(view.topic for view in camera.views)
    text = f'the checkpoint wants {wants.views.count} views, image_topics has {there} ({topics})'
    if there == wants.views.count:
        yield ok('camera_count', text)
    else:
        yield error('camera_count', text, "set image_topics to the checkpoint's views, in order")


def camera_order(facts: Facts) -> Iterator[Finding]:
    """Compare the order of the views, where their names are in the topics."""
    wants, camera = facts.wants, facts.camera
    if wants is None or camera is None or not wants.views.names:
        return
    names, topics = wants.views.names, [view.topic for view in camera.views]
    if len(names) != len(topics):
        return
    # The place of each view's name among the topics; what only one of them has says enough.
    found = []
    for name in names:
        having = [place for place, topic in enumerate(topics) if name in topic.split('/')]
        having = having or [place for place, topic in enumerate(topics) if name in topic]
        found.append(having[0] if len(having) == 1 else None)
    text = f'the checkpoint wants {", ".join(names)}, image_topics is {", ".join(topics)}'
    wrong = any(place is not None and place != wanted for wanted, place in enumerate(found))
    if wrong:
        yield error('camera_order', text, "put image_topics in the checkpoint's order")
    elif None in found:
        yield ok('camera_order', f'{text}: look yourself whether the order is the same')
    else:
        yield ok('camera_order', text)


def camera_size(facts: Facts) -> Iterator[Finding]:
    """Compare the size that views are brought to."""
    wants, camera = facts.wants, facts.camera
    if wants is None or camera is None:
        return
    size = wants.views.size
    text = f'the checkpoint wants {size}x{size} px'
    if camera.image_size == size:
        yield ok('camera_size', f'{text}, as image_size says')
    elif camera.image_size:
        yield error(
            'camera_size',
            f'{text}, image_size is {camera.image_size}',
            f'set image_size to {size}',
        )
    else:
        other = [v for v in camera.views if v.width and (v.width, v.height) != (size, size)]
        if other:
            told = ', '.join(f'{v.topic} sends {v.width}x{v.height}' for v in other)
            yield error(
                'camera_size', f'{text}, {told} and image_size is 0', f'set image_size to {size}'
            )


def camera_resize(facts: Facts) -> Iterator[Finding]:
    """Compare how a view becomes square."""
    wants, camera = facts.wants, facts.camera
    if wants is None or wants.elsewhere or camera is None:
        return
    text = f'the checkpoint was trained with {wants.views.resize}, resize is {camera.resize}'
    square = camera.views and all(v.width and v.width == v.height for v in camera.views)
    if camera.resize == wants.views.resize or square:
        yield ok('camera_resize', text)
    else:
        yield error('camera_resize', text, f'set resize of camera to {wants.views.resize}')


def centre_crop(facts: Facts) -> Iterator[Finding]:
    """Look that a picture is not cropped twice."""
    wants, camera = facts.wants, facts.camera
    if wants is None or wants.elsewhere or camera is None:
        return
    own, share = wants.views.centre_crop, camera.centre_crop
    said = 'has no crop' if own is None else f'crops to {own:g} of the area itself'
    text = f'the checkpoint {said}, centre_crop of camera is {share:g}'
    if share == 1:
        yield ok('centre_crop', text)
    elif own is not None:
        yield error(
            'centre_crop', text, 'set centre_crop of camera to 1: it would be cropped twice'
        )
    else:
        yield warning(
            'centre_crop', text, 'right only if the training pictures were cropped in the same way'
        )


def camera_encoding(facts: Facts) -> Iterator[Finding]:
    """Look whether the images can be read."""
    views = facts.camera.views if facts.camera else ()
    refused = [view for view in views if view.refused]
    if refused:
        told = '; '.join(
            f'{v.topic} ({v.encoding or "no encoding"}): {v.refused}' for v in refused
        )
        yield error('camera_encoding', told, 'have the driver send colour images, rgb8 or bgr8')
    elif any(view.encoding for view in views):
        yield ok(
            'camera_encoding',
            ', '.join(
                f'{v.topic} sends {v.encoding} of {v.width}x{v.height}'
                for v in views
                if v.encoding
            ),
        )


def camera_missing(facts: Facts) -> Iterator[Finding]:
    """Name the cameras that send nothing."""
    views = facts.camera.views if facts.camera else ()
    silent = [view.topic for view in views if not view.encoding and not view.refused]
    if silent:
        yield error(
            'camera_missing',
            f'nothing came on {", ".join(silent)}',
            'start the driver, or set image_topics to the topics that it has',
        )
    elif views:
        yield ok('camera_missing', f'images come on {", ".join(view.topic for view in views)}')


def camera_stamp(facts: Facts) -> Iterator[Finding]:
    """Look at the age of the frames, by their stamps."""
    camera = facts.camera
    if camera is None:
        return
    wrong, ages = [], []
    for view in camera.views:
        age = view.stream.age_s
        if view.stream.unstamped:
            wrong.append(f'{view.topic} sends no stamps')
        elif age is None:
            continue
        elif age > camera.max_age:
            wrong.append(f'{view.topic} is {age:.3g} s old, max_age is {camera.max_age:g} s')
        elif -age > camera.max_future:
            wrong.append(f'{view.topic} is stamped {-age:.3g} s ahead')
        else:
            ages.append(f'{view.topic} {age * 1e3:.0f} ms')
    if wrong:
        yield error(
            'camera_stamp',
            ', '.join(wrong),
            'have the driver stamp the capture, and set the clocks of all machines (chrony, PTP)',
        )
    elif ages:
        yield ok('camera_stamp', f'age of the frames: {", ".join(ages)}')


def camera_skew(facts: Facts) -> Iterator[Finding]:
    """Compare how far the views' stamps lie apart with what is taken for one observation."""
    camera = facts.camera
    if camera is None or camera.skew_s is None or len(camera.views) < 2:
        return
    text = (
        f'the views are {camera.skew_s * 1e3:.0f} ms apart, pair_tolerance is '
        f'{camera.pair_tolerance * 1e3:.0f} ms'
    )
    if camera.skew_s > camera.pair_tolerance:
        yield error('camera_skew', text, 'trigger the cameras together, or raise pair_tolerance')
    else:
        yield ok('camera_skew', text)


def camera_rate(facts: Facts) -> Iterator[Finding]:
    """Compare the rate of the frames with that of the policy."""
    camera, scheduler = facts.camera, facts.scheduler
    rates = _rates(camera)
    if scheduler is None or not rates:
        return
    wanted = 1 / scheduler.policy_step
    slow = {topic: rate for topic, rate in rates.items() if rate * SLOW < wanted}
    text = ', '.join(f'{topic} {rate:.3g} Hz' for topic, rate in rates.items())
    text = f'policy_step wants {wanted:.3g} Hz, frames come at: {text}'
    if slow:
        yield warning(
            'camera_rate', text, f'set the driver of {", ".join(slow)} to {wanted:.3g} Hz or more'
        )
    else:
        yield ok('camera_rate', text)


def camera_frozen(facts: Facts) -> Iterator[Finding]:
    """Name the cameras whose picture does not change, though its stamp does."""
    views = facts.camera.views if facts.camera else ()
    frozen = [view for view in views if view.same >= FROZEN]
    if frozen:
        yield warning(
            'camera_frozen',
            ', '.join(f'{v.topic} sent the same picture {v.same + 1} times' for v in frozen),
            'look whether the driver repeats an old one; right only in a simulation at rest',
        )
    elif any(view.encoding for view in views):
        yield ok('camera_frozen', 'the pictures change')


def _rates(camera: CameraFacts | None) -> dict[str, float]:
    views = camera.views if camera else ()
    return {v.topic: v.stream.rate_hz for v in views if v.stream.rate_hz is not None}
