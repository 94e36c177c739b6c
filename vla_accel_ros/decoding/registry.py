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

"""The ways of decoding, by name."""

from __future__ import annotations

from vla_accel_ros.decoding import RELAXED_BINS
from vla_accel_ros.decoding.greedy import Greedy
from vla_accel_ros.decoding.interface import TokenDecoder
from vla_accel_ros.decoding.jacobi import Jacobi, Relaxed
from vla_accel_ros.decoding.verify import Verify

DECODERS: dict[str, type[TokenDecoder]] = {
    kind.name: kind for kind in (Greedy, Verify, Jacobi, Relaxed)
}
# These give the tokens that greedy decoding gives.
EXACT = (Greedy.name, Verify.name, Jacobi.name)


def create(name: str, relaxed_bins: int = RELAXED_BINS) -> TokenDecoder:
    """Build a decoder.

    Args:
        name: One of `DECODERS`.
        relaxed_bins: Largest move that `relaxed` takes for none; the others do not use it.

    Raises:
        ValueError: When there is none of that name, or the bins are out of range.
    """
    if name not in DECODERS:
        raise ValueError(f"decoder is '{name}', expected one of {', '.join(DECODERS)}")
    return Relaxed(relaxed_bins) if name == Relaxed.name else DECODERS[name]()
