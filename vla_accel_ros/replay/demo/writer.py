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

"""Writing a bag: the topics of this package, without ROS, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
import os
from pathlib import Path
import shutil
import tempfile
from types import MappingProxyType

import numpy as np

from vla_accel_ros.action_space import END_EFFECTOR
from vla_accel_ros.files.outputs import check_place
from vla_accel_ros.inputs.trajectories import NS
from vla_accel_ros.sim.rotations import quaternion

TOOL = END_EFFECTOR.tool()
FRAME_ID = 'base_link'
CAMERAS = {'agent': '/image_raw', 'wrist': '/wrist/image_raw'}
ACTION, TWIST, POSE = '/vla/action', '/servo_node/delta_twist_cmds', '/ee_pose'
GRIPPER_COMMAND, INSTRUCTION, PROPRIO = '/gripper_command', '/vla/instruction', '/proprio'
KINDS = {
    ACTION: 'trajectory_msgs/msg/JointTrajectory',
    TWIST: 'geometry_msgs/msg/TwistStamped',
    POSE: 'geometry_msgs/msg/PoseStamped',
    GRIPPER_COMMAND: 'std_msgs/msg/Float64',
    INSTRUCTION: 'std_msgs/msg/String',
    PROPRIO: 'sensor_msgs/msg/JointState',
}
JPEG_QUALITY = 90
METADATA_VERSION = 8


def check_new(path: Path) -> None:
    """Refuse the name of a bag that something has already, or a place where none can be made.

    Raises:
        FileExistsError: When there is something of that name.
        OutputError: When its folder cannot be written.
    """
    if os.path.lexists(path):
        raise FileExistsError(f'{path} is there already, choose another name')
    check_place(path, '--out')


class BagWriter:
    """Writes a rosbag2 in mcap; it appears under its name only once it is whole.

    Args:
        path: Of the folder that becomes the bag.
        step_s: Policy step, seconds.
        compressed: JPEG pictures instead of raw ones.
        about: What else to keep in the metadata, as text.
        cameras: Topic of each camera.

    Raises:
        FileExistsError: When there is something of that name.
    """

    def __init__(
        self,
        path: Path,
        step_s: float,
        compressed: bool = False,
        about: dict[str, str] | None = None,
        cameras: Mapping[str, str] = MappingProxyType(CAMERAS),
    ) -> None:
        from rosbags.rosbag2 import StoragePlugin, Writer
        from rosbags.typesys import Stores, get_typestore

        check_new(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._step_s, self._compressed = path, step_s, compressed
        self._cameras = cameras
        # The file inside takes the name of its folder, so the folder beside has the same name.
        self._beside = Path(tempfile.mkdtemp(prefix='.vla-accel-', dir=path.parent))
        self._store = get_typestore(Stores.ROS2_JAZZY)
        try:
            self._writer = Writer(
                self._beside / path.name,
                version=METADATA_VERSION,
                storage_plugin=StoragePlugin.MCAP,
            )
            for key, value in (about or {}).items():
                self._writer.set_custom_data(key, value)
            self._writer.open()
        except BaseException:
            # Such as a name that has no room for an ending.
            shutil.rmtree(self._beside, ignore_errors=True)
            raise
        self._connections: dict[str, object] = {}
        self._gripper: float | None = None

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is not None:
            with suppress(OSError):
                self._writer.abort()
            shutil.rmtree(self._beside, ignore_errors=True)
            return
        whole = self._beside / self._path.name
        try:
            self._writer.close()
        except BaseException:
            shutil.rmtree(self._beside, ignore_errors=True)
            raise
        if os.path.lexists(self._path):
            raise FileExistsError(
                f'{self._path} has come meanwhile: what was recorded is in {whole}'
            )
        os.rename(whole, self._path)
        self._beside.rmdir()

    def instruction(self, stamp_ns: int, text: str) -> None:
        """Write an instruction; the gripper's first command of an episode comes after it."""
        self._gripper = None
        self._write(INSTRUCTION, KINDS[INSTRUCTION], stamp_ns, {'data': text})

    def image(self, stamp_ns: int, camera: str, pixels: np.ndarray) -> None:
        """Write a view, uint8 [h, w, 3] RGB."""
        topic, header = self._cameras[camera], self._header(stamp_ns, camera)
        if self._compressed:
            import cv2

            flags = (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY)
            data = cv2.imencode('.jpg', cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), flags)[1]
            self._write(
                f'{topic}/compressed',
                'sensor_msgs/msg/CompressedImage',
                stamp_ns,
                {'header': header, 'format': 'jpeg', 'data': data.reshape(-1)},
            )
            return
        height, width = pixels.shape[:2]
        self._write(
            topic,
            'sensor_msgs/msg/Image',
            stamp_ns,
            {
                'header': header,
                'height': height,
                'width': width,
                'encoding': 'rgb8',
                'is_bigendian': 0,
                'step': 3 * width,
                'data': np.ascontiguousarray(pixels).reshape(-1),
            },
        )

    def action(
        self, stamp_ns: int, values: np.ndarray, columns: Sequence[str] = END_EFFECTOR.names
    ) -> None:
        """Write an action, float64 [width], and what its columns are called."""
        values = np.asarray(values, dtype=np.float64)
        none = np.empty(0)
        point = self._make(
            'trajectory_msgs/msg/JointTrajectoryPoint',
            {
                'positions': values,
                'velocities': none,
                'accelerations': none,
                'effort': none,
                'time_from_start': self._time(round(self._step_s * NS), 'Duration'),
            },
        )
        header = self._header(stamp_ns, FRAME_ID)
        self._write(
            ACTION,
            KINDS[ACTION],
            stamp_ns,
            {'header': header, 'joint_names': list(columns), 'points': [point]},
        )

    def command(self, stamp_ns: int, values: np.ndarray) -> None:
        """Write what a tool's action, float64 [7], commands: a twist, the gripper on change."""
        header = self._header(stamp_ns, FRAME_ID)
        speed = np.asarray(values, dtype=np.float64) / self._step_s
        twist = self._make(
            'geometry_msgs/msg/Twist',
            {
                'linear': self._vector(speed[TOOL.translation]),
                'angular': self._vector(speed[TOOL.rotation]),
            },
        )
        self._write(TWIST, KINDS[TWIST], stamp_ns, {'header': header, 'twist': twist})
        gripper = float(values[TOOL.gripper] > 0.5)
        if gripper != self._gripper:
            self._gripper = gripper
            self._write(GRIPPER_COMMAND, KINDS[GRIPPER_COMMAND], stamp_ns, {'data': gripper})

    def pose(self, stamp_ns: int, position: np.ndarray, rotation: np.ndarray) -> None:
        """Write the tool's pose: position [3] in m and rotation [3, 3]."""
        x, y, z, w = quaternion(rotation)
        pose = self._make(
            'geometry_msgs/msg/Pose',
            {
                'position': self._make('geometry_msgs/msg/Point', self._xyz(position)),
                'orientation': self._make(
                    'geometry_msgs/msg/Quaternion', {'x': x, 'y': y, 'z': z, 'w': w}
                ),
            },
        )
        self._write(
            POSE, KINDS[POSE], stamp_ns, {'header': self._header(stamp_ns, FRAME_ID), 'pose': pose}
        )

    def proprio(self, stamp_ns: int, names: Sequence[str], values: np.ndarray) -> None:
        """Write proprioception, float64 [n], in whatever units it is."""
        none = np.empty(0)
        self._write(
            PROPRIO,
            KINDS[PROPRIO],
            stamp_ns,
            {
                'header': self._header(stamp_ns, ''),
                'name': list(names),
                'position': np.asarray(values, dtype=np.float64),
                'velocity': none,
                'effort': none,
            },
        )

    # -- inside ----------------------------------------------------------------------------------

    def _write(self, topic: str, kind: str, stamp_ns: int, fields: dict) -> None:
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(
                topic, kind, typestore=self._store
            )
        data = self._store.serialize_cdr(self._make(kind, fields), kind)
        self._writer.write(self._connections[topic], stamp_ns, data)

    def _make(self, kind: str, fields: dict):
        return self._store.types[kind](**fields)

    def _header(self, stamp_ns: int, frame_id: str):
        return self._make(
            'std_msgs/msg/Header', {'stamp': self._time(stamp_ns, 'Time'), 'frame_id': frame_id}
        )

    def _time(self, ns: int, kind: str):
        sec, nanosec = divmod(ns, NS)
        return self._make(f'builtin_interfaces/msg/{kind}', {'sec': sec, 'nanosec': nanosec})

    def _vector(self, values: np.ndarray):
        return self._make('geometry_msgs/msg/Vector3', self._xyz(values))

    def _xyz(self, values: np.ndarray) -> dict[str, float]:
        return dict(zip('xyz', map(float, values), strict=True))
