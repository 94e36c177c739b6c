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


"""From the node's parameters to a loaded policy; torch is imported here, not before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
import os
from pathlib import Path

import numpy as np

from vla_accel_ros.deploy.wants import Wants
from vla_accel_ros.files import fingerprints
from vla_accel_ros.nodes import inference_remote
from vla_accel_ros.observations import Observation, split_views
from vla_accel_ros.paths import checkpoint_folder
from vla_accel_ros.remote.wants import wants_of_server


def load_policy(settings: Mapping[str, object], progress: Callable[[float, str], None]):
    """Load the checkpoint that the parameters name.

    Args:
        settings: The node's parameters by name.
        progress: Given the share done, 0 to 1, and what is being done.

    Returns:
        The `models.policy.Policy`, on its device; where `remote` names a server, a
        `remote.policy.RemotePolicy`.

    Raises:
        FileNotFoundError: When there is no such checkpoint.
        ValueError: When it cannot be used; the message says why.
    """
    if settings['remote']:
        return inference_remote.make_policy(settings)
    progress(0.0, 'torch')
    # Threads that spin while they wait make a call 100 times slower on cores that are shared:
    # 30 ms became 500 to 3000. OpenMP reads this when torch is loaded.
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
    import torch

    from vla_accel_ros.models.policy import Policy
    from vla_accel_ros.models.serving import check_space

    # Before the pool exists, so that its threads are made once, and by this thread.
    set_threads(settings['threads'])
    device = settings['device']
    if device == 'auto':
        device = 'cuda' if torch.cuda.is_available() else 'cpu'
    policy = Policy.load(
        folder_of(settings),
        device=device,
        dtype=None if settings['dtype'] == 'auto' else getattr(torch, settings['dtype']),
        unnorm_key=settings['unnorm_key'] or None,
        progress=progress,
        allow_download=settings['allow_download'],
    )
    check_space(policy)
    return policy


def fingerprint(settings: Mapping[str, object]) -> str:
    """Say which checkpoint it is, whatever its folder is called; empty where none is here."""
    if settings['remote'] or not isinstance(folder := folder_of(settings), Path):
        return ''
    return fingerprints.of_folder(folder)


def meeting():
    """Make what answers several arms together; see `engines.meeting.Meeting`."""
    from vla_accel_ros.engines.meeting import Meeting

    return Meeting()


def folder_of(settings: Mapping[str, object]) -> Path | str:
    """Return the checkpoint's folder, or its hub name where that may be downloaded.

    Raises:
        FileNotFoundError: When there is no such folder and nothing may be downloaded.
    """
    try:
        return checkpoint_folder(settings['checkpoint'])
    except FileNotFoundError:
        if not settings['allow_download']:
            raise
        return settings['checkpoint']


def wants_of(settings: Mapping[str, object], key: str) -> Wants:
    """Return what the checkpoint wants, once it is loaded, or the policy server.

    Args:
        settings: The node's parameters by name.
        key: Data set whose statistics hold.

    Raises:
        ValueError: When what it declares cannot be read; the message says why.
    """
    if settings['remote']:
        return wants_of_server(settings)
    from vla_accel_ros.models.checkpoints.folder import resolve
    from vla_accel_ros.models.declaration import declaration

    folder = resolve(folder_of(settings), settings['allow_download'])
    return declaration(folder, key, str(settings['checkpoint']))


def set_threads(count: int) -> None:
    """Set torch's threads for calls from this thread; 0 leaves a core to the other nodes."""
    import torch

    torch.set_num_threads(count or max(1, len(os.sched_getaffinity(0)) - 1))


def try_out(policy, settings: Mapping[str, object], health) -> tuple[str, float | None]:
    """Test and warm up a policy, in the worker's thread.

    Args:
        policy: What `load_policy` gave, on its engine.
        settings: The node's parameters by name.
        health: The node's `ros.diagnostics.Health`; gets the figures.

    Returns:
        What it is, in words, and what a warm call took, ms; None where a server is not there yet.

    Raises:
        RuntimeError: When it ignores its images or gives NaN, or the server's answer is no good.
    """
    if settings['remote']:
        return inference_remote.try_out(policy, settings['warm_up'], health)
    health.figure('checkpoint_hash', fingerprint(settings))
    health.figure('self_test_difference', float(policy.self_test()))
    took_ms = policy.warm_up(settings['warm_up'])
    health.figure('warm_up_ms', float(took_ms))
    config = policy.config
    words = (
        f'{settings["checkpoint"]} on {policy.model.device}: {config.cameras} views of '
        f'{config.image_size} px, {config.visual_tokens} visual tokens, '
        f"statistics of '{policy.unnorm_key}', engine {policy.in_use}, {took_ms:.1f} ms a call"
    )
    return words, took_ms


def predict(policy, job, settings: Mapping[str, object]):
    """Answer one job.

    Args:
        policy: A `models.policy.Policy`.
        job: An `inference_arm.Job`.
        settings: The node's parameters by name.

    Returns:
        The `models.prediction.Prediction`.
    """
    from vla_accel_ros.models.serving import serve

    request = job.request
    observation = Observation(
        split_frame(job.frame, policy.config), request.instruction, request.stamp_ns, job.proprio
    )
    # A checkpoint's centre crop is no business of the camera node.
    resized = policy.config.centre_crop is None
    return serve(policy, request, observation, settings['policy_step'], resized)


def split_frame(frame: np.ndarray, config) -> tuple[np.ndarray, ...]:
    """Split a stacked frame into the views that the checkpoint wants.

    Args:
        frame: uint8 [cameras * size, size, 3].
        config: The checkpoint's `VLAConfig`.

    Raises:
        ValueError: When the frame has another size; the message says what to set.
    """
    check_frame_size(*frame.shape[:2], config)
    return split_views(frame, config.cameras)


def check_frame_size(height: int, width: int, config) -> None:
    """Check the size of a stacked frame.

    Args:
        height: Pixels.
        width: Pixels.
        config: The checkpoint's `VLAConfig`.

    Raises:
        ValueError: As `split_frame`.
    """
    size, cameras = config.image_size, config.cameras
    if (height, width) != (cameras * size, size):
        raise ValueError(
            f'frame is {width}x{height}, the checkpoint wants {cameras} views of '
            f'{size}x{size} stacked to {size}x{cameras * size}: set image_topics and '
            f'image_size of the camera node'
        )
