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

"""CogACT: an action transformer behind the language model.

The sequence is [BOS | visual tokens | rest of the prompt | 29871 | end token], and the last row
is all that is read of it.
"""

from __future__ import annotations

from vla_accel_ros.layers.dit import DiT
from vla_accel_ros.models.config import VLAConfig
from vla_accel_ros.models.vla import VLA


class CogACT(VLA):
    """The model.

    Args:
        config: Its shape; its head a `CogACTConfig`.
    """

    def __init__(self, config: VLAConfig) -> None:
        super().__init__(config)
        head = config.head
        self.action_model = DiT(head.dit, config.decoder.width, head.chunk, config.action_dims)
