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

"""Parameters as a table: one `Setting` says all there is to know about a parameter.

The table makes the descriptors that `ros2 param describe` shows, the checks, the comments of
the parameter file (`parameter_file`) and the tables of the docs, so that none can disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
import math

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.parameter import Parameter

from vla_accel_ros.ros.parameter_check import ROS_OWN

WHEN = {
    'live': 'takes effect at once',
    'configure': 'read at configure',
    'start': 'read when the process starts',
}
ARRAYS = {
    bool: Parameter.Type.BOOL_ARRAY,
    int: Parameter.Type.INTEGER_ARRAY,
    float: Parameter.Type.DOUBLE_ARRAY,
    str: Parameter.Type.STRING_ARRAY,
}


@dataclass(frozen=True)
class Setting:
    """One parameter of a node.

    Attributes:
        name: The ROS parameter's name.
        default: bool, int, float, str, or a list of one of these that is not empty.
        description: One line that says what it does and why one would change it.
        unit: SI unit, empty for pure numbers.
        range: Smallest and largest value, inclusive; wanted for numbers, and each element of
            a list of numbers is held to it.
        choices: The strings that are allowed, empty for any.
        length: How many elements a list has, None for one or more.
        when: 'live', 'configure' or 'start': when a new value takes effect.

    Raises:
        ValueError: When the table itself is wrong; found when the node's module is imported.
    """

    name: str
    default: object
    description: str
    unit: str = ''
    range: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    length: int | None = None
    when: str = 'live'

    def __post_init__(self) -> None:
        if self.when not in WHEN:
            raise ValueError(f'{self.name}: when is {self.when!r}, expected one of {list(WHEN)}')
        if isinstance(self.default, list) and not self.default:
            raise ValueError(f'{self.name}: rclpy cannot tell the type of an empty list')
        if self.kind in (int, float) and self.range is None:
            raise ValueError(f'{self.name}: a number wants a range')
        self.check(self.default)

    @property
    def kind(self) -> type:
        """The type of the value, or of each element of a list."""
        return type(self.default[0] if isinstance(self.default, list) else self.default)

    @property
    def bounds(self) -> str:
        """The allowed values in words, empty when anything goes."""
        if self.range is not None:
            return f'{self.range[0]} .. {self.range[1]}' + (f' {self.unit}' if self.unit else '')
        return 'one of ' + ', '.join(map(repr, self.choices)) if self.choices else ''

    def check(self, value: object) -> object:
        """Return the value in this parameter's type, an integer taken for a float.

        Raises:
            ValueError: Naming the parameter, the value and what was expected.
        """
        if isinstance(self.default, list):
            if isinstance(value, str | bytes) or not hasattr(value, '__len__'):
                raise ValueError(f'{self.name} = {value!r}, expected a list')
            wanted = 'at least 1' if self.length is None else str(self.length)
            if len(value) == 0 or self.length not in (None, len(value)):
                raise ValueError(
                    f'{self.name} = {list(value)!r} has {len(value)} elements, expected {wanted}'
                )
            return [self._check_one(element) for element in value]
        return self._check_one(value)

    def _check_one(self, value: object) -> object:
        if self.kind is float and type(value) is int:
            value = float(value)
        if type(value) is not self.kind:
            raise ValueError(
                f'{self.name} = {value!r} is of type {type(value).__name__}, '
                f'expected {self.kind.__name__}'
            )
        if self.range is not None:
            low, high = self.range
            if not math.isfinite(value) or not low <= value <= high:
                raise ValueError(f'{self.name} = {value!r} is outside {self.bounds}')
        if self.choices and value not in self.choices:
            raise ValueError(f'{self.name} = {value!r}, expected {self.bounds}')
        return value

    def descriptor(self) -> ParameterDescriptor:
        """Return what `ros2 param describe` shows."""
        constraints = '; '.join(filter(None, (self.bounds, WHEN[self.when])))
        descriptor = ParameterDescriptor(
            name=self.name,
            description=self.description + (f' [{self.unit}]' if self.unit else ''),
            additional_constraints=constraints,
            read_only=self.when == 'start',
        )
        if self.range is not None and self.kind is float:
            low, high = map(float, self.range)
            descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
        elif self.range is not None:
            low, high = map(int, self.range)
            descriptor.integer_range = [IntegerRange(from_value=low, to_value=high, step=1)]
        return descriptor


class Settings:
    """The declared parameters of one node: checked values, applied when they change.

    Args:
        node: The rclpy node that declares them.
        table: Its settings.
        check: Given all values as they would be, raises ValueError when they do not fit
            together.
        apply: Called with the new values by name, after they hold.
        configured: Whether the node is past configure, when 'configure' settings are fixed.

    A bad override (a parameter file, the command line) does not keep the node from coming up:
    the default stands in, `errors` holds the reason, and configure is refused until it is set.
    Overrides of parameters that are not in the table, which ROS ignores, are in `unknown`.
    """

    def __init__(
        self,
        node,
        table: Iterable[Setting],
        check: Callable[[Mapping[str, object]], None],
        apply: Callable[[dict[str, object]], None],
        configured: Callable[[], bool],
    ) -> None:
        self.table = {setting.name: setting for setting in table}
        self.values: dict[str, object] = {}
        self.errors: dict[str, str] = {}
        self._check, self._apply, self._configured = check, apply, configured
        # rclpy has no public way to see an override before it is declared and would raise.
        overrides = node._parameter_overrides
        self.unknown = sorted(
            name
            for name in overrides
            if name not in self.table and name.partition('.')[0] not in ROS_OWN
        )
        for setting in self.table.values():
            value = setting.default
            if setting.name in overrides:
                try:
                    value = setting.check(_plain(overrides[setting.name].value))
                except ValueError as error:
                    self.errors[setting.name] = str(error)
            node.declare_parameter(setting.name, value, setting.descriptor(), ignore_override=True)
            self.values[setting.name] = value
        node.add_pre_set_parameters_callback(self._coerce)
        node.add_on_set_parameters_callback(self._accept)
        node.add_post_set_parameters_callback(self._take)

    def problem(self) -> str:
        """Return why the values cannot be used, empty when they can."""
        if self.errors:
            return '; '.join(self.errors.values())
        try:
            self._check(self.values)
        except ValueError as error:
            return str(error)
        return ''

    def _coerce(self, parameters: list[Parameter]) -> list[Parameter]:
        # `ros2 param set /node rate 20` sends an integer, and of a list without a point integers;
        # a float parameter takes them, as it does from a file.
        return [self._as_declared(p) for p in parameters]

    def _as_declared(self, p: Parameter) -> Parameter:
        setting = self.table.get(p.name)
        if setting is None:
            return p
        listed = isinstance(setting.default, list)
        if setting.kind is float and not listed and p.type_ is Parameter.Type.INTEGER:
            return Parameter(p.name, Parameter.Type.DOUBLE, float(p.value))
        if setting.kind is float and listed and p.type_ is Parameter.Type.INTEGER_ARRAY:
            return Parameter(
                p.name, Parameter.Type.DOUBLE_ARRAY, [float(value) for value in p.value]
            )
        if listed and isinstance(_plain(p.value), list) and not len(p.value):
            # Of an empty list ROS knows no type; as one of the right type it is refused for its
            # length.
            return Parameter(p.name, ARRAYS[setting.kind], [])
        return p

    def _accept(self, parameters: list[Parameter]) -> SetParametersResult:
        candidate = dict(self.values)
        try:
            for p in parameters:
                setting = self.table.get(p.name)
                if setting is None:
                    continue
                if setting.when == 'configure' and self._configured():
                    raise ValueError(
                        f'{p.name} is {WHEN["configure"]}: clean the node up before changing it'
                    )
                candidate[p.name] = setting.check(_plain(p.value))
            # From a combination that is wrong already, any step is allowed: two parameters
            # of a bad parameter file can only be mended one after the other.
            if self._configured() or not self.problem():
                self._check(candidate)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _take(self, parameters: list[Parameter]) -> None:
        changed = {p.name: _plain(p.value) for p in parameters if p.name in self.table}
        for name in changed:
            self.errors.pop(name, None)
        self.values.update(changed)
        if changed:
            self._apply(changed)


def _plain(value: object) -> object:
    """Turn the arrays and tuples that rclpy hands out into lists."""
    if isinstance(value, str | bytes) or not hasattr(value, '__len__'):
        return value
    return list(value)
