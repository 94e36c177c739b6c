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

"""The reference engine: PyTorch, one operation after the other."""

from __future__ import annotations

from typing import ClassVar

from vla_accel_ros.engines.interface import Bucket, Program, Runner


class Eager:
    """Run programs as they are written; nothing is built, so every shape will do."""

    name: ClassVar[str] = 'eager'
    # That of the weights.
    precision = 'float32'
    exact = True

    def ready(self, program: Program, bucket: Bucket) -> Runner:
        """Give the program's own function; see `Engine.ready`."""
        return program.run


EAGER = Eager()
