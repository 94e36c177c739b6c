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

"""A policy in another process, which answers as `models.policy.Policy` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import time
from typing import Any

import numpy as np

from vla_accel_ros.acceleration.method import Method
from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.models.prediction import Prediction
from vla_accel_ros.models.preprocess import CameraCountError
from vla_accel_ros.models.self_test import ANY_INSTRUCTION
from vla_accel_ros.motion import Motion
from vla_accel_ros.observations import Observation
from vla_accel_ros.options import options_of
from vla_accel_ros.remote.connection import Connection, Link
from vla_accel_ros.remote.errors import RemoteAnswerError
from vla_accel_ros.remote.links import opener
from vla_accel_ros.remote.metadata import DELAY, DRAFT, MOTION, RESET, TAIL, Agreed, agree
from vla_accel_ros.remote.settings import ACT, RemoteSettings

PRUNING = 'remote'
# What OpenVLA's server calls it in a question.
UNNORM_KEY = 'unnorm_key'
# What the node's parameters are where nobody has chosen anything.
UNSAID = {name: each.default for name, each in options_of(Method).items()}


@dataclass(frozen=True)
class RemoteConfig:
    """What goes into the server, as a checkpoint's configuration says it of a model.

    Each view counts as one visual token that is kept: what the server drops it does not tell.

    Attributes:
        cameras: Views that are sent.
        image_size: Their side, pixels.
        proprio: Numbers of proprioception that are sent; 0 for none.
    """

    cameras: int
    image_size: int
    proprio: int = 0
    centre_crop: float | None = None
    grid: int = 1

    @property
    def visual_tokens(self) -> int:
        """One a view."""
        return self.cameras


class RemotePolicy:
    """Asks a policy server.

    How the model is run is the server's business: `set_pruning` and its likes change nothing, and
    `without_effect` says so.

    Args:
        settings: Which server, and what its numbers mean.
        state_names: Names of the proprioception that it wants.
        open_link: Makes a connection; by the URL's protocol when None.
        unnorm_key: Data set whose statistics OpenVLA's server is to un-normalise with; empty
            leaves it to the server, and another kind of server is not told.

    Attributes:
        config: What is sent.
        unnorm_key: As given.
    """

    def __init__(
        self,
        settings: RemoteSettings,
        state_names: Sequence[str] = (),
        open_link: Callable[[], Link] | None = None,
        unnorm_key: str = '',
    ) -> None:
        self.settings, self._layout = settings, settings.layout
        self._state_names = tuple(state_names) if self._layout.states else ()
        self.config = RemoteConfig(
            len(settings.views), settings.remote_image_size, len(self._state_names)
        )
        self.unnorm_key, self._space = unnorm_key, settings.space
        own, self._shut = opener(settings, self._state_names)
        self.connection = Connection(open_link or own, self._accept)
        self._agreed: Agreed | None = None
        self._begins = True
        self._chosen: dict[str, object] = {}
        if settings.protocol != ACT:
            self._chosen['unnorm_key'] = unnorm_key

    @property
    def image_size(self) -> int:
        """Side of the views that are sent, pixels."""
        return self.config.image_size

    @property
    def cameras(self) -> int:
        """Views that are sent."""
        return self.config.cameras

    @property
    def space(self) -> ActionSpace:
        """What an action's columns are."""
        return self._space

    @property
    def trouble(self) -> str:
        """Why there is no connection; empty while there is one."""
        return self.connection.trouble

    @property
    def without_effect(self) -> str:
        """What was chosen for a model of this process and changes nothing; empty where nothing."""
        changed = [f'{k} {v}' for k, v in self._chosen.items() if v != UNSAID.get(k, '')]
        return f'{", ".join(changed)}: the model runs at {self.settings.remote}' * bool(changed)

    def sibling(self) -> RemotePolicy:
        """Return another that asks the same server over a connection of its own."""
        return RemotePolicy(self.settings, self._state_names, unnorm_key=self.unnorm_key)

    def set_pruning(self, method: str, **_parameters: Any) -> None:
        """Take note of a pruning method, which is the server's to choose."""
        self._chosen['pruning'] = method

    def set_decoder(self, name: str, relaxed_bins: int = 0, draft: str = '') -> None:
        """Take note of a decoder, which is the server's to choose."""
        self._chosen['decoder'] = name

    def set_flow(self, steps: int = 0, bend: float = 0.0) -> None:
        """Take note of a flow's steps, which are the server's to choose."""
        self._chosen |= {'flow_steps': steps, 'flow_bend': bend}

    def set_continuation(self, **settings: Any) -> None:
        """Take note of what a chunk takes from the old one, which is the server's to choose."""
        self._chosen |= settings

    def reset(self) -> None:
        """Begin an episode, at the next question."""
        self._begins = True

    renew = reset

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
        self._shut()

    def predict(
        self,
        observation: Observation,
        resized: bool = True,
        motion: Motion | None = None,
        draft: np.ndarray | None = None,
        tail: np.ndarray | None = None,
        delay: int = 0,
    ) -> Prediction:
        """Ask the server.

        Args:
            observation: As many images as are sent, and the proprioception that is.
            resized: Has no meaning here: images are sent as they are.
            motion: The last action's, for servers that understand it.
            draft: float [width], the action to verify, for servers that understand it.
            tail: float [k, width], what is left of the chunk that is executed, for servers that
                understand it.
            delay: Rows of it that will be executed before the answer is there.

        Returns:
            The actions and where the time went. `towers_ms` and the like are the server's: there
            is `remote`, from question to answer, `server`, where it says what it took itself, and
            `total`.

        Raises:
            CameraCountError: When the number of images is another.
            RemoteError: When there is no answer that can be used.
            NotFiniteError: When an action is NaN or infinite.
        """
        if len(observation.images) != self.cameras:
            raise CameraCountError(
                f'got {len(observation.images)} images, remote_images names {self.cameras} views'
            )
        start = time.perf_counter()
        answer = self.connection.ask(
            lambda: self._question(observation, motion, draft, tail, delay),
            self.settings.remote_timeout,
        )
        answered = time.perf_counter()
        values = self._values(answer)
        self._begins = False
        timings = {'remote': (answered - start) * 1e3}
        if (server_ms := _server_ms(answer)) is not None:
            timings['server'] = server_ms
        timings['total'] = (time.perf_counter() - start) * 1e3
        return Prediction(
            values,
            np.zeros(0, np.int64),
            timings,
            self.cameras,
            np.arange(self.cameras),
            (),
            PRUNING,
            passes=0,
            accepted=0,
            engine=f'remote {self.settings.remote}',
        )

    def self_test(self, cameras: int | None = None) -> float:
        """Ask with black and with white images.

        Args:
            cameras: Views that the robot has, if that is to be checked.

        Returns:
            Largest difference between the actions; 0 where the server may not see its images.

        Raises:
            CameraCountError: When the robot has another number of views.
            RemoteError: When there is no answer that can be used.
            NotFiniteError: When an action is NaN or infinite.
        """
        if cameras is not None and cameras != self.cameras:
            raise CameraCountError(
                f'got {cameras} images, remote_images names {self.cameras} views'
            )
        try:
            black, white = (self.predict(self._blank(level)).chunk_values for level in (0, 255))
        finally:
            self.reset()
        rows = min(len(black), len(white))
        return float(np.abs(black[:rows] - white[:rows]).max())

    def warm_up(self, runs: int = 2) -> float:
        """Ask with a grey image, as often as is said.

        Returns:
            Milliseconds that the last answer took.

        Raises:
            RemoteError: When there is no answer that can be used.
        """
        took = 0.0
        for _ in range(max(runs, 1)):
            took = self.predict(self._blank(127)).timings_ms['total']
        self.reset()
        return took

    def _accept(self, link: Link) -> None:
        self._agreed = agree(self.settings, self.config.proprio, link.metadata)
        # What the server knew of the episode went with the connection.
        self._begins = True

    def _question(
        self,
        observation: Observation,
        motion: Motion | None,
        draft: np.ndarray | None,
        tail: np.ndarray | None,
        delay: int,
    ) -> dict[str, object]:
        settings, agreed = self.settings, self._agreed
        state = observation.proprio
        if self._layout.states:
            state = state * np.array(settings.remote_state_scale) + settings.remote_state_offset
        found = self._layout.write(settings.views, observation.images, state)
        found[settings.prompt] = observation.instruction
        if self.unnorm_key and settings.protocol == ACT:
            found[UNNORM_KEY] = self.unnorm_key
        extras = agreed.extras if agreed else frozenset()
        if RESET in extras:
            found[RESET] = self._begins
        if MOTION in extras and motion is not None:
            found[MOTION] = np.array([*motion.translation, *motion.rotation, motion.step_s])
        if DRAFT in extras and draft is not None:
            found[DRAFT] = np.asarray(draft, np.float64)
        if TAIL in extras and tail is not None:
            found[TAIL], found[DELAY] = np.asarray(tail, np.float64), delay
        return found

    def _values(self, answer: Any) -> np.ndarray:
        name = self.settings.remote_actions
        if name not in answer:
            raise RemoteAnswerError(
                f"the answer has no '{name}' but {', '.join(map(str, answer)) or 'nothing'}: set "
                'remote_actions'
            )
        assert self._agreed is not None
        return self._agreed.convention.read(answer[name])

    def _blank(self, level: int) -> Observation:
        image = np.full((self.image_size, self.image_size, 3), level, np.uint8)
        proprio = np.zeros(self.config.proprio) if self.config.proprio else None
        return Observation((image,) * self.cameras, ANY_INSTRUCTION, proprio=proprio)


def _server_ms(answer: Any) -> float | None:
    """Return what the server says that the model took, milliseconds."""
    for key in ('server_timing', 'policy_timing'):
        timing = answer.get(key)
        took = timing.get('infer_ms') if isinstance(timing, dict) else None
        if isinstance(took, int | float) and 0 <= took < float('inf'):
            return float(took)
    return None
