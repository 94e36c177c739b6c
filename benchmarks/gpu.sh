#!/bin/sh
# All that waits for a GPU, in one command on a bare machine; benchmarks/README.md says what.
cd "$(dirname "$0")/.." || exit
exec "${PYTHON:-python3}" -m benchmarks.gpu "$@"
