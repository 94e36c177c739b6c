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

"""`vla-accel security`: the SROS 2 policy of a deployment."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from vla_accel_ros.files.outputs import beginning, check_file
from vla_accel_ros.files.whole_files import write_whole

BEGINS = '<?xml version="1.0" encoding="UTF-8"?>\n<policy '


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        'words',
        nargs='*',
        metavar='name:=value',
        help='arguments of the launch file, as you give them to it',
    )
    parser.add_argument(
        '--out', type=Path, metavar='FILE', help='write the policy there instead of printing it'
    )


def run(args: argparse.Namespace) -> int:
    """Write the policy.

    Returns:
        0.

    Raises:
        ValueError: When an argument makes no sense, or the file is not to be overwritten.
        FileNotFoundError: When the parameter file or the preset is not there.
    """
    from vla_accel_ros.graph.deployment import Deployment
    from vla_accel_ros.graph.rights import enclaves
    from vla_accel_ros.graph.security_policy import render

    if wrong := [word for word in args.words if ':=' not in word]:
        raise ValueError(f'the argument is {wrong[0]!r}, expected name:=value')
    words = dict(word.split(':=', 1) for word in args.words)
    if args.out:
        check_file(args.out, '--out', beginning(BEGINS))
    found = enclaves(Deployment.from_words(words))
    text = render(found)
    if args.out:
        write_whole(args.out, text)
    if args.json:
        print(json.dumps({each.path: vars(each.rights) for each in found}, indent=2))
    elif args.out:
        print(f'{args.out}: rights of {", ".join(each.path for each in found)}')
    else:
        print(text, end='')
    return 0
