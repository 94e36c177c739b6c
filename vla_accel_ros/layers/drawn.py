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

"""Random numbers that weights begin with."""

from __future__ import annotations

import torch
from torch import Tensor

STD = 0.02


def drawn(*shape: int) -> Tensor:
    """Draw numbers of a normal distribution around 0 with the deviation `STD`, as Llama's tables.

    On `meta`, where models are built that are read from files, nothing is drawn: torch would
    import its compiler for it, a second of each start.

    Args:
        shape: Of the result.
    """
    numbers = torch.empty(*shape)
    return numbers if numbers.is_meta else numbers.normal_(std=STD)
