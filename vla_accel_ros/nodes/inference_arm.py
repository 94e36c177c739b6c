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

"""One arm of the inference node: what it asks, its policy's state, and what it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
from sensor_msgs.msg import CompressedImage, Image, JointState
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.actions import ActionChunk
from vla_accel_ros.deploy.wants import Wants
from vla_accel_ros.inputs.joint_states import ProprioBuffer
from vla_accel_ros.inputs.stamp_pair import StampPair
from vla_accel_ros.nodes import inference_policy
from vla_accel_ros.nodes.inference_facts import ModelWatch
from vla_accel_ros.nodes.inference_remote import FAILURES as REMOTE_FAILURES
from vla_accel_ros.nodes.token_view import dim_dropped
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.facts import Teller
from vla_accel_ros.ros.images import array_to_image, compressed_to_array, image_to_array
from vla_accel_ros.ros.messages import NS, ChunkStats, chunk_to_message, message_to_request, to_ns
from vla_accel_ros.scheduling.decision import Request

if TYPE_CHECKING:
    from vla_accel_ros.models.policy import Policy
    from vla_accel_ros.models.prediction import Prediction

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
        arm: Whose it is.
        frame: uint8 [cameras * h, w, 3], the views stacked.
        request: The scheduler's question to it.
        proprio: float64 [m], or None for checkpoints that want none.
        life: Number of the activation that it belongs to.
        since_ns: When the pair was complete, steady clock.
    """

    arm: Arm
    frame: np.ndarray
    request: Request
    proprio: np.ndarray | None
    life: int
    since_ns: int


