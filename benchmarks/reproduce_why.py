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

"""What pruning can save at most, stage by stage, from the cost model and a device's rates.

A stage takes at least its operations over the device's rate of matrix products, or its bytes over
that of its memory, whichever is longer. Nothing is measured.
"""

from __future__ import annotations

import argparse
import sys

from vla_accel_ros.models.cost.operations import Cost
from vla_accel_ros.models.cost.stages import CostModel
from vla_accel_ros.models.cost.workload import Workload, dropped_after, one_by_one
from vla_accel_ros.models.presets import openvla_7b, openvla_7b_oft

COMMAND = 'python -m benchmarks.reproduce_why'
# NVIDIA's data sheet of the RTX 4090: memory, and dense bfloat16 with float32 accumulation.
BYTES_S, FLOPS = 1.008e12, 165.2e12
KEEPS = (1.0, 0.5, 0.25, 0.125)
# Tokens are dropped after this layer; tokens of the prompt; bytes of a weight.
LAYER, TEXT, WEIGHT = 3, 24, 2
STAGES = ('towers', 'projector', 'prefill', 'decode')


def costs(slots: bool, keep: float) -> dict[str, Cost]:
    """Count an answer of OpenVLA-7B by stage; the selection is counted as nothing.

    Args:
        slots: OFT's single pass over two views, else seven tokens one by one over one view.
        keep: Share of visual tokens that is kept after `LAYER`.
    """
    config = openvla_7b_oft() if slots else openvla_7b()
    total, layers = config.visual_tokens, config.decoder.layers
    kept = round(keep * total)
    visual = dropped_after(layers, total, kept, LAYER) if kept < total else ()
    passes = () if slots else one_by_one(7)
    return CostModel(config).inference(Workload(TEXT, visual, passes=passes))


def milliseconds(found: dict[str, Cost], byte_rate: float, flop_rate: float) -> dict[str, float]:
    """Return the least time of each stage, ms."""
    return {name: 1e3 * found[name].seconds(flop_rate, byte_rate, WEIGHT) for name in STAGES}


def table(byte_rate: float, flop_rate: float) -> str:
    """Return the floors of both models at every keep ratio, as Markdown."""
    lines = [
        f'| model | kept | {" | ".join(STAGES)} | all, ms | gain of the floor |',
        '|---|---|---|---|---|---|---|---|',
    ]
    for slots, name in ((False, 'OpenVLA-7B'), (True, 'OFT, two views')):
        whole = 0.0
        for keep in KEEPS:
            found = milliseconds(costs(slots, keep), byte_rate, flop_rate)
            total = sum(found.values())
            whole = whole or total
            cells = ' | '.join(f'{found[stage]:.1f}' for stage in STAGES)
            lines.append(f'| {name} | {keep:.1%} | {cells} | {total:.1f} | {whole / total:.2f}x |')
    return '\n'.join(lines)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__.splitlines()[0])
    parser.add_argument('--bytes', type=float, default=BYTES_S, help='a second (%(default)s)')
    parser.add_argument('--flops', type=float, default=FLOPS, help='a second (%(default)s)')
    options = parser.parse_args()
    print(table(options.bytes, options.flops))
    return 0


if __name__ == '__main__':
    sys.exit(main())
