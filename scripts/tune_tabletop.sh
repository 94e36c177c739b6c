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
# Twenty minutes on two quiet cores; each search goes on where it was left.
#
#   scripts/tune_tabletop.sh [OUT]     OUT is out/tune/tabletop by default
set -eu
cd "$(dirname "$0")/.."
out="${1:-out/tune/tabletop}"
workers="${WORKERS:-2}"
# Threads of OpenMP that spin would take the cores from the other worker.
export OMP_NUM_THREADS=1

tune() {
    name="$1"
    shift
    "${PYTHON:-python3}" -m vla_accel_ros.cli tune --sim --workers "$workers" \
        --out "$out/$name" --episodes 18 --confirm 30 --confirm-seed 1500000 --points 4 "$@" ||
        test $? -eq 1  # Nothing good enough is a result, too.
}

# The generator alone, and by the three rules.
tune hold --methods hold --trials 14
tune sp_vla_scheduling --methods sp_vla_scheduling --trials 14
tune trust --methods 'hold@rule=trust,gripper_guard=false' --trials 14
# Pruning alone; its loss shows at once, its gain on a CPU is small.
tune pruning --methods sp_vla_pruning,vla_pruner,specprune,fastv,random --trials 8
# Decoding alone: exact ways differ in their drafts only.
tune decoding --methods jacobi,verify,relaxed --trials 6
# Everything that helped.
tune sp_vla --methods sp_vla --trials 12
tune combined --methods 'hold+jacobi,hold+relaxed,hold+jacobi@rule=trust,gripper_guard=false' \
    --trials 12
