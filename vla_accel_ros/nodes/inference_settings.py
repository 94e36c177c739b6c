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

from vla_accel_ros.ros.base import Setting

# Named here too, for asking the registries would load torch with the node's first breath.
PRUNING = ('none', 'sp_vla', 'vla_pruner', 'specprune', 'fastv', 'random')
DECODERS = ('greedy', 'verify', 'jacobi', 'relaxed')
DRAFTS = ('given', 'previous', 'none')

SETTINGS = (
    Setting(
        'checkpoint',
        'tabletop-s',
        'A checkpoint that comes with the package, by name, or a folder; a hub name where '
        'allow_download is on',
        when='configure',
    ),
    Setting('allow_download', False, 'Whether a hub name may be downloaded', when='configure'),
    Setting(
        'unnorm_key',
        '',
        'Data set whose statistics un-normalise the actions; empty where there is only one',
        when='configure',
    ),
    Setting(
        'device',
        'auto',
        'As torch names it: cpu, cuda, cuda:1; auto takes the GPU if any',
        when='configure',
    ),
    Setting(
        'dtype',
        'auto',
        'Type of the weights; auto is float32 on the CPU, bfloat16 elsewhere',
        choices=('auto', 'float32', 'bfloat16', 'float16'),
        when='configure',
    ),
    Setting(
        'threads',
        0,
        'Threads of torch on the CPU; 0 is one fewer than there are cores',
        range=(0, 256),
    ),
    Setting(
        'nice',
        5,
        'How far the computing threads stand back behind the other nodes',
        range=(0, 19),
        when='configure',
    ),
    Setting(
        'warm_up',
        3,
        'Predictions before the first real one, which must not be a slow one',
        range=(1, 100),
        when='configure',
    ),
    Setting(
        'policy_step',
        0.05,
        'Duration of one action, the step that the checkpoint was trained at; that of scheduler',
        unit='s',
        range=(0.02, 1.0),
    ),
    Setting(
        'frame_id',
        'base_link',
        'Frame that actions are expressed in: that of arm_command',
        when='configure',
    ),
    Setting(
        'pruning',
        'none',
        'Which visual tokens are dropped: the method, from the next call on',
        choices=PRUNING,
    ),
    Setting(
        'keep',
        0.25,
        'Visual tokens kept over visual tokens, rounded up to a bucket: of fastv, vla_pruner and '
        'random, of sp_vla and specprune where budget is fixed',
        range=(0.001, 1.0),
    ),
    Setting(
        'budget',
        'adaptive',
        'Whether sp_vla and specprune find their own count of tokens (adaptive) or keep the '
        'share `keep` (fixed)',
        choices=('adaptive', 'fixed'),
    ),
    Setting(
        'pruning_parameters',
        '',
        'Other parameters that differ from their defaults, as YAML: {v_high: 0.5, layer: 3}; '
        'those of other methods wait until their method is chosen',
    ),
    Setting(
        'decoder',
        'jacobi',
        'How tokens are decoded: one a pass (greedy), several with the same result (verify, '
        'jacobi), or several with one that may be off by a little (relaxed)',
        choices=DECODERS,
    ),
    Setting(
        'relaxed_bins',
        2,
        'Largest move that the decoder `relaxed` takes for none; a bin is 1/255 of a range of '
        'the statistics',
        unit='bins',
        range=(0, 255),
    ),
    Setting(
        'draft',
        'given',
        'What the decoder verifies: the action that came with the request (of the predictor that '
        'scheduler has, ridge or hold), the last answer (previous), or none',
        choices=DRAFTS,
    ),
    Setting(
        'proprio_names',
        [''],
        'Names in proprio of the numbers that the checkpoint wants, in its order; empty takes '
        'the whole message in its own',
        when='configure',
    ),
    Setting(
        'proprio_tolerance',
        0.1,
        'Farthest that proprioception may be from its observation by stamp',
        unit='s',
        range=(0.001, 1.0),
    ),
    Setting(
        'max_age',
        1.0,
        'Observations older than this when their turn comes are not computed',
        unit='s',
        range=(0.01, 60.0),
    ),
)
