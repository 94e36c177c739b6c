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


"""inference: the VLA behind two topics an arm, one observation at a time, at most one behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
import sys
import time

from vla_accel_ros.acceleration import apply_method, check_method, method_of
from vla_accel_ros.acceleration.node_parameters import read_pruning_parameters
from vla_accel_ros.deploy.wants import Wants
from vla_accel_ros.engines.wish import EngineWish
from vla_accel_ros.nodes import inference_policy
from vla_accel_ros.nodes.inference_arm import Job
from vla_accel_ros.nodes.inference_arms import Arms, check_arms
from vla_accel_ros.nodes.inference_engine import EngineSwitch
from vla_accel_ros.nodes.inference_remote import RemoteSwitch
from vla_accel_ros.nodes.inference_settings import SETTINGS
from vla_accel_ros.remote.settings import RemoteSettings
from vla_accel_ros.ros import base
from vla_accel_ros.ros.worker import Worker

# A call that is still computing when the node is cleaned up is waited for this long.
PATIENCE_S = 30.0


class Inference(base.Node):
    """Serve arms: each pairs its observations and requests, the worker computes for all.

    Attributes:
        worker: Answers the arms' jobs; None while the node is not configured.
        arms: The arms that are served; None while the node is not configured.
    """

    NAME = 'inference'
    SETTINGS = SETTINGS

    def __init__(self, **kwargs) -> None:
        self.worker: Worker[Job] | None = None
        self.arms: Arms | None = None
        self._policy = self._engine = self._meeting = None
        super().__init__(**kwargs)

    def check(self, settings: Mapping[str, object]) -> None:
        """Refuse a method or an engine that does not fit the model, once there is one."""
        check_arms(settings)
        if self._policy is None:
            # More takes torch, which comes with the model.
            read_pruning_parameters(settings['pruning_parameters'])
            EngineWish.of(settings)
            RemoteSettings.of(settings)
        else:
            check_method(method_of(settings), self._policy)
            self._engine.check(settings)

    def configure(self) -> None:
        """Load, test and warm up the checkpoint; raise with the reason when it is no good."""
        settings = self.settings
        self.worker = worker = Worker(self._answer, self._failed, 'inference', settings['nice'])
        self._policy = policy = worker.call(lambda: self.load(settings)).result()
        apply_method(method_of(settings), policy)
        wants = self.wants(settings, policy)
        arms = Arms(self, policy, wants, worker.call)
        self._on_progress(1.0, f'engine {settings["engine"]}')
        if settings['remote']:
            self._engine = RemoteSwitch(policy, self.health)
        else:
            # Only here is torch there.
            self._meeting = inference_policy.meeting()
            policy.meet()
            self._engine = EngineSwitch(
                policy,
                arms.policies,
                worker.call,
                self._on_progress,
                self.health,
                self.get_logger().warning,
            )
        self._engine.start(settings)
        self._on_progress(1.0, 'self-test and warm-up')
        about, arms.warm_ms = worker.call(
            lambda: inference_policy.try_out(policy, settings, self.health)
        ).result()
        self.arms = arms
        arms.serve(settings['arms'])
        self._set_batch()
        # Those of further arms are warmed up meanwhile.
        worker.call(lambda: None).result()
        self._engine.settle()
        self._engine.tell()
        self._on_progress(1.0, 'ready')
        self.get_logger().info(about)

    def load(self, settings: Mapping[str, object]):
        """Load the policy, in the worker's thread; see `inference_policy.load_policy`."""
        return inference_policy.load_policy(settings, self._on_progress)

    def wants(self, settings: Mapping[str, object], policy) -> Wants:
        """Say what the policy wants of the robot; see `inference_policy.wants_of`."""
        return inference_policy.wants_of(settings, policy.unnorm_key)

    def activate(self) -> None:
        """Begin a new life of every arm: nothing from before counts."""
        for arm in self.arms:
            arm.begin()

    def deactivate(self) -> None:
        """End the life of every arm."""
        for arm in self.arms:
            arm.end()

    def cleanup(self) -> None:
        """Let the arms go, wait for the running call, then let go of the model."""
        arms, self.arms = self.arms, None
        if arms is not None:
            arms.close()
        worker, self.worker, self._policy = self.worker, None, None
        ended = worker is None or worker.close(PATIENCE_S)
        if not ended:
            self.health.event('worker_hangs', f'still computing after {PATIENCE_S:.0f} s')
        meeting, self._meeting = self._meeting, None
        if meeting is not None and ended:
            meeting.close()
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def apply(self, changed: Mapping[str, object]) -> None:
        """Hand new values to the model, between two calls; the rest is read at each call."""
        if 'threads' in changed and not self.settings['remote']:
            self.worker.call(lambda: inference_policy.set_threads(changed['threads']))
        if 'arms' in changed:
            self.arms.serve(self.settings['arms'])
        self._set_batch()
        for policy in self.arms.policies():
            apply_method(method_of(self.settings), policy)
        self._engine.apply(changed, self.settings)
        for arm in self.arms:
            arm.tell()

    def _set_batch(self) -> None:
        self.worker.most = self.settings['batch']
        self.worker.bound = self.settings['batch_wait']

    def _on_progress(self, share: float, what: str) -> None:
        """Show how far loading is, at most twice a second; called in the worker's thread, too."""
        now = time.monotonic()
        self.health.figure('loading', f'{share:.0%} {what}')
        if share >= 1.0 or now - getattr(self, '_shown', 0.0) > 0.5:
            self._shown = now
            self.get_logger().info(f'loading: {share:.0%} {what}')
            self.publish_diagnostics()

    # -- in the worker's thread ------------------------------------------------------------------

    def _answer(self, jobs: Sequence[Job]) -> Sequence[Exception | None]:
        meeting, engine = self._meeting, self._engine
        if len(jobs) == 1 or meeting is None:
            for job in jobs:
                job.arm.answer(job)
            raised: Sequence[Exception | None] = [None] * len(jobs)
        else:
            raised = meeting.run([partial(job.arm.answer, job) for job in jobs])
            self.health.count('batches')
            self.health.figure('batch', len(jobs))
        if engine is not None:
            engine.tell()
        return raised

    def _failed(self, error: Exception, job: Job) -> None:
        if (engine := self._engine) is not None:
            engine.tell()
        job.arm.failed(error)


def main(argv: list[str] | None = None) -> int:
    """Run the inference node as a process."""
    return base.run(Inference, argv)


if __name__ == '__main__':
    sys.exit(main())
