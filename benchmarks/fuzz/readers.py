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

"""Everything that reads a file of others: sound files to begin with, and what may be raised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
import json
from pathlib import Path
import shutil

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / 'vla_accel_ros/checkpoints/tabletop-s'
# Small checkpoints in the form that each family's authors publish, and their files.
PUBLISHED = {
    'openvla_tiny': ('config.json', 'preprocessor_config.json'),
    'cogact_tiny': ('config.json', 'dataset_statistics.json'),
    'pi0_tiny': ('config.json', 'norm_stats.json'),
    'smolvla_tiny': ('config.json', 'stats.json'),
}

# A robot of every kind of joint, and its columns.
ROBOT = """<?xml version="1.0"?>
<robot name="two_fingers">
  <link name="base"/>
  <joint name="waist" type="continuous"><limit effort="80" velocity="2.0"/></joint>
  <joint name="elbow" type="revolute"><limit lower="-2.8" upper="2.8" velocity="2"/></joint>
  <joint name="lift" type="prismatic"><limit lower="0" upper="0.4" velocity="0.1"/></joint>
  <joint name="flange" type="fixed"/>
</robot>
"""
SPACE = {
    'name': 'two_fingers',
    'groups': [
        {'kind': 'joint_position', 'names': ['waist', 'elbow'], 'arm': 'left', 'unit': 'rad'},
        {'kind': 'joint_displacement', 'names': ['lift'], 'arm': 'left', 'unit': 'm'},
        {'kind': 'gripper', 'names': ['fingers'], 'arm': 'left'},
    ],
}


@dataclass(frozen=True)
class Reader:
    """One kind of file.

    Attributes:
        name: Its name.
        file: Name of the file in the folder that `make` fills.
        make: Fills a folder with sound files.
        read: Reads the folder.
        allowed: What it may raise, and nothing else.
    """

    name: str
    file: str
    make: Callable[[Path], object]
    read: Callable[[Path], object]
    allowed: type[Exception] | tuple[type[Exception], ...]


def copied(source: Path, name: str) -> Callable[[Path], object]:
    """Return what copies one file of a folder; the others beside it are links."""

    def make(folder: Path) -> None:
        for file in source.iterdir():
            if file.name == name:
                shutil.copy(file, folder / name)
            else:
                (folder / file.name).symlink_to(file)

    return make


def timed_actions(rows) -> bytes:
    """Pickle rows as LeRobot's server does, whose class is not here."""
    from vla_accel_ros.remote.lerobot_wire import pickled

    each = (
        pickled('TimedAction', {'timestamp': i / 30, 'timestep': i, 'action': row})[2:-1]
        for i, row in enumerate(rows)
    )
    return b'\x80\x03](' + b''.join(each) + b'e.'


def readers() -> tuple[Reader, ...]:
    """Return all kinds of files."""
    from vla_accel_ros.files.parameter_text import ParameterFileError, read_file
    from vla_accel_ros.files.parameter_yaml import parse
    from vla_accel_ros.inputs.space_file import read_space
    from vla_accel_ros.inputs.urdf import read_limits
    from vla_accel_ros.models.checkpoints.config_file import read_config
    from vla_accel_ros.models.checkpoints.json_file import CheckpointError
    from vla_accel_ros.models.checkpoints.pickled import read_pickled
    from vla_accel_ros.models.checkpoints.safetensors_header import read_header
    from vla_accel_ros.models.tokenizer import load_prompt_encoder
    from vla_accel_ros.models.tokenizer_file import TokenizerError
    from vla_accel_ros.remote.lerobot_wire import read_actions
    from vla_accel_ros.remote.wire import WireError

    def prompt(folder: Path) -> Callable[[Path], object]:
        config = read_config(folder)
        return lambda changed: load_prompt_encoder(changed, config)('pick up the red cube')

    def pickle(folder: Path) -> None:
        import torch

        torch.save({'step': 3, 'w': torch.ones(2, 3)}, folder / 'a.pt')

    def answer(folder: Path) -> None:
        import torch

        (folder / 'a.answer').write_bytes(timed_actions(torch.ones(2, 3)))

    def weights(folder: Path) -> None:
        import numpy as np
        from safetensors.numpy import save_file

        save_file({'a': np.ones((2, 3), np.float32), 'b': np.ones(4)}, folder / 'a.safetensors')

    def parameters(folder: Path) -> None:
        shutil.copy(ROOT / 'config/arm.yaml', folder / 'a.yaml')

    def robot(folder: Path) -> None:
        (folder / 'a.urdf').write_text(ROBOT)

    def read_robot(folder: Path) -> None:
        found = read_limits((folder / 'a.urdf').read_text(errors='replace'))
        for limit in found.values():
            if isinstance(limit, ValueError):
                raise limit

    def space(folder: Path) -> None:
        (folder / 'a.json').write_text(json.dumps(SPACE))

    def read_parameters(folder: Path) -> None:
        parse(read_file(folder / 'a.yaml', 'a.yaml'), 'a.yaml')

    folders = {
        SHIPPED: ('config.json', 'dataset_statistics.json', 'preprocessor_config.json'),
        **{ROOT / f'test/fixtures/{name}': names for name, names in PUBLISHED.items()},
    }
    return (
        *(
            Reader(
                f'{file} of {folder.name}',
                file,
                copied(folder, file),
                read_config,
                CheckpointError,
            )
            for folder, names in folders.items()
            for file in names
        ),
        *(
            Reader(
                f'{file} of {folder.name}',
                file,
                copied(folder, file),
                prompt(folder),
                TokenizerError,
            )
            for folder, file in (
                (SHIPPED, 'tokenizer.json'),
                (ROOT / 'test/fixtures/cogact_tiny', 'tokenizer.model'),
            )
        ),
        Reader(
            'safetensors header',
            'a.safetensors',
            weights,
            lambda folder: read_header(folder / 'a.safetensors'),
            CheckpointError,
        ),
        Reader(
            'pickled file',
            'a.pt',
            pickle,
            lambda folder: read_pickled(folder / 'a.pt', 'tensors'),
            CheckpointError,
        ),
        Reader(
            "answer of LeRobot's server",
            'a.answer',
            answer,
            lambda folder: read_actions((folder / 'a.answer').read_bytes(), 0, 0.0),
            WireError,
        ),
        *_answers(),
        Reader('parameter file', 'a.yaml', parameters, read_parameters, ParameterFileError),
        Reader("robot's description", 'a.urdf', robot, read_robot, ValueError),
        Reader(
            'action space',
            'a.json',
            space,
            lambda folder: read_space(str(folder / 'a.json')),
            ValueError,
        ),
        *_bags(),
    )


