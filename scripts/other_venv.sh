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


# Makes .venv-NAME for what has no place in .venv; does nothing where it is there. NAME is libero or
# simpler, environments of others that do not get on with it, or cluster. Its pins are in
# requirements-NAME.txt.
# PYTHON names another interpreter than python3.
set -euo pipefail
cd "$(dirname "$0")/.."

name=$1
besides=()
case $name in
  libero) module=libero.libero ;;
  simpler) module=mani_skill ;;
  # Episodes of the embedded arm, and a search of settings.
  cluster) module=ray; besides=(requirements.txt requirements-sim.txt requirements-eval.txt) ;;
  *) printf 'other_venv.sh: %s, expected libero, simpler or cluster\n' "$name" >&2; exit 1 ;;
esac
files=("${besides[@]}" "requirements-$name.txt")
venv=.venv-$name
log=$venv/setup.log

die() { printf '%s: %s\n' "$venv" "$*" >&2; exit 1; }
. scripts/pip.sh

python=${PYTHON:-python3}
# Of a virtual environment, what it was made of.
python=$("$python" -c 'import os, sys
here = os.path.join(sys.base_prefix, "bin", "python%d.%d" % sys.version_info[:2])
print(here if sys.prefix != sys.base_prefix and os.path.exists(here) else sys.executable)') \
  || die "no $python found; Python 3.11 or newer is needed"
key="$PWD $python $("$python" -c 'import sys; print(sys.version)' | tr '\n' ' ') $(cat \
  requirements.txt "${files[@]}" setup.py scripts/other_venv.sh scripts/pip.sh | sha256sum)"
[ "$(cat "$venv/.ready" 2>/dev/null || true)" != "$key" ] || exit 0

# SAPIEN draws by Vulkan. Where this machine's driver cannot, Mesa's for the CPU is taken out of its
# Debian package, without installing it.
draws() {
  "$venv/bin/python" -c 'from vla_accel_ros.environments.simpler_import import check_driver
check_driver()' >>"$log" 2>&1
}
driver() {
  [ "$(uname -m)" = x86_64 ] && command -v dpkg >/dev/null && command -v apt-get >/dev/null || return 1
  local work; work=$(mktemp -d)
  mkdir -p "$work/lists/partial" "$work/debs" "$venv/vulkan"
  local apt=(-q -o "Dir::State::lists=$work/lists" -o Dir::Cache::pkgcache= \
    -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
  if [ -r /etc/os-release ] && . /etc/os-release && [ "${VERSION_CODENAME:-}" = bookworm ]; then
    # Bookworm's own Mesa is too old.
    printf 'deb [signed-by=%s] http://deb.debian.org/debian bookworm-backports main\n' \
      /usr/share/keyrings/debian-archive-keyring.gpg >"$work/sources.list"
    apt+=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null)
  fi
  (apt-get "${apt[@]}" update && cd "$work/debs" &&
    apt-get "${apt[@]}" download mesa-vulkan-drivers &&
    dpkg -x "$work"/debs/*.deb "$work/root") >>"$log" 2>&1 || { rm -rf "$work"; return 1; }
  find "$work/root" -name libvulkan_lvp.so -exec cp {} "$venv/vulkan/" \;
  rm -rf "$work"
  printf '{"ICD": {"api_version": "1.3.0", "library_path": "%s"}, "file_format_version": "1.0.0"}\n' \
    "$PWD/$venv/vulkan/libvulkan_lvp.so" >"$venv/vulkan/lvp.json"
}

printf '%s, Python of %s: some minutes the first time\n' "$venv" "$python"
if [ "$(cat "$venv/.python" 2>/dev/null || true)" != "$PWD $python" ]; then
  rm -rf "$venv"
  "$python" -m venv "$venv" 2>/dev/null || "$python" -m virtualenv --quiet "$venv" ||
    die "$python has neither venv nor virtualenv"
  printf '%s' "$PWD $python" >"$venv/.python"
fi
rm -f "$venv/.ready"
pip_install "${files[@]/#/--requirement=}"
if [ "$name" = cluster ]; then
  # The tools of its tests, at the versions of all others.
  pip_install -c requirements-test.txt hypothesis pytest pytest-timeout
fi
# Of two that install this folder at once, each would write where the other builds.
exec 9>.venv.lock
if command -v flock >/dev/null; then flock 9; fi
pip_install --no-deps --no-build-isolation --editable .
exec 9>&-
"$venv/bin/python" -c "from importlib.util import find_spec as f; assert f('$module')" ||
  die "$module cannot be found, see $log"
if [ "$name" = simpler ] && ! draws; then
  { driver && draws; } || printf '%s: no Vulkan driver draws here; tests that need one say so\n' "$venv" >&2
fi
printf '%s' "$key" >"$venv/.ready"
printf 'ready: %s (%s)\n' "$venv" "$("$venv/bin/vla-accel" --version)"
