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

# The whole suite. What starts no nodes runs on all cores. Then the graphs of real nodes run one by
# one, for other tests beside them would delay their messages. They mostly wait, so LIBERO's and
# SimplerEnv's tests have the processor meanwhile, at the lowest priority, and behind them others
# that take long and watch no clock.
# With arguments it is one run of pytest with these.
set -uo pipefail
cd "$(dirname "$0")/.."

pytest() { .venv/bin/python -m pytest "$@"; }

if [ $# -gt 0 ]; then
  pytest "$@"
  exit
fi
graphs=(test/ros test/nodes test/graph test/faults test/commands/test_{demo,status}.py)
patient=(test/training test/engines/test_tensorrt_plan.py)
apart=("${graphs[@]}" "${patient[@]}")
failed=0
pytest -n auto --maxprocesses 4 --dist worksteal "${apart[@]/#/--ignore=}" || failed=1

worlds=(libero simpler)
if [ "$(uname -m)" != x86_64 ]; then
  worlds=(libero)
  printf '%s\n' 'SimplerEnv is not tested: SAPIEN has wheels for x86_64 only.'
fi
output=$(mktemp)
# A session of its own has a priority of its own where Linux shares the processor by sessions;
# elsewhere nice gives it.
setsid nice -n 19 bash -c 'echo 19 2>/dev/null >/proc/self/autogroup
  failed=0
  { make $1 && scripts/test_environments.sh $1; } || failed=1
  shift
  .venv/bin/python -m pytest "$@" || failed=1
  exit $failed' - "${worlds[*]}" "${patient[@]}" >"$output" 2>&1 &
beside=$!
trap 'kill -- "-$beside" 2>/dev/null; rm -f "$output"' EXIT
pytest "${graphs[@]}" || failed=1

printf 'The tests that were begun beside the graphs, of %s and others:\n' "${worlds[*]}"
wait "$beside" || failed=1
cat "$output"
exit $failed
