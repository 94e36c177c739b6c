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

"""Only the action space knows at which place a column stands.

In the files below these are refused:
- the whole numbers 6 and 7 (and -6, -7), wherever they are, but for the value of a parameter or a
  dataclass field, of a name that no subscript uses;
- a subscript or `slice` with 3 (or -3, -4) as a bound of a slice, or -1 as the start or end of a
  slice in a tuple, as `rows[:, :-1]`;
- a whole number at the end of a subscript of several axes, as `rows[:, 0]` and `rows[..., -1]`;
- the same by a name that the file, or the file it is imported from, binds to such a number;
- `itemgetter`, `slice`, and arrays' `take`, `split` and `hsplit` with whole numbers;
- unpacking into 6 or 7 names, or with a star;
- the names TRANSLATION, ROTATION, GRIPPER, COLUMNS and WIDTH from another module.
"""

import ast

import pytest

PACKAGE = 'vla_accel_ros'
ROOMS = ('scheduling', 'safety', 'evaluation', 'models/heads')
# Its numbers are those of seeds.
EXCEPT = ('evaluation/film.py',)
FILES = (
    'actions.py',
    'motion.py',
    'inputs/trajectories.py',
    'ros/messages.py',
    'models/action_reader.py',
    'models/action_tokens.py',
    'models/action_units.py',
    'models/checkpoints/largest_step.py',
    'models/checkpoints/norm_stats.py',
    'models/serving.py',
    'training/dagger.py',
    'training/datasets.py',
    'training/tokens.py',
    'environments/gymnasium_env.py',
    'environments/gymnasium_make.py',
    'environments/interface.py',
    'environments/libero_env.py',
    'environments/libero_protocol.py',
    'environments/mapping.py',
    'environments/settings.py',
    'replay/decode.py',
    'replay/demo/writer.py',
    'replay/departure.py',
    'replay/errors.py',
    'replay/evidence.py',
    'replay/lerobot/as_bag.py',
    'replay/lerobot/from_bag.py',
    'replay/measures.py',
    'replay/offline.py',
    'replay/recorded.py',
    'replay/spaces.py',
    'replay/stream.py',
    'replay/table.py',
    'replay/told.py',
    'replay/trace.py',
    'sim/env.py',
    'nodes/arm_command.py',
    'nodes/scheduler.py',
)
WIDTHS = (6, 7)
BOUNDS = (3, -3, -4)
TAKERS = ('take', 'split', 'hsplit', 'array_split')
NAMES = ('TRANSLATION', 'ROTATION', 'GRIPPER', 'COLUMNS', 'WIDTH')


def number(node, names=()):
    """Return the whole number that a node stands for, None when it stands for none."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = number(node.operand, names)
        return None if value is None else -value
    if isinstance(node, ast.Name):
        return dict(names).get(node.id)
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    return None


def bound(tree, elsewhere):
    """Return the names that stand for whole numbers or for slices of them."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in elsewhere:
            known = elsewhere[node.module]
            names |= {a.asname or a.name: known[a.name] for a in node.names if a.name in known}
        elif isinstance(node, ast.arguments):
            args = [*node.posonlyargs, *node.args]
            pairs = [*zip(args[len(args) - len(node.defaults) :], node.defaults, strict=True)]
            pairs += zip(node.kwonlyargs, node.kw_defaults, strict=True)
            names |= {a.arg: number(v) for a, v in pairs if number(v) is not None}
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                names |= dict(_pairs(target, node.value))
    return names


def _pairs(target, value):
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, other in zip(target.elts, value.elts, strict=False):
            yield from _pairs(one, other)
    elif isinstance(target, ast.Name) and number(value) is not None:
        yield target.id, number(value)