class Arm:
    """The topics of one arm, and a policy with pruning, decoding and memory of its own.

    Args:
        node: The inference node.
        name: Namespace of the arm's topics below the node's own; empty for the node's own.
        policy: Answers this arm alone.
        wants: What the policy wants; None where nobody says it.
        warm_ms: What a call of the warm-up took; None where it is not known.

    Attributes:
        name: As given.
        policy: As given.
    """

    def __init__(
        self, node, name: str, policy: Policy, wants: Wants | None, warm_ms: float | None
    ) -> None:
        self._node, self.name, self.policy = node, name, policy
        # Held while publishing, so that no answer of an ended activation slips out.
        self._publishing = threading.Lock()
        # Held while telling figures: none comes once those of an arm that left are dropped.
        self._telling = threading.Lock()
        self._life, self._left = 0, False
        self._pair: StampPair[np.ndarray, Request] = StampPair()
        chosen = list(filter(None, node.settings['proprio_names']))
        self.proprio, self._watch = ProprioBuffer(chosen), ModelWatch(wants, chosen, warm_ms)
        within = f'{name}/' if name else ''
        self._chunk = node.advertise(JointTrajectory, f'{within}vla/action_chunk', qos.CONTROL)
        self._tokens = node.advertise(Image, f'{within}vla/tokens', qos.SENSOR)
        self._teller = Teller(node, lambda: self._watch.facts(node.settings), within)
        node.subscribe(Image, f'{within}vla/observation', self._on_observation, qos.CONTROL)
        node.subscribe(
            CompressedImage,
            f'{within}vla/observation/compressed',
            self._on_observation,
            qos.CONTROL,
        )
        node.serve(Trigger, f'{within}vla/clock', self._on_clock)
        node.subscribe(JointTrajectory, f'{within}vla/request', self._on_request, qos.CONTROL)
        if policy.config.proprio:
            node.subscribe(JointState, f'{within}proprio', self._on_proprio, qos.SENSOR)

    # -- telling, from any thread -----------------------------------------------------------------

    def tell(self) -> None:
        """Tell the facts now."""
        self._teller.tell()

    def event(self, reason: str, detail: str) -> None:
        """Count what happened, with the arm's name where it has one."""
        if not self._left:
            self._node.health.event(reason, f'{self.name}: {detail}' if self.name else detail)

    def _count(self, name: str) -> None:
        self._node.health.count(name)
        with self._telling:
            if self.name and not self._left:
                self._node.health.count(f'{self.name}.{name}')

    def _figure(self, name: str, value: object) -> None:
        with self._telling:
            if not self._left:
                self._node.health.figure(f'{self.name}.{name}' if self.name else name, value)

    # -- lives ------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a new life: nothing from before counts."""
        self._pair.clear()
        self.proprio.clear()
        self._watch.state.clear()
        # Behind a call that still runs for the life before.
        self._node.worker.call(self.policy.reset)
        self._life += 1
        self.tell()

    def end(self) -> None:
        """End this life: the job that waits is dropped, the running one's answer ignored."""
        with self._publishing:
            self._life += 1
        if self._node.worker.discard(self.name):
            self._count('jobs_dropped')

    def leave(self) -> None:
        """End for good: a call that still runs tells nothing of this arm any more."""
        self.end()
        with self._telling:
            self._left = True

    # -- in the executor's thread -----------------------------------------------------------------

    def _on_clock(self, _request: Trigger.Request, response: Trigger.Response):
        got_ns = self._node.now_ns()
        response.success, response.message = True, f'{got_ns} {self._node.now_ns()}'
        return response

    def _on_observation(self, message: Image | CompressedImage) -> None:
        self._count('observations')
        try:
            frame = self._read(message)
        except ValueError as error:
            self.event('wrong_frame', str(error))
            self._node.get_logger().warning(
                f'observation refused: {error}', throttle_duration_sec=1.0
            )
            return
        self._submit(self._pair.left(to_ns(message.header.stamp), frame))

    def _read(self, message: Image | CompressedImage) -> np.ndarray:
        """Read an observation; its size first, as one thread reads those of all arms."""
        check = partial(inference_policy.check_frame_size, config=self.policy.config)
        if isinstance(message, Image):
            check(message.height, message.width)
            return image_to_array(message)
        return compressed_to_array(message, check)

    def _on_request(self, message: JointTrajectory) -> None:
        request = message_to_request(message, self.policy.space)
        self._submit(self._pair.right(request.stamp_ns, request))

    def _on_proprio(self, message: JointState) -> None:
        stamp_ns = to_ns(message.header.stamp)
        self._watch.state.heard(stamp_ns, self._node.now_ns(), message.name, message.position)
        if stamp_ns <= 0:
            # As of a camera: when it was looked at is not known, and to guess is to act blind.
            self.event('unstamped_proprio', 'the driver leaves the stamp at zero')
            return
        self.proprio.add(stamp_ns, message.name, message.position)

    def _submit(self, pair: tuple[np.ndarray, Request] | None) -> None:
        self._figure('unpaired', self._pair.lost)
        if pair is None:
            return
        frame, request = pair
        proprio = None
        if self.policy.config.proprio:
            try:
                proprio = self.proprio.nearest(
                    request.stamp_ns, round(self._node.settings['proprio_tolerance'] * NS)
                )
            except ValueError as error:
                self.event('no_proprio', str(error))
                return
        job = Job(self, frame, request, proprio, self._life, time.monotonic_ns())
        if self._node.worker.put(job, self.name):
            self._count('jobs_replaced')

    # -- in the worker's thread, or in one of its own while several arms are answered -------------

    def answer(self, job: Job) -> None:
        """Answer a job and publish the chunk, unless it is too old or of an ended life."""
        node, start_ns = self._node, time.monotonic_ns()
        # One copy for the whole call: new values count from the next one on.
        stamp_ns, settings = job.request.stamp_ns, dict(node.settings)
        age_s = (node.now_ns() - stamp_ns) / NS
        if job.life != self._life:
            return
        if age_s > settings['max_age']:
            self.event('stale_observation', f'{age_s:.3f} s old')
            return
        prediction = inference_policy.predict(self.policy, job, settings)
        self._watch.answered(prediction.timings_ms['total'])
        if not np.isfinite(prediction.chunk_values).all():
            self.fail('model_not_finite', f'actions of {stamp_ns} ns are NaN or infinite')
            return
        if not self._publish(job, prediction, settings):
            self._count('answers_ignored')
            return
        self._count('answers')
        self._tell_figures(prediction)
        self._figure('waited_ms', (start_ns - job.since_ns) / 1e6)
        self._figure('capture_to_answer_ms', (node.now_ns() - stamp_ns) / 1e6)
        stages = ', '.join(f'{s} {t:.1f}' for s, t in prediction.timings_ms.items())
        node.get_logger().debug(
            f'{self.name} frame {stamp_ns} ns, {age_s * 1e3:.1f} ms old: {prediction.kept} of '
            f'{self.policy.config.visual_tokens} tokens, {prediction.passes} passes, ms: {stages}'
        )

    def _publish(self, job: Job, prediction: Prediction, settings) -> bool:
        """Publish an answer; return False where the life that it is of has ended."""
        config, stamp_ns = self.policy.config, job.request.stamp_ns
        stats = ChunkStats(
            prediction.kept / config.visual_tokens,
            prediction.timings_ms['total'] * 1e-3,
            float(prediction.passes),
            float(prediction.accepted),
        )
        message = chunk_to_message(
            ActionChunk(prediction.chunk_values, stamp_ns, space=self.policy.space),
            settings['policy_step'],
            settings['frame_id'],
            stats,
        )
        with self._publishing:
            if job.life != self._life:
                return False
            self._chunk.publish(message)
            if self._tokens.get_subscription_count() > 0:
                view = dim_dropped(job.frame, prediction.kept_ids, config.cameras, config.grid)
                self._tokens.publish(array_to_image(view, stamp_ns))
        return True

    def _tell_figures(self, prediction: Prediction) -> None:
        self._figure('tokens', f'{prediction.kept} of {self.policy.config.visual_tokens}')
        self._figure('pruning', prediction.pruning)
        if prediction.plan:
            self._figure('planner', prediction.plan)
        for stage, took_ms in prediction.timings_ms.items():
            self._figure(f'{stage}_ms', float(took_ms))

    def failed(self, error: Exception) -> None:
        """Name what a call raised; the node goes on with the next observation."""
        name = FAILURES.get(type(error).__name__)
        if name == 'unknown_instruction':
            self._watch.refuse_prompt(str(error))
        if name is None and isinstance(error, ValueError):
            # What the model cannot take came with a message.
            name = 'malformed_message'
        if name is None:
            self._node.report(error)
        else:
            self.fail(name, str(error))

    def fail(self, name: str, detail: str) -> None:
        """Count and log what went wrong in a call."""
        self.event(name, detail)
        if not self._left:
            self._node.get_logger().error(f'{name}: {detail}', throttle_duration_sec=1.0)
