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


"""A node's command line: are its parameter files for it, and why does ROS not take it; no ROS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
import re

from vla_accel_ros.files.parameter_text import ParameterFileError, read_file
from vla_accel_ros.files.parameter_yaml import parse
from vla_accel_ros.ros.parameter_check import full_name, matches


def check_files(argv: Sequence[str], node: str) -> None:
    """Refuse a parameter file that is for this node by name, but in another namespace.

    ROS would drop what the file says without a word. What the file says of other nodes is not
    looked at, and a file that cannot be read is left to ROS.

    Args:
        argv: The node's command line.
        node: Its name where the command line gives no other.

    Raises:
        ParameterFileError: Naming the file, the line and the node's full name.
    """
    name = _remapped(argv, '__node') or node
    full = full_name(name, _remapped(argv, '__ns') or '')
    for title in _files(argv):
        try:
            sections = parse(read_file(Path(title), title), title)
        except (ParameterFileError, FileNotFoundError):
            continue
        mine = [each for each in sections if each.key.rpartition('/')[2] == name]
        if mine and not any(matches(each.key, full) for each in sections):
            raise ParameterFileError(
                f"{title} line {mine[0].line}: '{mine[0].written}' does not match {full}; write "
                f'/**/{name}'
            )


def reason(error: Exception, argv: Sequence[str]) -> str:
    """Say in a line why ROS does not take a command line.

    Args:
        error: What `rclpy.init` raised.
        argv: The command line.
    """
    for title in _files(argv):
        try:
            parse(read_file(Path(title), title), title)
        except (ParameterFileError, FileNotFoundError) as known:
            if title in str(error):
                return str(known)
    # rcl adds where in its own source the error was found.
    text = ' '.join(re.sub(r',? at \S+:\d+', '', str(error)).split())
    return f'unknown ROS arguments: {text}' if text.startswith('[') else text


def _files(argv: Sequence[str]) -> Iterator[str]:
    for flag, value in pairwise(argv):
        if flag == '--params-file':
            yield value


def _remapped(argv: Sequence[str], what: str) -> str:
    for flag, value in pairwise(argv):
        found = re.fullmatch(rf'(?:\w+:)?{what}:=(.*)', value)
        if flag in ('-r', '--remap') and found:
            return found.group(1)
    return ''
