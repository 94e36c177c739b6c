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

"""A policy of tools drives the embedded arm by its joints, through the whole joint path.

The checkpoint's displacements become absolute joint positions by the arm's inverse kinematics.
From there on everything is of joints: the pilot decides in the joint space, the guard checks each
action against the description's limits and the measured joints, and the arm takes what the guard
sends. `python -m vla_accel_ros.evaluation.joint_space` runs episodes.
"""

from __future__ import annotations

import argparse
from collections import Counter
import sys

from vla_accel_ros.actions import Action, ActionChunk
from vla_accel_ros.environments.tabletop import CAMERAS
from vla_accel_ros.evaluation import seeds
from vla_accel_ros.observations import Observation
from vla_accel_ros.paths import DEFAULT_CHECKPOINT, checkpoint_folder
from vla_accel_ros.safety.arm_guard import ArmGuard, Command
from vla_accel_ros.safety.guard_config import GuardConfig
from vla_accel_ros.safety.joint_drive import JointDrive
from vla_accel_ros.scheduling.config import SchedulerConfig
from vla_accel_ros.scheduling.pilot import Pilot
from vla_accel_ros.sim.description import JOINT_NAMES, urdf
from vla_accel_ros.sim.env import HOLD_STEPS, TabletopEnv
from vla_accel_ros.sim.joints import JOINT_SPACE, as_positions
from vla_accel_ros.sim.tasks import all_instructions

NS = 1_000_000_000
# Every step asks the policy: what is measured is the joint path, not a way to skip calls.
EVERY_STEP = SchedulerConfig(rule='never')


class JointPath:
    """The pilot and the guard in joint space, between a policy and the embedded arm.

    Args:
        env: The arm.
        policy: Anything with `reset()` and `predict(observation)`, whose answer has
            `chunk_values` float [n, 7].
        config: How the pilot decides.
    """

    def __init__(self, env: TabletopEnv, policy, config: SchedulerConfig = EVERY_STEP) -> None:
        self._env, self._policy = env, policy
        self._pilot = Pilot(config, JOINT_SPACE)
        self._drive = JointDrive(JOINT_SPACE)
        if wrong := self._drive.describe(urdf()):
            raise ValueError(wrong)
        self._guard = ArmGuard(GuardConfig(), self._drive)
        self._step_s = config.policy_step_s
        self._now_ns, self._gripper = NS, 0.0
        self.counts: Counter[str] = Counter()

    def run(self, seed: int, instruction: str) -> bool:
        """Run one episode; return whether it succeeded."""
        env = self._env
        env.reset(seed=seed, options={'task': instruction})
        self._policy.reset()
        self._pilot.set_instruction(instruction)
        self._pilot.reset()
        self._now_ns, self._gripper, held = self._now_ns + NS, 0.0, 0
        self._measure()
        self._guard.enable(self._now_ns)
        for _ in range(env.task.max_steps):
            self._decide(instruction)
            held = held + 1 if self._move() else 0
            if held >= HOLD_STEPS:
                return True
        return False

    def _decide(self, instruction: str) -> None:
        env, now_ns = self._env, self._now_ns
        decision = self._pilot.on_frame(now_ns, now_ns)
        if decision.request is not None:
            seen = env.observe()
            images = tuple(seen[name] for name in env.cameras)
            observation = Observation(images, instruction, now_ns, seen['proprio'])
            chunk = as_positions(
                env, self._policy.predict(observation).chunk_values, env.measured()
            )
            self.counts['calls'] += 1
            answered = self._pilot.on_answer(ActionChunk(chunk, now_ns, space=JOINT_SPACE), now_ns)
            decision = answered if decision.action is None else decision
        self.counts[decision.kind.value] += 1
        if decision.action is not None:
            self._accept(decision.action)

    def _accept(self, action: Action) -> None:
        self._measure()
        refusal = self._guard.accept(action, self._now_ns, self._step_s)
        if refusal:
            self.counts[f'refused/{refusal.reason}'] += 1

    def _move(self) -> bool:
        """Let the guard stream for a step, and the arm take the last of it."""
        end_ns = self._now_ns + round(self._step_s * NS)
        while self._now_ns < end_ns:
            self._measure()
            command: Command = self._guard.tick(self._now_ns)
            (gripper,) = command.grippers
            self._gripper = self._gripper if gripper is None else gripper
            self._now_ns = min(self._now_ns + round(self._guard.period_s * NS), end_ns)
        self.counts[command.reason] += 1
        joints = command.values or tuple(self._env.measured())
        return self._env.advance_joints(joints, self._gripper)

    def _measure(self) -> None:
        joints = self._env.measured().tolist()
        self._drive.update_joints(JOINT_NAMES, joints, self._now_ns)


def arguments(doc: str) -> argparse.ArgumentParser:
    """Give what is asked of those who let a policy of a tool drive joints.

    Args:
        doc: Of the program; its first paragraph is shown.
    """
    parser = argparse.ArgumentParser(description=doc.split('\n\n')[0])
    parser.add_argument(
        '--checkpoint', default=DEFAULT_CHECKPOINT, help='answers a tool (%(default)s)'
    )
    parser.add_argument('--episodes', type=int, default=100, help='how many (%(default)s)')
    first = seeds.RANGES['reporting'].start
    parser.add_argument('--seed', type=int, default=first, help='the first (%(default)s)')
    return parser


def main() -> int:
    """Print how many episodes succeeded, and what became of every step."""
    from vla_accel_ros.models.policy import Policy
    from vla_accel_ros.models.serving import check_tool

    args = arguments(__doc__).parse_args()
    chosen = seeds.require('reporting', args.seed, args.episodes)
    policy = Policy.load(checkpoint_folder(args.checkpoint))
    check_tool(policy)
    env = TabletopEnv(image_size=policy.config.image_size, cameras=CAMERAS[: policy.cameras])
    path, known, won = JointPath(env, policy), all_instructions(), 0
    for count, seed in enumerate(chosen, 1):
        won += path.run(seed, known[seed % len(known)])
        print(f'{won} of {count}, seed {seed}: {dict(path.counts)}', flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
