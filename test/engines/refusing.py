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

"""What a captured graph could not do, refused; and tensors that the host may not read."""

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

# Methods that read values on the host, some of them past the dispatcher.
READING = {
    'tolist',
    'item',
    'numpy',
    'cpu',
    '__bool__',
    '__int__',
    '__float__',
    '__index__',
    '__contains__',
    'is_nonzero',
    'equal',
    'allclose',
}
# Methods whose result has as many entries as a condition holds.
COUNTING = {'nonzero', 'masked_select', 'unique'}
# Functions that copy from the host's memory.
BRINGING = {'tensor', 'as_tensor', 'asarray', 'from_numpy', 'new_tensor'}
INDEXING = {'aten::index', 'aten::index_put', 'aten::index_put_', 'aten::_index_put_impl_'}


class RefusedError(RuntimeError):
    """A program did what no captured graph can do."""


def tensors_in(values):
    """List tensors, those in lists too."""
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from tensors_in(value)


class _Functions(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = getattr(func, '__name__', '')
        if name in READING | BRINGING:
            raise RefusedError(name)
        return func(*args, **(kwargs or {}))


class _Operations(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.name().split('.')[0]
        if name in INDEXING:
            # By places an index is harmless; by a mask its size depends on the mask.
            if any(index.dtype in (torch.bool, torch.uint8) for index in tensors_in(args[1:2])):
                raise RefusedError(f'{name} by a mask')
        elif {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape} & {*func.tags}:
            raise RefusedError(name)
        result = func(*args, **(kwargs or {}))
        given = {tensor.device for tensor in tensors_in([*args, *(kwargs or {}).values()])}
        if given and len(given | {tensor.device for tensor in tensors_in([result])}) > 1:
            raise RefusedError(f'{name} between devices')
        return result


class Refusing:
    """A context in which all of that raises RefusedError."""

    def __enter__(self):
        self._modes = _Functions(), _Operations()
        for mode in self._modes:
            mode.__enter__()
        return self

    def __exit__(self, *exception):
        for mode in reversed(self._modes):
            mode.__exit__(*exception)


class OnDevice(torch.Tensor):
    """A tensor, and all that is made of it, whose values the host may not read."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        name = getattr(func, '__name__', '')
        if name in READING | COUNTING:
            raise RefusedError(f'{name} of a tensor on the device')
        return super().__torch_function__(func, types, args, kwargs or {})


def away(tensor):
    """Put a tensor where the host may not read it."""
    return tensor.as_subclass(OnDevice)


def plain(tensor):
    """Take a tensor as it is."""
    return tensor.as_subclass(torch.Tensor)
