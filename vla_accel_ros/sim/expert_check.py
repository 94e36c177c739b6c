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


"""Measure the expert: `python -m vla_accel_ros.sim.expert_check [episodes] [first seed]`."""

from __future__ import annotations

import sys

from vla_accel_ros.sim.env import TabletopEnv
from vla_accel_ros.sim.expert import Expert
from vla_accel_ros.sim.tasks import all_instructions


def run_episode(env: TabletopEnv, instruction: str, seed: int, noise=None) -> tuple[bool, int]:
    """Let the expert do one episode.

    Args:
        env: Where; without cameras it is fast.
        instruction: What to do.
        seed: Of the start.
        noise: Called with the expert's action, returns the one executed; None executes it.

    Returns:
        Whether it succeeded, and after how many steps the episode ended.
    """
    expert = Expert()
    _, info = env.reset(seed=seed, options={'task': instruction})
    terminated = truncated = False
    while not (terminated or truncated):
        action = expert.action(env.state(), env.task)
        _, _, terminated, truncated, info = env.step(noise(action) if noise else action)
    return terminated, info['steps']


def main(episodes: int = 50, first_seed: int = 0) -> int:
    """Print success and mean steps of every instruction; return how many episodes failed."""
    env = TabletopEnv(cameras=())
    failures = 0
    for instruction in all_instructions():
        ends = [run_episode(env, instruction, first_seed + n) for n in range(episodes)]
        won = sum(success for success, _ in ends)
        lost = [first_seed + n for n, (success, _) in enumerate(ends) if not success]
        failures += len(lost)
        steps = sum(count for _, count in ends) / episodes
        note = f'  failed seeds {lost}' if lost else ''
        print(f'{won:3d} / {episodes}  {steps:6.1f} steps  {instruction}{note}', flush=True)
    return failures


if __name__ == '__main__':
    sys.exit(1 if main(*map(int, sys.argv[1:])) else 0)
