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

free_kb() { df -Pk "$1" 2>/dev/null | awk 'NR == 2 { print $4 }'; }
free_gb() { free_kb "$1" | awk '{ printf "%.1f GB", $1 / 1e6 }'; }
full() { local kb; kb=$(free_kb "$1"); [ -n "$kb" ] && [ "$kb" -lt 100000 ]; }

# Run pip, show what it downloads, keep the whole in the log.
# Byte code is made as it is first needed: it would take a quarter of the time and an eighth of the
# room, most of it for modules that nothing imports.
pip_install() {
  local before; before=$(wc -l 2>/dev/null <"$log" || echo 0)
  "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off \
    --no-compile "$@" 2>&1 | tee -a "$log" |
    sed -un -e 's/^ *Downloading \(.*\/\)\?\([^-/ ]*-[^-/ ]*\)[^/ ]* (\(.*[MG]B\).*/    \2  \3/p' \
      -e 's/^Installing collected packages.*/    installing/p' || pip_failed "$before"
}

# Say why pip failed, and end. The log holds earlier runs, too: $1 is how many lines these have.
pip_failed() {
  local said temporary=${TMPDIR:-/tmp}
  said=$(tail -n "+$(($1 + 1))" "$log" 2>/dev/null || true)
  grep -E '^(ERROR|error)' <<<"$said" | tail -n 5 >&2 || true
  # Where nothing is left, the log may lack the reason.
  if grep -E 'Errno 28|No space left' <<<"$said" >/dev/null || full . || full "$temporary"; then
    die "the disk was full. Now $(free_gb .) are free here, $(free_gb "$temporary") in $temporary." \
      "$venv takes 3 GB, and 1 GB of temporary files meanwhile. Run make again once there is room"
  fi
  die "pip failed; the whole output is in $log. Run make again once it is mended"
}
