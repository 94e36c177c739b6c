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

"""Real bags, written by rosbags in each form that recorders leave."""

from dataclasses import dataclass
from pathlib import Path
import shutil
import sqlite3

import numpy as np
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
import yaml

from vla_accel_ros.action_space import END_EFFECTOR

STORE = get_typestore(Stores.ROS2_JAZZY)
NS = 1_000_000_000
START = 1_700_000_000 * NS
STEP = NS // 20
IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
TRAJECTORY, TWIST = 'trajectory_msgs/msg/JointTrajectory', 'geometry_msgs/msg/TwistStamped'
POSE, STRING = 'geometry_msgs/msg/PoseStamped', 'std_msgs/msg/String'
ARRAY = 'std_msgs/msg/Float64MultiArray'
FLOAT, JOINTS = 'std_msgs/msg/Float64', 'sensor_msgs/msg/JointState'
PLUGINS = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}
SUFFIX = {'mcap': '.mcap', 'sqlite3': '.db3'}


@dataclass
class Line:
    """A message to record."""

    topic: str
    kind: str
    stamp_ns: int
    message: object
    log_ns: int = 0


def make(kind, **fields):
    return STORE.types[kind](**fields)


def time(ns, kind='Time'):
    return make(f'builtin_interfaces/msg/{kind}', sec=ns // NS, nanosec=ns % NS)


def header(ns, frame=''):
    return make('std_msgs/msg/Header', stamp=time(ns), frame_id=frame)


def xyz(values, kind='Vector3'):
    x, y, z = map(float, values)
    return make(f'geometry_msgs/msg/{kind}', x=x, y=y, z=z)


def image(topic, ns, pixels, encoding='rgb8', padding=0):
    rows = pixels.reshape(len(pixels), -1)
    rows = np.pad(rows, ((0, 0), (0, padding)))
    return Line(
        topic,
        IMAGE,
        ns,
        make(
            IMAGE,
            header=header(ns),
            height=pixels.shape[0],
            width=pixels.shape[1],
            encoding=encoding,
            is_bigendian=0,
            step=rows.shape[1],
            data=rows.reshape(-1),
        ),
    )


def compressed(topic, ns, pixels, suffix='.png'):
    import cv2

    data = cv2.imencode(suffix, pixels[..., ::-1])[1].reshape(-1)
    return Line(
        topic, COMPRESSED, ns, make(COMPRESSED, header=header(ns), format=suffix[1:], data=data)
    )


def trajectory(topic, ns, values, step_s=0.05, names=END_EFFECTOR.names):
    none = np.empty(0)
    point = make(
        'trajectory_msgs/msg/JointTrajectoryPoint',
        positions=np.array(values, dtype=float),
        velocities=none,
        accelerations=none,
        effort=none,
        time_from_start=time(round(step_s * NS), 'Duration'),
    )
    return Line(
        topic,
        TRAJECTORY,
        ns,
        make(TRAJECTORY, header=header(ns), joint_names=list(names), points=[point]),
    )


def twist(topic, ns, values):
    return Line(
        topic,
        TWIST,
        ns,
        make(
            TWIST,
            header=header(ns),
            twist=make('geometry_msgs/msg/Twist', linear=xyz(values[:3]), angular=xyz(values[3:])),
        ),
    )


def pose(topic, ns, position, quaternion=(0, 0, 0, 1)):
    x, y, z, w = map(float, quaternion)
    return Line(
        topic,
        POSE,
        ns,
        make(
            POSE,
            header=header(ns),
            pose=make(
                'geometry_msgs/msg/Pose',
                position=xyz(position, 'Point'),
                orientation=make('geometry_msgs/msg/Quaternion', x=x, y=y, z=z, w=w),
            ),
        ),
    )


def string(topic, ns, text):
    return Line(topic, STRING, ns, make(STRING, data=text))


def number(topic, ns, value):
    return Line(topic, FLOAT, ns, make(FLOAT, data=float(value)))


def array(topic, ns, values):
    none = make('std_msgs/msg/MultiArrayLayout', dim=[], data_offset=0)
    return Line(topic, ARRAY, ns, make(ARRAY, layout=none, data=np.array(values, dtype=float)))


def joints(topic, ns, **positions):
    none = np.empty(0)
    return Line(
        topic,
        JOINTS,
        ns,
        make(
            JOINTS,
            header=header(ns),
            name=list(positions),
            position=np.array(list(positions.values())),
            velocity=none,
            effort=none,
        ),
    )


def write(path: Path, lines, storage='mcap', mode='none', version=8) -> Path:
    """Write a bag and return its folder; recorded when stamped unless a line says otherwise."""
    writer = Writer(path, version=version, storage_plugin=PLUGINS[storage])
    writer.set_compression(CompressionMode[mode.upper()], CompressionFormat.ZSTD)
    with writer:
        connections = {}
        for line in lines:
            if line.topic not in connections:
                connections[line.topic] = writer.add_connection(
                    line.topic, line.kind, typestore=STORE
                )
            data = STORE.serialize_cdr(line.message, line.kind)
            writer.write(connections[line.topic], line.log_ns or line.stamp_ns, data)
    return path


def metadata(bag: Path) -> dict:
    return yaml.safe_load((bag / 'metadata.yaml').read_text())


def save_metadata(bag: Path, facts: dict) -> None:
    (bag / 'metadata.yaml').write_text(yaml.safe_dump(facts))


def storage_file(bag: Path) -> Path:
    return next(file for file in bag.iterdir() if file.name != 'metadata.yaml')


def as_humble(bag: Path) -> Path:
    """Change a bag to what Humble writes: metadata version 5, the older SQLite schema."""
    facts = metadata(bag)
    info = facts['rosbag2_bagfile_information']
    info['version'] = 5
    for name in ('custom_data', 'ros_distro'):
        info.pop(name)
    for topic in info['topics_with_message_count']:
        topic['topic_metadata'].pop('type_description_hash')
        # Types are also written so.
        topic['topic_metadata']['type'] = topic['topic_metadata']['type'].replace('/msg/', '/')
    save_metadata(bag, facts)
    file = storage_file(bag)
    if file.suffix == '.db3':
        base = sqlite3.connect(file)
        base.executescript(
            'DROP TABLE schema; DROP TABLE metadata; DROP TABLE message_definitions;'
            'ALTER TABLE topics DROP COLUMN type_description_hash;'
        )
        base.close()
    return bag


def split(path: Path, parts) -> Path:
    """Join bags to one of several files, as a recorder with a size limit leaves it."""
    path.mkdir()
    whole = metadata(parts[0])
    info = whole['rosbag2_bagfile_information']
    counts = {}
    info['relative_file_paths'] = []
    for number, part in enumerate(parts):
        file = storage_file(part)
        name = f'{path.name}_{number}{"".join(file.suffixes)}'
        shutil.copy(file, path / name)
        info['relative_file_paths'].append(name)
        for topic in metadata(part)['rosbag2_bagfile_information']['topics_with_message_count']:
            name = topic['topic_metadata']['name']
            counts[name] = counts.get(name, 0) + topic['message_count']
    for topic in info['topics_with_message_count']:
        topic['message_count'] = counts[topic['topic_metadata']['name']]
    info['message_count'] = sum(counts.values())
    save_metadata(path, whole)
    return path


def picture(seed, size=32):
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)


