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

"""A policy server of openpi's protocol as a process; what it does wrong the instruction says.

It frames its messages with `openpi-client`'s own code, not with ours. Run as a module it serves;
imported it starts itself.
"""

import argparse
from itertools import count
import signal
import socket
import subprocess
import sys
import traceback

STARTED = 'listening'


def actions_of(observation, rows, width):
    """Answer so that pictures and state show in the numbers."""
    import numpy as np

    images = [value for value in observation.values() if getattr(value, 'ndim', 0) == 3]
    light = sum(float(image.mean()) for image in images) / 255.0 / max(len(images), 1)
    state = observation.get('observation/state')
    chunk = np.zeros((rows, width))
    chunk[:, 0] = 0.01 * light
    chunk[:, 1] = 0.001 * np.arange(rows)
    chunk[:, 2] = 0.0 if state is None else float(np.sum(state))
    chunk[:, -1] = 1.0
    return chunk


def read_libero(observation):
    """Read as openpi's `LiberoInputs` does."""
    views = [observation['observation/image'], observation['observation/wrist_image']]
    assert observation['observation/state'].shape == (8,)
    return views, observation['observation/state']


def read_droid(observation):
    """Read as openpi's `DroidInputs` does."""
    import numpy as np

    joints, gripper = (
        observation[f'observation/{part}_position'] for part in ('joint', 'gripper')
    )
    assert (joints.shape, gripper.shape) == ((7,), (1,))
    names = ('observation/exterior_image_1_left', 'observation/wrist_image_left')
    return [observation[name] for name in names], np.concatenate([joints, gripper])


def read_aloha(observation):
    """Read as openpi's `AlohaInputs` does."""
    assert set(observation) == {'images', 'state', 'prompt'}
    pictures = observation['images']
    assert set(pictures) <= {'cam_high', 'cam_low', 'cam_left_wrist', 'cam_right_wrist'}
    assert all(picture.shape[0] == 3 for picture in pictures.values())
    names = ('cam_high', 'cam_left_wrist', 'cam_right_wrist', 'cam_low')
    views = [pictures[name].transpose(1, 2, 0) for name in names if name in pictures]
    assert observation['state'].shape == (14,)
    return views, observation['state']


ROBOTS = {'libero': read_libero, 'droid': read_droid, 'aloha': read_aloha}


def told(robot, observation, width):
    """Answer with the state, and with the first line of each picture."""
    import numpy as np

    views, state = ROBOTS[robot](observation)
    assert all(view.dtype == np.uint8 and view.shape[2] == 3 for view in views)
    chunk = np.zeros((2, width))
    chunk[0] = state[:width]
    chunk[1, : len(views)] = [view[0].mean() / 1000 for view in views]
    return chunk


def serve(port, metadata, width, robot=''):
    import numpy as np
    from openpi_client import msgpack_numpy
    from websockets.sync.server import serve as listen

    asked = count()

    def client(connection):
        connection.send(msgpack_numpy.packb(metadata))
        for message in connection:
            observation = msgpack_numpy.unpackb(message)
            words = observation['prompt'].split()
            if robot:
                try:
                    answer = {'actions': told(robot, observation, width)}
                    connection.send(msgpack_numpy.packb(answer))
                except (AssertionError, KeyError):
                    connection.send(traceback.format_exc())
                continue
            chunk = actions_of(observation, 4, width)
            turn = next(asked)
            if 'swing' in words:
                # An arm that is driven by it goes to and fro.
                chunk[:, :6] = 0.0
                chunk[:, 1] = 0.004 * np.sin(turn / 3)
            if 'nan' in words:
                chunk[1, 2] = np.nan
            if 'wide' in words:
                chunk = np.concatenate([chunk, chunk], axis=1)
            if 'opened' in words:
                chunk[:, -1] = -1.0
            if 'silent' in words:
                # Until the client has had enough.
                connection.recv()
            if 'die' in words:
                signal.raise_signal(signal.SIGKILL)
            if 'text' in words:
                connection.send('Traceback (most recent call last):\nKeyError: observation/image')
            elif 'garbage' in words:
                connection.send(b'\xc1\xc1\xc1')
            elif 'nameless' in words:
                connection.send(msgpack_numpy.packb({'action': chunk}))
            else:
                timing = {'infer_ms': 1.5}
                connection.send(msgpack_numpy.packb({'actions': chunk, 'server_timing': timing}))

    with listen(client, '127.0.0.1', port, compression=None, max_size=None) as server:
        print(STARTED, server.socket.getsockname()[1], flush=True)
        server.serve_forever()


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class ServerProcess:
    """The server as a process of its own, which can be killed and started again."""

    program, scheme = __file__, 'ws'

    def __init__(self, port=0, start=True, width=7, robot=''):
        self.port, self._process = port or free_port(), None
        self._more = [f'--width={width}', *([f'--robot={robot}'] if robot else [])]
        if start:
            self.start()

    @property
    def url(self):
        return f'{self.scheme}://127.0.0.1:{self.port}'

    def start(self):
        self._process = subprocess.Popen(
            [sys.executable, self.program, f'--port={self.port}', *self._more],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout.readline().startswith(STARTED)

    def freeze(self):
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
            self._process = None


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--port', type=int, default=0)
    parser.add_argument('--width', type=int, default=7)
    parser.add_argument('--robot', default='')
    args = parser.parse_args()
    serve(args.port, {'robot': 'a test'}, args.width, args.robot)
