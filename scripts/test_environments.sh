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


# The tests of LIBERO and of SimplerEnv, each in its own virtual environment (make libero, make
# simpler). NAME... picks some of them; what follows -- goes to pytest.
set -uo pipefail
cd "$(dirname "$0")/.."

names=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do names+=("$1"); shift; done
[ $# -eq 0 ] || shift
[ ${#names[@]} -gt 0 ] || names=(libero simpler)
failed=0
for name in "${names[@]}"; do
  printf '%s\n' "--- tests in .venv-$name"
  ".venv-$name/bin/python" -m pytest test/*/test_"$name"_*.py "$@" || failed=1
done
exit $failed
