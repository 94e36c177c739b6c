#!/usr/bin/env bash
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

# Tune every method on the embedded arm, as config/presets were: tuning seeds only, all tasks.
# Less than twenty minutes on two quiet cores. What was interrupted goes on where it was left.
#
#   scripts/tune_tabletop.sh [OUT]     OUT is out/tune/tabletop by default
set -eu
cd "$(dirname "$0")/.."
out="${1:-out/tune/tabletop}"
# One thread a worker: more would take the cores from each other.
export OMP_NUM_THREADS=1

tune() {
    name="$1"
    shift
    # 1 says that nothing was good enough, which is a result, too.
    "${PYTHON:-python3}" -m vla_accel_ros.cli tune --workers "${WORKERS:-2}" \
        --out "$out/$name" "$@" || test $? -eq 1
}

simulate() {
    tune "$@" --sim --episodes 12
}

# Scheduling, exactly decoded: what a rule loses does not depend on how tokens are decoded.
simulate trust --methods trust+jacobi --trials 10 --range draft=given \
    --confirm 24 --confirm-seed 1500000 --points 3
simulate hold --methods hold+jacobi --trials 6 --range v_min=0:0.2 --range draft=given --confirm 0
simulate sp_vla_scheduling --methods sp_vla_scheduling+jacobi --trials 6 --range v_min=0:0.2 \
    --range draft=given --confirm 0
# Decoding, on frames: exact ways answer the same and differ in how long they take.
demo="$out/demo"
test -e "$demo" || "${PYTHON:-python3}" -m vla_accel_ros.cli record-demo --task stack \
    --episodes 4 --seed 1600000 --out "$demo"
tune decoding --bag "$demo" --methods jacobi,verify,relaxed --trials 4
# Pruning, by operations: on a CPU this small model takes as long with fewer tokens.
simulate pruning --methods sp_vla_pruning,vla_pruner,specprune,fastv,random --trials 3 \
    --cost flops --confirm 0
# Later and milder, where that found nothing.
simulate pruning_late --methods 'vla_pruner@keep=0.75,fastv@keep=0.75,random@keep=0.75,specprune' \
    --range k_global=20:72 --range k_local=20:72 --range drop_share=0:0.1 --trials 3 \
    --cost flops --confirm 0
# The best of scheduling with decoding that may be off by a little; it saved nothing more on
# further episodes, so the preset fast decodes exactly.
simulate fast --trials 4 --confirm 24 --confirm-seed 1500000 --points 2 --methods \
    'trust+relaxed@trust_linear=0.268,trust_angular=0.753,trust_share=0.973,trust_least=3,trust_flip=3,trust_longest=0.25,draft=given'
