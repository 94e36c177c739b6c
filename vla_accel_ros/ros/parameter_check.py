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


"""Which nodes a parameter file sets, and whether they take what it says; knows no ROS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
import re

from vla_accel_ros.files.parameter_text import ParameterFileError
from vla_accel_ros.files.parameter_yaml import Given, Section
from vla_accel_ros.options import Option

# Parameters that every ROS node has.
ROS_OWN = ('use_sim_time', 'start_type_description_service', 'qos_overrides')
_TRUTHS = ROS_OWN[:2]


Tables = Mapping[str, Mapping[str, Option]]


def matches(key: str, name: str) -> bool:
    """Return whether a key of a parameter file means a node, as rclpy decides it.

    Args:
        key: Beginning with a slash; `*` stands for one name, `**` for any number.
        name: The node's full name: '/left/arm_command'.
    """
    return re.fullmatch(key.replace('/*', r'(/\w+)'), name, re.ASCII) is not None


def full_name(node: str, namespace: str) -> str:
    """Return a node's full name."""
    return '/' + '/'.join([*filter(None, namespace.split('/')), node])


def resolve(
    sections: Iterable[Section], title: str, tables: Tables, namespace: str = ''
) -> dict[str, dict[str, object]]:
    """Return what a file sets of each node.

    Where two sections set the same parameter of a node, the later one holds, as in ROS.

    Args:
        sections: The file's.
        title: How messages name it.
        tables: Node -> parameter -> its declaration.
        namespace: Of the nodes.

    Returns:
        Node -> parameter -> value, checked.

    Raises:
        ParameterFileError: When a section is of none of the nodes, a parameter of none of those
            that its section means, or a value none that its parameter can have; names the line.
    """
    found: dict[str, dict[str, object]] = {node: {} for node in tables}
    for section in sections:
        meant = [node for node in tables if matches(section.key, full_name(node, namespace))]
        if not meant:
            raise ParameterFileError(
                f'{title} line {section.line}: {_nobody(section, tables, namespace)}'
            )
        for given in section.given:
            for node, value in _values(given, meant, tables, title).items():
                found[node][given.name] = value
    return found


def _values(given: Given, meant: Sequence[str], tables: Tables, title: str) -> dict[str, object]:
    """Return a value as each node has it that knows the parameter."""
    where = f'{title} line {given.line}'
    if given.name.partition('.')[0] in ROS_OWN:
        if given.name in _TRUTHS and type(given.value) is not bool:
            raise ParameterFileError(
                f'{where}: {given.name} = {given.value!r}, expected true or false'
            )
        return dict.fromkeys(meant, given.value)
    takers = [node for node in meant if given.name in tables[node]]
    if not takers:
        raise ParameterFileError(f'{where}: {_unknown(given.name, meant, tables)}')
    declared = {node: tables[node][given.name] for node in takers}
    try:
        return {node: each.check(given.value) for node, each in declared.items()}
    except ValueError as error:
        hint = ''
        wanted = any(each.kind is str and not each.listed for each in declared.values())
        if given.text and wanted and not isinstance(given.value, str):
            hint = f": write '{given.text}' in quotes"
        raise ParameterFileError(f'{where}: {error}{hint}') from None


def _nobody(section: Section, tables: Tables, namespace: str) -> str:
    names = [full_name(node, namespace) for node in tables]
    last = section.key.rpartition('/')[2]
    text = f"'{section.written}' matches none of the nodes {', '.join(names)}"
    near = [last] if last in tables else get_close_matches(last, list(tables), 1)
    if near:
        return f'{text}; write /**/{near[0]}'
    return f'{text}; what is for nodes of other packages belongs into a file of their own'


def _unknown(name: str, meant: Sequence[str], tables: Tables) -> str:
    known = sorted({each for node in meant for each in tables[node]})
    who = meant[0] if len(meant) == 1 else f'any of {", ".join(meant)}'
    text = f"'{name}' is no parameter of {who}"
    elsewhere = [node for node in tables if name in tables[node]]
    if elsewhere:
        return f'{text}, it is one of {" and ".join(elsewhere)}'
    near = get_close_matches(name, known, 1)
    # Beside a misspelt name, one without what stands before its dot, or with another.
    near = near or [each for each in known if each.endswith(f'.{name.rpartition(".")[2]}')]
    return f"{text}, did you mean '{near[0]}'?" if near else f'{text}; config/arm.yaml has all'
