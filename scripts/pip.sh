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

# What the set-up scripts share: running pip, and saying why it failed. Sourced; wants $venv, $log
# and `die`.

# Byte code is made as it is first needed: it would take a quarter of the time and an eighth of the
# room, most of it for modules that nothing imports.
pip_run() {
  "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off \
    --no-compile "$@"
}

free_gb() { df -Pk "$1" 2>/dev/null | awk 'NR == 2 { printf "%.1f GB", $4 / 1e6 }'; }

# Say why pip failed, and end.
pip_failed() {
  grep -E '^(ERROR|error)' "$log" | tail -n 5 >&2 || true
  # Earlier runs are in the log, too.
  if tail -n 20 "$log" | grep -Eq 'Errno 28|No space left'; then
    local temporary=${TMPDIR:-/tmp}
    die "the disk is full: $(free_gb .) free here, $(free_gb "$temporary") in $temporary." \
      "$venv takes 3 GB, and 1 GB of temporary files meanwhile. Run make again once there is room"
  fi
  die "pip failed; the whole output is in $log. Run make again once it is mended"
}
