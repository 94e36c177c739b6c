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

"""`vla-accel serve`: an accelerated policy for clients that know nothing of ROS."""

from __future__ import annotations

import argparse
import asyncio
from concurrent.futures import ThreadPoolExecutor
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from vla_accel_ros.acceleration import grammar
from vla_accel_ros.commands import serve_chunk
from vla_accel_ros.devices import device_or_auto
from vla_accel_ros.engines import wish
from vla_accel_ros.paths import DEFAULT_CHECKPOINT, checkpoint_folder
from vla_accel_ros.scheduling.config import SchedulerConfig

if TYPE_CHECKING:
    from vla_accel_ros.models.policy import Policy

VIEW, SECOND_VIEW = 'observation/image', 'observation/wrist_image'


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add(
        'checkpoint',
        nargs='?',
        default=DEFAULT_CHECKPOINT,
        help='shipped checkpoint or folder (%(default)s)',
    )
    add(
        '--host',
        default='127.0.0.1',
        help='address to listen at; 0.0.0.0 is every network that the machine is in, and whoever '
        'reaches it is served (%(default)s)',
    )
    add('--port', type=int, default=8000, help='0 takes a free one (%(default)s)')
    add(
        '--method',
        default='none',
        metavar='NAME[@KEY=VALUE,...]',
        help='how the policy prunes and decodes: a method or a preset, as `vla-accel eval '
        "--methods`; what it says of scheduling is the client's business (%(default)s)",
    )
    wish.add_arguments(parser)
    add(
        '--device',
        type=device_or_auto,
        default='auto',
        help='cpu, cuda or cuda:1; auto takes the GPU if any (%(default)s)',
    )
    add('--unnorm-key', default=None, help='data set, where the checkpoint has several')
    add('--threads', type=int, default=0, help="of torch on the CPU; 0 is torch's own choice (0)")
    add('--clients', type=int, default=8, help='most that are connected at once (%(default)s)')
    add(
        '--policy-step',
        type=float,
        default=SchedulerConfig().policy_step_s,
        metavar='SECONDS',
        help='duration of an action, for how fast the arm moves (%(default)s)',
    )
    keys = parser.add_argument_group('keys of an observation')
    keys.add_argument(
        '--image-keys',
        default='',
        metavar='A,B',
        help=f"of the views, in the checkpoint's order ({VIEW}, {SECOND_VIEW}, "
        'observation/image_2, ...)',
    )
    keys.add_argument(
        '--state-key', default='observation/state', help='of the proprioception (%(default)s)'
    )
    keys.add_argument('--prompt-key', default='prompt', help='of the instruction (%(default)s)')
    serve_chunk.configure(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM.

    Returns:
        0.

    Raises:
        ValueError: When checkpoint, method or arguments do not go together.
        OSError: When the address cannot be had.
    """
    _check(args)
    method = grammar.parse(args.method)
    folder = checkpoint_folder(args.checkpoint)
    # As in the inference node: threads that spin while they wait slow down cores that are shared.
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
    if args.chunk_service:
        # In this thread: torch keeps its thread count by thread.
        loaded = _load(args, str(folder), method)
        serve_chunk.serve(args, loaded, method, folder.name, _say)
        _say('ended')
        return 0
    from vla_accel_ros.acceleration import apply_method
    from vla_accel_ros.remote import convention
    from vla_accel_ros.remote.metadata import Declaration
    from vla_accel_ros.remote.server import PolicyServer
    from vla_accel_ros.remote.session import Keys, Session

    with ThreadPoolExecutor(1, 'model') as executor:
        # All in the thread that will infer: torch keeps its thread count by thread.
        policy: Policy = executor.submit(lambda: _load(args, str(folder), method)).result()
        keys = Keys(_view_keys(args.image_keys, policy.cameras), args.state_key, args.prompt_key)
        declared = Declaration(
            folder.name,
            keys.views,
            policy.image_size,
            keys.state if policy.config.proprio else '',
            policy.config.proprio,
            keys.prompt,
            convention.declared(policy.space, policy.config.action_dims),
        )

        def new_session() -> Session:
            own = policy.sibling()
            apply_method(method, own)
            return Session(own, keys, args.policy_step)

        def started(host: str, port: int) -> None:
            told = {
                'url': f'ws://{f"[{host}]" if ":" in host else host}:{port}',
                'checkpoint': folder.name,
                'method': method.name,
                'engine': str(policy.in_use),
                **declared.metadata(),
            }
            print(json.dumps(told) if args.json else _welcome(told, host, port, policy, keys))
            sys.stdout.flush()

        server = PolicyServer(
            new_session, _metadata(declared, method.name, policy), executor, args.clients, _say
        )
        asyncio.run(server.run(args.host, args.port, started))
    _say('ended')
    return 0


def _check(args: argparse.Namespace) -> None:
    if not 0 <= args.port < 2**16:
        raise ValueError(f'--port is {args.port}, expected 0 to 65535')
    if args.clients < 1:
        raise ValueError(f'--clients is {args.clients}, expected 1 or more')
    if not 0 <= args.threads <= 256:
        raise ValueError(f'--threads is {args.threads}, expected 0 to 256')
    if not 0.001 <= args.policy_step <= 10:
        raise ValueError(f'--policy-step is {args.policy_step}, expected 0.001 to 10 s')


def _load(args: argparse.Namespace, folder: str, method: Any) -> Policy:
    import torch

    from vla_accel_ros.acceleration import apply_method
    from vla_accel_ros.models.engine_choice import use_engine_aloud
    from vla_accel_ros.models.policy import Policy

    device = args.device
    if device == 'auto':
        device = 'cuda' if torch.cuda.is_available() else 'cpu'
    policy = Policy.load(
        folder, device=device, unnorm_key=args.unnorm_key, threads=args.threads or None
    )
    apply_method(method, policy)
    use_engine_aloud(policy, wish.wish_of(args), _say)
    policy.self_test()
    policy.warm_up()
    return policy


def _view_keys(text: str, cameras: int) -> tuple[str, ...]:
    if not text:
        others = tuple(f'observation/image_{number}' for number in range(2, cameras))
        return (VIEW, SECOND_VIEW, *others)[:cameras]
    keys = tuple(key.strip() for key in text.split(','))
    if len(keys) != cameras:
        raise ValueError(
            f'--image-keys are {", ".join(keys)}, the checkpoint wants {cameras} views'
        )
    return keys


def _metadata(declared: Any, method: str, policy: Policy) -> dict[str, Any]:
    from vla_accel_ros import __version__

    return {
        'server': f'vla-accel {__version__}',
        'checkpoint': declared.checkpoint,
        'method': method,
        'engine': str(policy.in_use),
        **declared.metadata(),
    }


def _welcome(told: dict[str, Any], host: str, port: int, policy: Policy, keys: Any) -> str:
    size = policy.image_size
    lines = [
        f'{told["checkpoint"]}, method {told["method"]}, engine {told["engine"]}: '
        f'{told["url"]} (Ctrl-C ends)',
        'a client, with `pip install openpi-client`:',
        '  import numpy as np',
        '  from openpi_client.websocket_client_policy import WebsocketClientPolicy',
        f'  policy = WebsocketClientPolicy({host!r}, {port})',
        '  answer = policy.infer({',
        *(f'      {key!r}: np.zeros(({size}, {size}, 3), np.uint8),' for key in keys.views),
    ]
    if policy.config.proprio:
        lines.append(f'      {keys.state!r}: np.zeros({policy.config.proprio}),')
    return '\n'.join(
        [
            *lines,
            f"      {keys.prompt!r}: 'pick up the red cube',",
            '  })',
            f"  answer['actions']  # [n, {policy.config.action_dims}]: {_meaning(policy)}",
        ]
    )


def _meaning(policy: Policy) -> str:
    if policy.space is None:
        return 'what the columns are the checkpoint does not say'
    return f'{" ".join(policy.space.names)} in m and rad, gripper 1 closed'


def _say(line: str) -> None:
    print(f'serve: {line}', file=sys.stderr, flush=True)
