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

"""One compiled model for all resets of a scene of LIBERO.

robosuite compiles its model again at each reset, mostly from the same text. That takes half a
second for a scene of LIBERO, and a renderer for the new model more than another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from vla_accel_ros.environments.optional import import_optional
from vla_accel_ros.sim.gl import import_mujoco

# Shapes and pictures: most of a model's memory, and nothing in robosuite writes to them.
_LARGE = ('mesh_', 'tex_', 'hfield_', 'skin_')
_STRUCTS = ('opt', 'vis', 'stat')


class CompiledOnce:
    """Compiles a model once, and gives it again in its first state while the text is the same.

    A simulation that was made of it earlier is void when it is given again.
    """

    def __init__(self) -> None:
        self._xml, self._model = '', None
        self._arrays: dict[str, np.ndarray] = {}
        self._structs: list[str] = []

    def model(self, xml: str):
        """Return a mujoco.MjModel of a text in MJCF."""
        if xml == self._xml and _structs(self._model) == self._structs:
            for name, values in self._arrays.items():
                getattr(self._model, name)[...] = values
        else:
            self._model = import_mujoco().MjModel.from_xml_string(xml)
            self._xml, self._structs = xml, _structs(self._model)
            self._arrays = {
                name: np.array(getattr(self._model, name)) for name in _small(self._model)
            }
        return self._model

    @contextmanager
    def used(self) -> Iterator[None]:
        """Have robosuite take its models from here while the block lasts."""
        kind = import_optional('robosuite.utils.binding_utils').MjSim
        compiled = kind.__dict__['from_xml_string']
        kind.from_xml_string = classmethod(lambda own, xml: own(self.model(xml)))
        try:
            yield
        finally:
            kind.from_xml_string = compiled


def _small(model) -> list[str]:
    """Name the arrays that a simulation may write to."""
    return [
        name
        for name in dir(model)
        if not name.startswith(('_', *_LARGE)) and isinstance(getattr(model, name), np.ndarray)
    ]


def _structs(model) -> list[str]:
    """Give what is not in arrays, as text."""
    return [repr(getattr(model, name)) for name in _STRUCTS]
