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

# Makes .venv hold all that `make` needs; does nothing where it already does.
# PYTHON names another interpreter than python3. A run that was interrupted is taken up again.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv
log=$venv/setup.log

say() { printf '%s\n' "$*"; }
die() { printf 'set-up: %s\n' "$*" >&2; exit 1; }
. scripts/pip.sh

# Install Debian packages as root; else say the one line to type, and stop.
need_packages() {
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "  missing on this machine, apt-get install $*"
    (apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y \
      --no-install-recommends "$@") >"$apt_log" 2>&1 || { tail -n 5 "$apt_log" >&2; \
      die "apt-get could not install $*"; }
  else
    die "this machine lacks some packages. Type the next line and run make again:
  sudo apt-get update && sudo apt-get install -y $*"
  fi
}

opengl() {
  "$python" -c 'from vla_accel_ros.sim.gl import choose_backend
print(choose_backend() or "")'
}

# What cannot be had without root: Debian splits venv off Python, and servers have no OpenGL.
machine_packages() {
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    "$python" -c 'import virtualenv' 2>/dev/null || say "python$xy-venv"
  [ -n "$(opengl)" ] || "$python" -c 'from vla_accel_ros.sim.gl import PACKAGES
print(PACKAGES)'
}

make_venv() {
  rm -rf "$venv"
  if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    "$python" -m venv $system_site "$venv"
  else
    "$python" -m virtualenv --quiet $system_site "$venv"
  fi
  say "$identity" >"$venv/.identity"
}

install_all() {
  say "[2/3] libraries (PyTorch, MuJoCo, ...: some minutes the first time)"
  pip_install -r requirements.txt -r requirements-sim.txt -r requirements-eval.txt \
    -r requirements-engines.txt -r requirements-remote.txt
  say "[3/3] $ros_text, test tools"
  pip_install "${ros_requirements[@]}" -r requirements-test.txt
  pip_install --no-deps -r requirements-test-alone.txt
  pip_install --no-deps --no-build-isolation --editable .
}

works() {
  "$venv/bin/python" -c 'import cv2, mujoco, numpy, pytest, rclpy, sensor_msgs.msg, torch
import vla_accel_ros' >>"$log" 2>&1
}

# A virtual environment in use would hide whether the machine itself has ROS 2.
base_of() {
  "$1" -c 'import os, sys
here = os.path.join(sys.base_prefix, "bin", "python%d.%d" % sys.version_info[:2])
print(here if sys.prefix != sys.base_prefix and os.path.exists(here) else sys.executable)'
}
has_ros() { "$1" -c 'import rclpy' 2>/dev/null; }

python=$(base_of "${PYTHON:-python3}") \
  || die "no ${PYTHON:-python3} found; Python 3.10 or newer is needed"
# A sourced ROS 2 belongs to the distribution's Python, which need not be the first one.
if [ -n "${ROS_DISTRO:-}" ] && [ -z "${PYTHON:-}" ] && ! has_ros "$python" &&
    has_ros /usr/bin/python3; then
  python=/usr/bin/python3
fi
xy=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
  || die "$python is Python $xy; 3.10 or newer is needed (PYTHON=python3.12 make ... names another)"

if has_ros "$python"; then
  ros=${ROS_DISTRO:-local}
  ros_text="ROS 2 as installed on this machine ($ros)"
  ros_requirements=()
  # rclpy's own dependencies come from the distribution.
  system_site=--system-site-packages
else
  [ -z "${ROS_DISTRO:-}" ] || die "ROS_DISTRO is $ROS_DISTRO but $python cannot import rclpy;" \
    "name its interpreter (PYTHON=/usr/bin/python3 make ...) or use a shell without it"
  ros=wheels
  ros_text='ROS 2 Jazzy from wheels'
  ros_requirements=(-r requirements-ros.txt)
  system_site=
fi

identity="$PWD $python $("$python" -c 'import sys; print(sys.version)' | tr '\n' ' ') $ros"
key="$identity $(cat requirements*.txt setup.py setup.cfg pyproject.toml scripts/setup.sh \
  scripts/pip.sh vla_accel_ros/__init__.py | sha256sum)"
[ "$(cat "$venv/.ready" 2>/dev/null || true)" != "$key" ] || exit 0

# Two at once would install over each other; the second finds the work done.
exec 9>.venv.lock
if command -v flock >/dev/null; then
  flock -n 9 || { say 'set-up: waiting for another one in this folder'; flock 9; }
  [ "$(cat "$venv/.ready" 2>/dev/null || true)" != "$key" ] || exit 0
fi
apt_log=$(mktemp)
trap 'rm -f "$apt_log"' EXIT

missing=$(machine_packages)
# shellcheck disable=SC2086
[ -z "$missing" ] || need_packages $missing
gl=$(opengl)
[ -n "$gl" ] || die 'OpenGL was installed and still does not work; MUJOCO_GL names a backend'

if [ "$(cat "$venv/.identity" 2>/dev/null || true)" = "$identity" ]; then
  say "[1/3] virtual environment $venv: there already, Python $xy"
  rm -f "$venv/.ready"
else
  say "[1/3] virtual environment $venv, Python $xy"
  make_venv
fi
install_all
if ! works; then
  say 'what an interrupted run left is not usable; once more from nothing'
  make_venv
  install_all
  works || { tail -n 5 "$log" >&2; die "the libraries cannot be imported, see $log"; }
fi

printf '%s' "$key" >"$venv/.ready"
say "ready: $venv (OpenGL: $gl; $("$venv/bin/vla-accel" --version))"
