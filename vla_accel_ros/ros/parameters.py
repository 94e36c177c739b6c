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

"""ROS parameters from their declarations: descriptors, checked values, refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.parameter import Parameter

from vla_accel_ros.options import WHEN, Option
from vla_accel_ros.ros.parameter_check import ROS_OWN

ARRAYS = {
    bool: Parameter.Type.BOOL_ARRAY,
    int: Parameter.Type.INTEGER_ARRAY,
    float: Parameter.Type.DOUBLE_ARRAY,
    str: Parameter.Type.STRING_ARRAY,
}


def descriptor(option: Option) -> ParameterDescriptor:
    """Return what `ros2 param describe` shows of a parameter."""
    described = ParameterDescriptor(
        name=option.name,
        description=option.why + (f' [{option.unit}]' if option.unit else ''),
        additional_constraints='; '.join(filter(None, (option.bounds, WHEN[option.when]))),
        read_only=option.when == 'start',
    )
    if option.range is not None and option.kind is float:
        low, high = map(float, option.range)
        described.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    elif option.range is not None:
        low, high = map(int, option.range)
        described.integer_range = [IntegerRange(from_value=low, to_value=high, step=1)]
    return described


class Settings:
    """The declared parameters of one node: checked values, applied when they change.

    Args:
        node: The rclpy node that declares them.
        table: Its parameters.
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
        table: Iterable[Option],
        check: Callable[[Mapping[str, object]], None],
        apply: Callable[[dict[str, object]], None],
        configured: Callable[[], bool],
    ) -> None:
        self.table = {option.name: option for option in table}
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
        for name, option in self.table.items():
            value = option.default
            if name in overrides:
                try:
                    value = option.check(overrides[name].value)
                except ValueError as error:
                    self.errors[name] = str(error)
            given = list(value) if option.listed else value
            node.declare_parameter(name, given, descriptor(option), ignore_override=True)
            self.values[name] = value
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
        option = self.table.get(p.name)
        if option is None:
            return p
        if option.kind is float and not option.listed and p.type_ is Parameter.Type.INTEGER:
            return Parameter(p.name, Parameter.Type.DOUBLE, float(p.value))
        if option.kind is float and option.listed and p.type_ is Parameter.Type.INTEGER_ARRAY:
            return Parameter(
                p.name, Parameter.Type.DOUBLE_ARRAY, [float(value) for value in p.value]
            )
        if option.listed and not isinstance(p.value, str) and hasattr(p.value, '__len__'):
            # Of an empty list ROS knows no type; as one of the right type it is refused for its
            # length.
            return p if len(p.value) else Parameter(p.name, ARRAYS[option.kind], [])
        return p

    def _accept(self, parameters: list[Parameter]) -> SetParametersResult:
        candidate = dict(self.values)
        try:
            for p in parameters:
                option = self.table.get(p.name)
                if option is None:
                    continue
                if option.when == 'configure' and self._configured():
                    raise ValueError(
                        f'{p.name} is {WHEN["configure"]}: clean the node up before changing it'
                    )
                candidate[p.name] = option.check(p.value)
            # From a combination that is wrong already, any step is allowed: two parameters
            # of a bad parameter file can only be mended one after the other.
            if self._configured() or not self.problem():
                self._check(candidate)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _take(self, parameters: list[Parameter]) -> None:
        changed = {
            p.name: self.table[p.name].check(p.value) for p in parameters if p.name in self.table
        }
        for name in changed:
            self.errors.pop(name, None)
        self.values.update(changed)
        if changed:
            self._apply(changed)
