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

# A browser for the tests of the reports, which is all that needs one. Does nothing where it is
# there. Without it the other tests run, and these fail with the line to type.
set -euo pipefail

packages='chromium chromium-driver'

has_browser() {
  command -v chromedriver >/dev/null &&
    { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null
}

! has_browser || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  printf '  for the tests of the reports, apt-get install %s\n' "$packages"
  # shellcheck disable=SC2086
  if (apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y \
      --no-install-recommends $packages) >"$log" 2>&1 && has_browser; then
    exit 0
  fi
  tail -n 3 "$log" >&2
fi
printf 'the tests of the reports want a browser. Type the next line and run make again:\n  %s\n' \
  "sudo apt-get update && sudo apt-get install -y $packages" >&2
