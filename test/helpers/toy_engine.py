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

"""Engines for tests: one that another package declares, and ones that fail in each way."""

import torch

from vla_accel_ros.engines import registry
from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.registry import FLOAT32, EngineKind

ENTRY_POINT = '[vla_accel_ros.engines]\nmine = toy_engine:KIND\n'


class Changing:
    """Eager, with what it gives changed by a function, or an error in the place of it.

    Args:
        change: Given the program's name and its outputs, gives the outputs or raises.
        refuse: Given the program and its bucket, raises when `ready` is to fail.
    """

    precision = FLOAT32
    exact = True

    def __init__(
        self, change=lambda name, done: done, refuse=lambda program, bucket: None, name='mine'
    ):
        self.name, self._change, self._refuse = name, change, refuse
        self.ran = []

    def ready(self, program, bucket):
        self._refuse(program, bucket)

        def run(given, room):
            done = self._change(program.name, program.run(given, room))
            self.ran.append(program.name)
            return done

        return run


def failing(program, reason):
    """Give a change that makes a program fail while it runs."""

    def change(name, done):
        if name == program:
            raise EngineError(reason)
        return done

    return change


def only_here(order):
    """Make an engine that runs on its device `here` alone."""
    if order.device != 'here':
        raise EngineError(f'there is no device {order.device}')
    return Changing()


def exactly_only(order):
    """Make an engine that computes in float32 alone, whatever it declares."""
    if order.precision != FLOAT32:
        raise EngineError(f'there is no {order.precision}')
    return Changing()


def lying(name, done):
    """Turn what the decoder's layers give around."""
    return {key: -part if key == 'x' else part for key, part in done.items()}


def not_finite(name, done):
    """Put NaN into what the decoder's layers give."""
    if name != 'span':
        return done
    return {key: torch.full_like(part, torch.nan) for key, part in done.items()}


class Storing(Changing):
    """Eager, with a file in the store for each program and each span of layers.

    Args:
        order: What it is made for.
    """

    def __init__(self, order, **kwargs):
        super().__init__(refuse=self._find, **kwargs)
        self.precision, self._store, self._found = order.precision, order.store, set()

    def _find(self, program, bucket):
        layers = f'{getattr(program, "first", "")} {getattr(program, "last", "")}'
        if (program.name, layers) in self._found:
            return
        kind = f'toy graph of {program.name}'
        key = {'kind': kind, 'precision': self.precision, 'layers': layers}
        self._store.get(key, lambda folder: (folder / 'graph').write_text(program.name))
        self._found.add((program.name, layers))


def kind(
    make=lambda order: Changing(),
    probe=lambda: None,
    name='mine',
    precisions=(FLOAT32,),
    devices=(),
    load=lambda: None,
):
    """Give a declaration of an engine."""
    what = 'an engine for tests'
    return EngineKind(name, what, precisions, probe, make, devices=devices, load=load)


def install(monkeypatch, made=None, **kwargs):
    """Declare an engine as one of the package's own; return what makes it, given the order."""
    declared = kind(Storing if made is None else made, **kwargs)
    monkeypatch.setitem(registry.OWN, declared.name, declared)
    registry.find.cache_clear()
    return declared


KIND = kind()
NO_KIND = Changing
OTHER_NAME = kind(name='other')
