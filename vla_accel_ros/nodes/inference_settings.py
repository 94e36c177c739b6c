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


"""The parameters of the inference node."""

from __future__ import annotations

from dataclasses import replace

from vla_accel_ros.acceleration.method import FLOW, Method
from vla_accel_ros.engines.wish import OPTIONS as ENGINE
from vla_accel_ros.nodes.scheduler_settings import POLICY_STEP
from vla_accel_ros.options import Option, options_of
from vla_accel_ros.paths import DEFAULT_CHECKPOINT
from vla_accel_ros.pruning.parameters import BUDGET, KEEP
from vla_accel_ros.remote.settings import OPTIONS as REMOTE
from vla_accel_ros.ros.common_options import FRAME_ID

METHOD = options_of(Method)

SETTINGS = (
    Option(
        'checkpoint',
        DEFAULT_CHECKPOINT,
        'A checkpoint that comes with the package, by name, or a folder; a hub name where '
        'allow_download is on',
        when='configure',
    ),
    Option('allow_download', False, 'Whether a hub name may be downloaded', when='configure'),
    Option(
        'unnorm_key',
        '',
        'Data set whose statistics un-normalise the actions; empty where there is only one',
        when='configure',
    ),
    Option(
        'device',
        'auto',
        'As torch names it: cpu, cuda, cuda:1; auto takes the GPU if any',
        when='configure',
    ),
    Option(
        'dtype',
        'auto',
        'Type of the weights; auto is float32 on the CPU, bfloat16 elsewhere',
        choices=('auto', 'float32', 'bfloat16', 'float16'),
        when='configure',
    ),
    Option(
        'arms',
        ('',),
        "Namespaces of the arms that are served, below the node's own; the empty name is the "
        "node's own. They may join and leave while the node runs",
    ),
    Option(
        'batch',
        8,
        'Arms that are answered together at most; those that have waited longest come first',
        range=(1, 16),
    ),
    Option(
        'batch_wait',
        0.002,
        'Longest that a request waits for those of other arms that asked lately; a lone arm does '
        'not wait',
        unit='s',
        range=(0.0, 0.1),
    ),
    *REMOTE.values(),
    ENGINE['engine'],
    ENGINE['engine_precision'],
    ENGINE['engine_device'],
    ENGINE['engine_required'],
    ENGINE['engine_calibration'],
    Option(
        'threads',
        0,
        'Threads of torch on the CPU; 0 is one fewer than there are cores',
        range=(0, 256),
    ),
    Option(
        'nice',
        5,
        'How far the computing threads stand back behind the other nodes',
        range=(0, 19),
        when='configure',
    ),
    Option(
        'warm_up',
        3,
        'Predictions before the first real one, which must not be a slow one',
        range=(1, 100),
        when='configure',
    ),
    replace(
        POLICY_STEP,
        why='Duration of one action, the step that the checkpoint was trained at; that of '
        'scheduler',
    ),
    FRAME_ID,
    METHOD['pruning'],
    replace(
        KEEP,
        why='Visual tokens kept over visual tokens, rounded up to a bucket: of dart, fastv, '
        'info_entropy, vla_pruner and random, of sp_vla and specprune where budget is fixed',
    ),
    replace(
        BUDGET,
        why='Whether sp_vla and specprune find their own count of tokens (adaptive) or keep the '
        'share `keep` (fixed)',
    ),
    Option(
        'pruning_parameters',
        '',
        'Other parameters that differ from their defaults, as YAML: {v_high: 0.5, layer: 3}; '
        'those of other methods wait until their method is chosen',
    ),
    METHOD['decoder'],
    METHOD['relaxed_bins'],
    METHOD['draft'],
    *(METHOD[name] for name in FLOW),
    Option(
        'proprio_names',
        ('',),
        'Names in proprio of the numbers that the checkpoint wants, in its order; empty takes '
        'the whole message in its own',
        when='configure',
    ),
    Option(
        'proprio_tolerance',
        0.1,
        'Farthest that proprioception may be from its observation by stamp',
        unit='s',
        range=(0.001, 1.0),
    ),
    Option(
        'max_age',
        1.0,
        'Observations older than this when their turn comes are not computed',
        unit='s',
        range=(0.01, 60.0),
    ),
)
