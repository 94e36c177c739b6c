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

"""A policy server of LeRobot's protocol as a process; what it does wrong the task says.

Its messages are made by Protocol Buffers, its pickles by `pickle` and torch, as LeRobot does it;
of LeRobot itself only the classes that travel are here. Run as a module it serves; imported it
starts itself.
"""

import argparse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
import os
import pickle
from queue import Queue
import signal
import sys
from threading import Event
from types import ModuleType

from policy_server import STARTED, ServerProcess

MODULE = 'lerobot.async_inference.helpers'
SERVICE = 'transport.AsyncInference'
# Of the test's own: lets a policy that loads slowly be loaded.
RELEASE = f'/{SERVICE}/Release'
SLOW, KINDS = 'slow', ('act', 'smolvla')
MOST_BYTES = 4 * 2**20


@dataclass
class TimedAction:
    timestamp: float
    timestep: int
    action: object


@dataclass
class TimedObservation:
    timestamp: float
    timestep: int
    observation: dict
    must_go: bool = False


@dataclass
class RemotePolicyConfig:
    policy_type: str
    pretrained_name_or_path: str
    lerobot_features: dict
    actions_per_chunk: int
    device: str = 'cpu'
    rename_map: dict = field(default_factory=dict)


class Command:
    """Pickled, it runs a command where it is read."""

    def __init__(self, words):
        self._words = words

    def __reduce__(self):
        return os.system, (self._words,)


def install():
    """Have the classes where LeRobot has them."""
    for name in ('lerobot', 'lerobot.async_inference', MODULE):
        sys.modules.setdefault(name, ModuleType(name))
    for each in (TimedAction, TimedObservation, RemotePolicyConfig):
        each.__module__ = MODULE
        setattr(sys.modules[MODULE], each.__name__, each)


def messages():
    """Make the classes of the messages."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name='t.proto', package='transport', syntax='proto3')
    number, data = 5, 12
    for name, parts in {
        'Observation': (('transfer_state', number), ('data', data)),
        'Actions': (('data', data),),
        'PolicySetup': (('data', data),),
    }.items():
        message = file.message_type.add(name=name)
        for place, (part, kind) in enumerate(parts, 1):
            message.field.add(name=part, number=place, type=kind, label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    names = ('Observation', 'Actions', 'PolicySetup')
    found = (pool.FindMessageTypeByName(f'transport.{name}') for name in names)
    return [message_factory.GetMessageClass(each) for each in found]


def timed(chunk, observation):
    """Give a chunk's rows as views of one storage, with their times."""
    first, when = observation.timestep, observation.timestamp
    return [TimedAction(when + i / 30, first + i, row) for i, row in enumerate(chunk)]


class Service:
    """Answers as LeRobot's server does."""

    def __init__(self, width):
        self.observation, self.actions, self.setup = messages()
        self.width, self.queue, self.config = width, Queue(1), None
        self.released, self.loaded, self.before = Event(), 0, None

    def ready(self, _request, _context):
        self.queue = Queue(1)
        return b''

    def load(self, request, _context):
        config = pickle.loads(self.setup.FromString(request).data)
        if not isinstance(config, RemotePolicyConfig):
            raise TypeError(f'no setup: {config}')
        if config.policy_type not in KINDS:
            raise ValueError(f'Policy type {config.policy_type} not supported')
        if config.pretrained_name_or_path == SLOW:
            self.released.wait()
            self.released.clear()
        self.config = config
        self.loaded += 1
        return b''

    def observe(self, requests, _context):
        data, states = b'', []
        for request in requests:
            assert len(request) < MOST_BYTES
            message = self.observation.FromString(request)
            states.append(message.transfer_state)
            data += message.data
        assert states == [3] or states == [1, *[2] * (len(states) - 2), 3], states
        self.queue.put(pickle.loads(data))
        return b''

    def act(self, _request, context):
        import torch

        seen = self.queue.get(timeout=2.0)
        if self.config is None or not seen.must_go:
            return b''
        rows = self.chunk(seen.observation)
        words = seen.observation['task'].split()
        if 'silent' in words:
            over = Event()
            context.add_callback(over.set)
            over.wait()
        if 'die' in words:
            signal.raise_signal(signal.SIGKILL)
        if 'text' in words:
            raise KeyError('observation.images.front')
        if 'nothing' in words:
            return b''
        if 'nan' in words:
            rows[1, 2] = torch.nan
        if 'wide' in words:
            rows = torch.cat([rows, rows], dim=1)
        if 'flat' in words:
            rows = rows[:, None]
        answer = timed(rows, seen)
        if 'ragged' in words:
            answer[1].action = answer[1].action[:-1].clone()
        if 'hostile' in words:
            answer[0].action = Command(words[-1])
        data = b'\x80\x04garbage' if 'garbage' in words else pickle.dumps(answer)
        if 'huge' in words:
            data += bytes(17 * 2**20)
        before, self.before = self.before, data
        if 'again' in words and before:
            # The answer to the last question, and only then this one's.
            self.queue.put(seen)
            seen.observation['task'] = 'lift'
            data = before
        return self.actions(data=data).SerializeToString()

    def chunk(self, observation):
        """Answer so that pictures and state show in the numbers."""
        import numpy as np
        import torch

        told = self.config.lerobot_features
        names = told['observation.state']['names']
        cameras = [key.split('.')[-1] for key in told if '.images.' in key]
        shapes = [told[f'observation.images.{name}']['shape'] for name in cameras]
        images = [observation[name] for name in cameras]
        assert [image.shape for image in images] == shapes and images[0].dtype == np.uint8
        rows = torch.zeros(min(4, self.config.actions_per_chunk), self.width)
        rows[:, 0] = 0.01 * float(np.mean(images)) / 255.0
        rows[:, 1] = self.loaded * 0.001
        rows[:, 2] = sum(observation[name] for name in names)
        rows[:, -1] = 1.0
        return rows

    def release(self, _request, _context):
        self.released.set()
        return b''


def serve(port, width):
    import grpc
    import torch  # noqa: F401

    install()
    service = Service(width)
    single, stream = grpc.unary_unary_rpc_method_handler, grpc.stream_unary_rpc_method_handler
    methods = {
        'Ready': single(service.ready),
        'SendPolicyInstructions': single(service.load),
        'SendObservations': stream(service.observe),
        'GetActions': single(service.act),
        'Release': single(service.release),
    }
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
    bound = server.add_insecure_port(f'127.0.0.1:{port}')
    server.start()
    print(STARTED, bound, flush=True)
    server.wait_for_termination()


class LeRobotProcess(ServerProcess):
    """The server as a process of its own, which can be killed and started again."""

    program, scheme = __file__, 'grpc'

    def release(self):
        """Let a policy that loads slowly be loaded."""
        import grpc

        with grpc.insecure_channel(f'127.0.0.1:{self.port}') as channel:
            channel.unary_unary(RELEASE)(b'', timeout=10)


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--port', type=int, default=0)
    parser.add_argument('--width', type=int, default=7)
    args = parser.parse_args()
    serve(args.port, args.width)
