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

"""The commands of `vla-accel`: where each lives, and what is told of it in the list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Command:
    """A command of the line: where it lives and how it is told of.

    Attributes:
        module: Module with `configure` and `run`.
        summary: One line, for the list of commands.
        examples: Command lines worth copying.
        extras: The extras that it cannot do without, each with the option that asks for it;
            None for one that it always needs. Found out before the work, not at its end.
    """

    module: str
    summary: str
    examples: tuple[str, ...]
    extras: Mapping[str, str | None] = field(default_factory=dict)


COMMANDS = {
    'demo': Command(
        'vla_accel_ros.commands.demo',
        'the whole ROS 2 graph on the embedded arm, live, with a video at the end',
        ('vla-accel demo', 'vla-accel demo --episodes 1 --json'),
        extras={'sim': None},
    ),
    'status': Command(
        'vla_accel_ros.commands.status',
        'state, reasons and rates of every running node, on one page',
        ('vla-accel status', 'vla-accel status --namespace left --watch'),
    ),
    'security': Command(
        'vla_accel_ros.commands.security',
        'the SROS 2 policy of a deployment: the rights of each process',
        ('vla-accel security namespace:=left image_topics:=/cam/image_raw --out policy.xml',),
    ),
    'verify': Command(
        'vla_accel_ros.commands.verify',
        'compare a checkpoint with the numbers of the original, or an engine with eager',
        (
            'vla-accel verify --fixture test/fixtures/openvla_tiny --oft',
            'vla-accel verify --engine onnxruntime tabletop-s --frames 500 --methods all',
        ),
    ),
    'engine': Command(
        'vla_accel_ros.commands.engine',
        'engines that run a checkpoint faster: build, calibrate, list, verify, clean',
        ('vla-accel engine build tabletop-s', 'vla-accel engine list'),
    ),
    'convert': Command(
        'vla_accel_ros.commands.convert',
        'write a checkpoint of others as safetensors, in a folder that loads here',
        ('vla-accel convert CogACT-Base out/cogact --dtype bfloat16 --tokenizer tokenizer.model',),
    ),
    'eval': Command(
        'vla_accel_ros.commands.eval',
        'closed-loop success with and without acceleration, on two clocks',
        (
            'vla-accel eval --episodes 50 --methods none,sp_vla',
            "vla-accel eval --methods 'none,hold+jacobi,none@keep=0.25' --report report/",
            'vla-accel eval --clock real --latency-ms 60 --methods none,fast --json',
        ),
        extras={'eval': 'report', 'cluster': 'cluster'},
    ),
    'replay': Command(
        'vla_accel_ros.commands.replay',
        'how far an accelerated setting departs from a recording, and what it saves',
        (
            'vla-accel replay my_bag --methods none,sp_vla,fast --out out/my_bag',
            "vla-accel replay my_bag.mcap --image-topic /camera/image_raw --instruction 'pour'",
        ),
        extras={'eval': None},
    ),
    'serve': Command(
        'vla_accel_ros.commands.serve',
        "an accelerated policy for clients without ROS, in openpi's websocket protocol",
        ('vla-accel serve tabletop-s --method fast --host 0.0.0.0 --port 8000',),
        extras={'remote': None},
    ),
    'record-demo': Command(
        'vla_accel_ros.commands.record_demo',
        'episodes of the embedded arm as a bag, to try replay on',
        ('vla-accel record-demo --episodes 20 --out out/demo_bag',),
        extras={'sim': None, 'eval': None},
    ),
    'lerobot': Command(
        'vla_accel_ros.commands.lerobot',
        'write a recorded bag as a LeRobot dataset (v3)',
        ('vla-accel lerobot out/demo_bag --cameras 2 --video --out out/demo_dataset',),
        extras={'eval': None, 'sim': 'video'},
    ),
    'env': Command(
        'vla_accel_ros.commands.env',
        'try an environment out, an expert or random actions in the place of a model',
        ('vla-accel env tabletop --policy expert', 'vla-accel env robosuite:Lift --picture a.png'),
    ),
    'tune': Command(
        'vla_accel_ros.commands.tune',
        'search parameters of methods in simulation or on bags, and confirm what is found',
        (
            'vla-accel tune --sim --methods hold,sp_vla --trials 20',
            'vla-accel tune --bag monday tuesday --confirm-bag friday --methods sp_vla,fastv',
        ),
        extras={'sim': 'sim', 'eval': None, 'cluster': 'cluster'},
    ),
    'bench': Command(
        'vla_accel_ros.commands.bench',
        "latency side by side: stages, methods, keep ratios, decoders, and the device's floor",
        (
            'vla-accel bench',
            'vla-accel bench --methods none,sp_vla@keep=0.25,hold+jacobi,fast',
            'vla-accel bench --model mid --bars --plot bench.png',
            'vla-accel bench --model openvla-7b --random-weights --device cuda --out h200.json',
        ),
        extras={'eval': 'plot'},
    ),
    'train': Command(
        'vla_accel_ros.commands.train',
        'make a shipped checkpoint again, tabletop-s where not said; resumable',
        ('vla-accel train', 'vla-accel train --recipe tabletop-m-oft --out out/train/oft'),
        extras={'train': None},
    ),
    'depth': Command(
        'vla_accel_ros.commands.depth',
        'how much each decoder layer matters on recorded frames, and a checkpoint without some',
        ('vla-accel depth out/demo_bag', 'vla-accel depth out/demo_bag --drop 1 --out out/depth'),
        extras={'eval': None},
    ),
    'doctor': Command(
        'vla_accel_ros.commands.doctor',
        'what this machine has, and what to do about what is missing',
        ('vla-accel doctor', 'vla-accel doctor --deploy'),
    ),
}