def declared(tree):
    """Return the numbers that are defaults of parameters, or of fields of a class."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arguments):
            defaults = [*node.defaults, *node.kw_defaults]
        elif isinstance(node, ast.ClassDef):
            defaults = [n.value for n in node.body if isinstance(n, ast.AnnAssign)]
        else:
            continue
        found |= {id(n) for value in defaults if value is not None for n in ast.walk(value)}
    return found


def _slices(node, names):
    """Yield what is wrong with a subscript."""
    axes = node.elts if isinstance(node, ast.Tuple) else [node]
    for axis in axes:
        if isinstance(axis, ast.Slice):
            ends = [number(end, names) for end in (axis.lower, axis.upper)]
            if {*ends} & {*BOUNDS, *WIDTHS, *(-w for w in WIDTHS)}:
                yield 'a slice by number'
            if len(axes) > 1 and -1 in ends and axis is axes[-1]:
                yield 'a slice by number of the last axis'
        elif number(axis, names) in (*WIDTHS, *(-w for w in WIDTHS)):
            yield 'a column by number'
    if len(axes) > 1 and number(axes[-1], names) is not None:
        yield 'a column by number of the last axis'


def faults(source, elsewhere=None):
    """List what is wrong in a file: the line, and what is refused."""
    tree = ast.parse(source)
    names, allowed = bound(tree, elsewhere or {}), declared(tree)
    found = []
    for node in ast.walk(tree):
        said = []
        if isinstance(node, ast.Subscript):
            said = list(_slices(node.slice, names))
        elif isinstance(node, ast.Constant):
            if type(node.value) is int and node.value in WIDTHS and id(node) not in allowed:
                said = [f'the number {node.value}']
        elif isinstance(node, ast.Call):
            name = getattr(node.func, 'attr', getattr(node.func, 'id', ''))
            inside = [n for a in node.args for n in ast.walk(a)]
            if name == 'slice' and node.args and number(node.args[-1], names) is not None:
                said = ['a slice by number']
            taker = name in TAKERS and isinstance(node.func, ast.Attribute)
            if (name == 'itemgetter' or taker) and any(
                number(n, names) is not None for n in inside
            ):
                said = [f'{name} by number']
        elif isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Store):
            if len(node.elts) in WIDTHS:
                said = [f'{len(node.elts)} columns unpacked']
            elif any(isinstance(e, ast.Starred) for e in node.elts):
                said = ['unpacking with a star']
        elif isinstance(node, ast.ImportFrom):
            ours = (node.module or '').startswith(PACKAGE)
            said = [f'{a.name} imported' for a in node.names if ours and a.name in NAMES]
        elif isinstance(node, ast.Attribute) and node.attr in NAMES:
            owner = node.value
            if not (isinstance(owner, ast.Name) and owner.id == 'ColumnKind'):
                said = [f'{node.attr} of a module']
        line = getattr(node, 'lineno', 0)
        found += [f'line {line}: {what}' for what in said]
    return sorted(set(found))


def looked_at(root):
    package = root / PACKAGE
    files = [
        *(file for room in ROOMS for file in sorted((package / room).rglob('*.py'))),
        *(package / name for name in FILES),
    ]
    return [file for file in files if str(file.relative_to(package)) not in EXCEPT]


def test_no_column_of_an_action_is_addressed_by_number(root):
    package = root / PACKAGE
    elsewhere = {}
    for file in package.rglob('*.py'):
        module = '.'.join(file.relative_to(root).with_suffix('').parts)
        elsewhere[module] = bound(ast.parse(file.read_text(encoding='utf-8')), {})
    wrong = [
        f'{file.relative_to(root)}: {fault}'
        for file in looked_at(root)
        for fault in faults(file.read_text(encoding='utf-8'), elsewhere)
    ]
    assert not wrong


@pytest.mark.parametrize(
    'source',
    [
        'x = row[6]',
        'x = rows[..., 6]',
        'x = rows[:, -1]',
        'x = rows[:, 0]',
        'x = row[:3]',
        'x = row[0:3]',
        'x = row[3:6]',
        'x = row[3:]',
        'x = row[:-1, :-1]',
        'x = row[-4:-1]',
        'AT = 6\nx = row[AT]',
        'AXES = 3\nx = row[:AXES]',
        'FIRST, LAST = 3, 5\nx = row[FIRST : LAST + 1]',
        'def f(row, at=6):\n    return row[at]',
        'PART = slice(0, 3)\nx = row[PART]',
        'PART = slice(3)',
        'x, y, z, a, b, c, g = row',
        'for x, y, z, a, b, c, g in rows:\n    pass',
        '*motion, gripper = row',
        'x = values.shape == (7,)',
        'if len(row) != 7:\n    pass',
        'x = rows.reshape(-1, 7)',
        'x = [True] * 6 + [False]',
        'x = itemgetter(0, 1, 2)(row)',
        'x = np.take(row, [0, 1, 2])',
        'x = np.split(row, [3])',
        'from vla_accel_ros.actions import WIDTH',
        'from vla_accel_ros import actions\nx = row[actions.GRIPPER]',
        'from vla_accel_ros.elsewhere import AXES\nx = row[:AXES]',
    ],
)
def test_a_column_by_number_is_found(source):
    assert faults(source, {'vla_accel_ros.elsewhere': {'AXES': 3}})


@pytest.mark.parametrize(
    'source',
    [
        'x = row[TOOL.translation], rows[..., space.grippers], row[part.columns]',
        'x = rows[-1]',
        'x = rows[0]',
        'x, y, z = row[part.columns]',
        'class A:\n    capacity: int = 6',
        'def f(capacity: int = 6):\n    return capacity',
        'x = 1e-6 + 0.7',
        'kind = ColumnKind.TRANSLATION',
    ],
)
def test_what_is_no_column_by_number_is_let_be(source):
    assert not faults(source)
