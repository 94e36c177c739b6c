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


"""inference: the VLA behind two topics, one observation at a time, never more than one behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import sys
import threading
import time

import numpy as np
from sensor_msgs.msg import Image, JointState
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.acceleration import apply_method, check_method, method_of
from vla_accel_ros.acceleration.node_parameters import read_pruning_parameters
from vla_accel_ros.actions import ActionChunk
from vla_accel_ros.engines.wish import EngineWish
from vla_accel_ros.inputs.joint_states import ProprioBuffer
from vla_accel_ros.inputs.stamp_pair import StampPair
from vla_accel_ros.nodes import inference_policy
from vla_accel_ros.nodes.inference_engine import EngineSwitch
from vla_accel_ros.nodes.inference_facts import ModelWatch
from vla_accel_ros.nodes.inference_remote import FAILURES as REMOTE_FAILURES
from vla_accel_ros.nodes.inference_remote import RemoteSwitch
from vla_accel_ros.nodes.inference_settings import SETTINGS
from vla_accel_ros.nodes.token_view import dim_dropped
from vla_accel_ros.remote.settings import RemoteSettings
from vla_accel_ros.ros import base, qos
from vla_accel_ros.ros.facts import Teller
from vla_accel_ros.ros.images import array_to_image, image_to_array
from vla_accel_ros.ros.messages import NS, ChunkStats, chunk_to_message, message_to_request, to_ns
from vla_accel_ros.ros.worker import Worker
from vla_accel_ros.scheduling.decision import Request

# A call that is still computing when the node is cleaned up is waited for this long.
PATIENCE_S = 30.0
FAILURES = {
    'TokenizerError': 'unknown_instruction',
    'NotFiniteError': 'model_not_finite',
    'OutOfMemoryError': 'out_of_memory',
    'ProprioError': 'wrong_proprio',
    'EngineError': 'engine_failed',
    **REMOTE_FAILURES,
}


@dataclass(frozen=True, eq=False)
class Job:
    """One observation to answer.

    Attributes:
        frame: uint8 [cameras * h, w, 3], the views stacked.
        request: The scheduler's question to it.
        proprio: float64 [m], or None for checkpoints that want none.
        life: Number of the activation that it belongs to.
        since_ns: When the pair was complete, steady clock.
    """

    frame: np.ndarray
    request: Request
    proprio: np.ndarray | None
    life: int
    since_ns: int


class Inference(base.Node):
    """Pair observation and request by stamp, let the worker compute, publish the chunk."""

    NAME = 'inference'
    SETTINGS = SETTINGS

    def __init__(self, **kwargs) -> None:
        self._policy = self._worker = self._engine = None
        # Held while publishing, so that no answer of an ended activation slips out.
        self._publishing = threading.Lock()
        self._life = 0
        super().__init__(**kwargs)

    def check(self, settings: Mapping[str, object]) -> None:
        """Refuse a method or an engine that does not fit the model, once there is one."""
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
        self._pair: StampPair[np.ndarray, Request] = StampPair()
        self._worker = Worker(self._answer, self._on_failure, 'inference', settings['nice'])
        self._policy = self._worker.call(
            lambda: inference_policy.load_policy(settings, self._on_progress)
        ).result()
        config = self._policy.config
        apply_method(method_of(settings), self._policy)
        self._on_progress(1.0, f'engine {settings["engine"]}')
        self._engine = (
            RemoteSwitch(self._policy, self.health)
            if settings['remote']
            else EngineSwitch(
                self._policy,
                self._worker.call,
                self._on_progress,
                self.health,
                self.get_logger().warning,
            )
        )
        self._engine.start(settings)
        self._on_progress(1.0, 'self-test and warm-up')
        about = self._worker.call(
            lambda: inference_policy.try_out(self._policy, settings, self.health)
        ).result()
        self._engine.tell()
        self._on_progress(1.0, 'ready')
        self.get_logger().info(about)
        self._chunk = self.advertise(JointTrajectory, 'vla/action_chunk', qos.CONTROL)
        self._tokens = self.advertise(Image, 'vla/tokens', qos.SENSOR)
        self.subscribe(Image, 'vla/observation', self._on_observation, qos.CONTROL)
        self.subscribe(JointTrajectory, 'vla/request', self._on_request, qos.CONTROL)
        chosen = list(filter(None, settings['proprio_names']))
        self._proprio = ProprioBuffer(chosen)
        wants = inference_policy.wants_of(settings, self._policy.unnorm_key)
        self._watch = ModelWatch(wants, chosen)
        self._teller = Teller(self, lambda: self._watch.facts(self.settings))
        if config.proprio:
            self.subscribe(JointState, 'proprio', self._on_proprio, qos.SENSOR)

    def activate(self) -> None:
        """Begin a new life: nothing from before counts."""
        self._pair.clear()
        self._proprio.clear()
        self._policy.reset()
        self._life += 1
        self._teller.tell()

    def deactivate(self) -> None:
        """End this life: the job that waits is dropped, the running one's answer ignored."""
        with self._publishing:
            self._life += 1
        if self._worker.discard():
            self.health.count('jobs_dropped')

    def cleanup(self) -> None:
        """Wait for the running call, then let go of the model."""
        worker, self._worker, self._policy = self._worker, None, None
        if worker is not None and not worker.close(PATIENCE_S):
            self.health.event('worker_hangs', f'still computing after {PATIENCE_S:.0f} s')
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def apply(self, changed: Mapping[str, object]) -> None:
        """Hand new values to the model, between two calls; the rest is read at each call."""
        if 'threads' in changed and not self.settings['remote']:
            self._worker.call(lambda: inference_policy.set_threads(changed['threads']))
        apply_method(method_of(self.settings), self._policy)
        self._engine.apply(changed, self.settings)
        self._teller.tell()

    # -- in the executor's thread ----------------------------------------------------------------

    def _on_observation(self, message: Image) -> None:
        self.health.count('observations')
        try:
            frame = image_to_array(message)
            inference_policy.split_frame(frame, self._policy.config)
        except ValueError as error:
            self.health.event('wrong_frame', str(error))
            self.get_logger().warning(f'observation refused: {error}', throttle_duration_sec=1.0)
            return
        self._submit(self._pair.left(to_ns(message.header.stamp), frame))

    def _on_request(self, message: JointTrajectory) -> None:
        request = message_to_request(message, self._policy.space)
        self._submit(self._pair.right(request.stamp_ns, request))

    def _on_proprio(self, message: JointState) -> None:
        stamp_ns = to_ns(message.header.stamp)
        self._watch.state.heard(stamp_ns, self.now_ns(), message.name, message.position)
        if stamp_ns <= 0:
            # As of a camera: when it was looked at is not known, and to guess is to act blind.
            self.health.event('unstamped_proprio', 'the driver leaves the stamp at zero')
            return
        self._proprio.add(stamp_ns, message.name, message.position)

    def _submit(self, pair: tuple[np.ndarray, Request] | None) -> None:
        self.health.figure('unpaired', self._pair.lost)
        if pair is None:
            return
        frame, request = pair
        proprio = None
        if self._policy.config.proprio:
            try:
                proprio = self._proprio.nearest(
                    request.stamp_ns, round(self.settings['proprio_tolerance'] * NS)
                )
            except ValueError as error:
                self.health.event('no_proprio', str(error))
                return
        if self._worker.put(Job(frame, request, proprio, self._life, time.monotonic_ns())):
            self.health.count('jobs_replaced')

    def _on_progress(self, share: float, what: str) -> None:
        """Show how far loading is, at most twice a second; called in the worker's thread, too."""
        now = time.monotonic()
        self.health.figure('loading', f'{share:.0%} {what}')
        if share >= 1.0 or now - getattr(self, '_shown', 0.0) > 0.5:
            self._shown = now
            self.get_logger().info(f'loading: {share:.0%} {what}')
            self.publish_diagnostics()

    # -- in the worker's thread ------------------------------------------------------------------

    def _answer(self, job: Job) -> None:
        start_ns = time.monotonic_ns()
        # One copy for the whole call: new values count from the next one on.
        stamp_ns, settings = job.request.stamp_ns, dict(self.settings)
        policy, engine = self._policy, self._engine
        age_s = (self.now_ns() - stamp_ns) / NS
        if policy is None or engine is None or job.life != self._life:
            return
        if age_s > settings['max_age']:
            self.health.event('stale_observation', f'{age_s:.3f} s old')
            return
        prediction = inference_policy.predict(policy, job, settings)
        self._watch.answered(prediction.timings_ms['total'])
        if not np.isfinite(prediction.chunk_values).all():
            self._fail('model_not_finite', f'actions of {stamp_ns} ns are NaN or infinite')
            return
        stats = ChunkStats(
            prediction.kept / policy.config.visual_tokens,
            prediction.timings_ms['total'] * 1e-3,
            float(prediction.passes),
            float(prediction.accepted),
        )
        message = chunk_to_message(
            ActionChunk(prediction.chunk_values, stamp_ns, space=policy.space),
            settings['policy_step'],
            settings['frame_id'],
            stats,
        )
        with self._publishing:
            if job.life != self._life:
                self.health.count('answers_ignored')
                return
            self._chunk.publish(message)
            if self._tokens.get_subscription_count() > 0:
                config = policy.config
                view = dim_dropped(job.frame, prediction.kept_ids, config.cameras, config.grid)
                self._tokens.publish(array_to_image(view, stamp_ns))
        self.health.count('answers')
        self.health.figure('tokens', f'{prediction.kept} of {policy.config.visual_tokens}')
        self.health.figure('pruning', prediction.pruning)
        engine.tell()
        if prediction.plan:
            self.health.figure('planner', prediction.plan)
        for stage, took_ms in prediction.timings_ms.items():
            self.health.figure(f'{stage}_ms', float(took_ms))
        self.health.figure('waited_ms', (start_ns - job.since_ns) / 1e6)
        self.health.figure('capture_to_answer_ms', (self.now_ns() - stamp_ns) / 1e6)
        stages = ', '.join(f'{s} {t:.1f}' for s, t in prediction.timings_ms.items())
        self.get_logger().debug(
            f'frame {stamp_ns} ns, {age_s * 1e3:.1f} ms old: {prediction.kept} of '
            f'{policy.config.visual_tokens} tokens, {prediction.passes} passes, ms: {stages}'
        )

    def _on_failure(self, error: Exception) -> None:
        """Name what a call raised; the node goes on with the next observation."""
        name = FAILURES.get(type(error).__name__)
        if name == 'unknown_instruction':
            self._watch.refuse_prompt(str(error))
        if (engine := self._engine) is not None:
            engine.tell()
        if name is None and isinstance(error, ValueError):
            # What the model cannot take came with a message.
            name = 'malformed_message'
        if name is None:
            self.report(error)
        else:
            self._fail(name, str(error))

    def _fail(self, name: str, detail: str) -> None:
        self.health.event(name, detail)
        self.get_logger().error(f'{name}: {detail}', throttle_duration_sec=1.0)


def main(argv: list[str] | None = None) -> int:
    """Run the inference node as a process."""
    return base.run(Inference, argv)


if __name__ == '__main__':
    sys.exit(main())
