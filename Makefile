# What a user types. Everything else (virtual environment, libraries) is made on the way.
.DEFAULT_GOAL := help
.PHONY: help setup browser engine demo test test-environments test-cluster test-network libero simpler lint bench fuzz soak doctor clean
BIN := .venv/bin
# Set by the ROS 2 wheels of another environment, it would keep ours from finding its libraries.
unexport _ROS_WHEELS_BOOTSTRAP_COMPLETE

help:  ## This list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## */|/' | awk -F'|' '{printf "  make %-17s %s\n", $$1, $$2}'

setup:  ## Virtual environment and libraries; does nothing where they are there
	@scripts/setup.sh

# The tests of the reports open them in Chromium; nothing else needs it.
browser: setup
	@scripts/browser.sh

# The demo's checkpoint on a faster engine. It is built once; where that fails, the demo runs on eager.
engine: setup  ## A faster engine for the demo and the default launch, half a minute once
	@cmp -s .venv/.ready .venv/.engine || \
	  { $(BIN)/vla-accel engine build --engine onnxruntime --methods none,sp_vla --decoders greedy,jacobi \
	  && cp .venv/.ready .venv/.engine; } || true

demo: engine  ## The arm moves: five episodes in real time (ARGS="--help" for options)
	@$(BIN)/vla-accel demo $(ARGS)

test: browser  ## The whole test suite, lint included (ARGS="-k name" for a part)
	@scripts/test.sh $(ARGS)

libero:  ## LIBERO with its assets in .venv-libero (docs/environments.md)
	@scripts/other_venv.sh libero

simpler:  ## SimplerEnv's tasks through ManiSkill 3 in .venv-simpler
	@scripts/other_venv.sh simpler

test-environments: libero simpler  ## The tests of LIBERO and SimplerEnv, each where it is installed
	@scripts/test_environments.sh $(ARGS)

test-cluster:  ## eval and tune on a Ray cluster of several nodes, in .venv-cluster (docs/cluster.md)
	@scripts/other_venv.sh cluster
	@.venv-cluster/bin/python -m pytest -q test/cluster $(ARGS)

test-network: setup  ## The link between robot and GPU made bad, in two network namespaces; wants root (docs/network.md)
	@# A process each: Fast DDS keeps how the first nodes of a process were found.
	@VLA_ACCEL_NETWORK=1 $(BIN)/python -m pytest -q test/network/test_link.py $(ARGS)
	@VLA_ACCEL_NETWORK=1 $(BIN)/python -m pytest -q test/network/test_discovery_server.py

lint: setup  ## Only the lint
	@$(BIN)/python -m pytest -q test/lint $(ARGS)

bench: setup  ## Latency and jitter of the nodes, ten minutes (benchmarks/README.md)
	@$(BIN)/python -m benchmarks.run $(ARGS)

fuzz: setup  ## A million messages to the guard, changed files to every reader; an hour and a half
	@$(BIN)/python -m benchmarks.fuzz $(ARGS)

soak: engine  ## Endurance: an hour, then 24 simulated ones (ARGS="--minutes 10" for less)
	@nice -n 10 $(BIN)/python -m benchmarks.soak $(ARGS)

doctor: setup  ## What this machine has, and what to do about what is missing
	@$(BIN)/vla-accel doctor $(ARGS)

clean:  ## Remove the virtual environment and all that is made
	rm -rf .venv .venv-* .venv.lock build install log out *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