def _answers() -> tuple[Reader, ...]:
    """Return what reads the answers of openpi's and OpenVLA's servers, up to the actions."""
    import numpy as np

    from vla_accel_ros.models.prediction import NotFiniteError
    from vla_accel_ros.remote import json_wire, wire
    from vla_accel_ros.remote.convention import Convention, declared
    from vla_accel_ros.remote.errors import RemoteError
    from vla_accel_ros.remote.metadata import OWN, agree
    from vla_accel_ros.remote.settings import RemoteSettings

    settings = RemoteSettings(remote='ws://here:1')
    ours = Convention(metres=1.0, radians=1.0, gripper='closed_is_one')
    rows = [[0.01, 0.0, 0.0, 0.0, 0.0, 0.1, 1.0]] * 2
    told = {OWN: {'actions': declared(), 'images': ['observation/image'], 'extras': ['a']}}
    timing = {'infer_ms': np.float32(1.5)}

    def read_metadata(data: bytes) -> None:
        found = wire.unpack(data)
        if isinstance(found, dict):
            agree(settings, 0, found).convention.read(rows)

    def read_actions(unpack: Callable[[bytes], object], data: bytes) -> None:
        found = unpack(data)
        if isinstance(found, dict):
            ours.read(found.get('actions'))

    texts: dict[str, object] = {'actions': rows}
    arrays = {'actions': np.array(rows, np.float32), 'server_timing': timing}
    packed, plain = partial(read_actions, wire.unpack), partial(read_actions, json_wire.loads)
    kinds = (
        ("metadata of openpi's server", wire.pack(told), read_metadata),
        ("answer of openpi's server", wire.pack(arrays), packed),
        ("answer of OpenVLA's server", json_wire.dumps(texts).encode(), plain),
        ("arrays of OpenVLA's server", json_wire.dumps(arrays).encode(), plain),
    )
    return tuple(
        Reader(
            name,
            'a.answer',
            lambda folder, data=data: (folder / 'a.answer').write_bytes(data),
            lambda folder, read=read: read((folder / 'a.answer').read_bytes()),
            (wire.WireError, RemoteError, NotFiniteError),
        )
        for name, data, read in kinds
    )


def _bags() -> tuple[Reader, ...]:
    from rosbags.rosbag2 import StoragePlugin, Writer
    from rosbags.typesys import Stores, get_typestore

    from vla_accel_ros.replay.bag.raw import BagError
    from vla_accel_ros.replay.bag.reader import Bag

    def make(plugin: StoragePlugin) -> Callable[[Path], object]:
        def write(folder: Path) -> None:
            store, kind = get_typestore(Stores.ROS2_JAZZY), 'std_msgs/msg/String'
            with Writer(folder / 'bag', version=9, storage_plugin=plugin) as writer:
                line = writer.add_connection('/vla/instruction', kind, typestore=store)
                for number in range(5):
                    message = store.types[kind](data='pick up the red cube')
                    writer.write(line, number + 1, store.serialize_cdr(message, kind))

        return write

    def read(folder: Path) -> None:
        bag = Bag(folder / 'bag')
        for raw in bag.messages(set(bag.topics)):
            assert raw.topic

    return tuple(
        Reader(name, f'bag/{file}', make(plugin), read, BagError)
        for name, file, plugin in (
            ('MCAP', 'bag.mcap', StoragePlugin.MCAP),
            ('metadata of a bag', 'metadata.yaml', StoragePlugin.MCAP),
            ('database', 'bag.db3', StoragePlugin.SQLITE3),
        )
    )