def recording(frames=8, size=32, text='pick up the red cube', start=START, first=0):
    """Return the lines of one episode: two cameras, actions, instruction."""
    lines = [string('/vla/instruction', start - 1_000_000, text)]
    for k in range(frames):
        ns = start + k * STEP
        lines += [
            image('/image_raw', ns, picture(first + 2 * k, size)),
            image('/wrist/image_raw', ns, picture(first + 2 * k + 1, size)),
            trajectory('/vla/action', ns, action(k)),
        ]
    return lines


def action(k):
    return [0.001 * k, 0.0, -0.002, 0.0, 0.0, 0.01, float(k > 4)]


def write_mcap(file: Path, lines, profile='ros2', encoding='cdr', more=None, **options) -> Path:
    """Write a bare MCAP file by Foxglove's writer, lines as they come, a channel a topic and type.

    `more` is called with the writer before the messages; `options` are those of `mcap.Writer`.
    """
    from mcap.writer import Writer as McapWriter

    with open(file, 'wb') as stream:
        writer, channels = McapWriter(stream, **options), {}
        writer.start(profile=profile)
        if more:
            more(writer)
        for line in lines:
            pair = line.topic, line.kind
            if pair not in channels:
                schema = writer.register_schema(line.kind, 'ros2msg', b'')
                channels[pair] = writer.register_channel(line.topic, encoding, schema)
            writer.add_message(
                channels[pair],
                line.log_ns or line.stamp_ns,
                bytes(STORE.serialize_cdr(line.message, line.kind)),
                line.stamp_ns,
            )
        writer.finish()
    return file


def heard(bag) -> list:
    """Return topic, type, time and bytes of all messages of a bag."""
    return [(r.topic, r.kind, r.log_ns, bytes(r.data)) for r in bag.messages(set(bag.topics))]


def said(lines) -> list:
    """Return the same of lines, by their times."""
    ordered = sorted(lines, key=lambda line: line.log_ns or line.stamp_ns)
    return [
        (x.topic, x.kind, x.log_ns or x.stamp_ns, bytes(STORE.serialize_cdr(x.message, x.kind)))
        for x in ordered
    ]
