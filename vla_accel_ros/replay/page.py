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

"""The replay as a report page: what `report` wants to know."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vla_accel_ros.action_space import ActionSpace
from vla_accel_ros.evaluation.conditions import command_line, machine, today, versions
from vla_accel_ros.evaluation.records import StepRecord
from vla_accel_ros.models.preprocess import fit
from vla_accel_ros.replay.errors import drift_unit, main_error, speed_unit
from vla_accel_ros.replay.measures import quantities
from vla_accel_ros.replay.offline import Seen
from vla_accel_ros.replay.results import REPORT, Outcome, clock
from vla_accel_ros.replay.session import Replay
from vla_accel_ros.replay.store import MOMENTS
from vla_accel_ros.report import masks
from vla_accel_ros.report.data import Bound, Provenance, Report, Units
from vla_accel_ros.report.moments import Camera, Step
from vla_accel_ros.report.page import write
from vla_accel_ros.report.recorder import Recorder

# What a setting must keep to be trusted on an arm, where nothing else is said: the unaccelerated
# policy's millimetres and grasps; joints that end 0.02 rad apart are 10 mm at half a metre. Ours.
DRIFTS = {'mm': 10.0, 'rad': 0.02}
AGREEMENT = 95.0


def bounds(space: ActionSpace) -> tuple[Bound, ...]:
    """Return what is asked of a setting, for actions of a space."""
    unit = drift_unit(space)
    drift = Bound(f'reference_drift_1s_{unit}', DRIFTS[unit])
    grippers = (Bound('reference_gripper_agreement', AGREEMENT),) if len(space.grippers) else ()
    return (drift, *grippers)


class Moments:
    """Keeps what the page shows frame by frame.

    Args:
        session: What is run.
        out: Folder of the run.
        later: Whether methods come one after the other, and not with each frame.
    """

    def __init__(self, session: Replay, out: Path, later: bool = False) -> None:
        config, self._space = session.policy.config, session.space
        self._error, _ = main_error(self._space)
        self._turning = speed_unit(self._space) == 'rad/s'
        self._config, self._reference = config, session.reference.name
        self.cameras = tuple(
            Camera(topic, config.grid, config.grid) for topic in session.roles.images
        )
        self.recorder = Recorder(out / MOMENTS, self.cameras)
        # What the unaccelerated policy did, by the number of the observation.
        self._later = later
        self._others: dict[int, np.ndarray | None] = {}

    def watch(self, seen: Seen, records: dict[str, StepRecord]) -> None:
        """Take a frame and what each method made of it, the reference among them."""
        if records[self._reference].kind == 'skipped':
            return
        images = seen.observation.images
        if self._config.centre_crop is not None:
            images = tuple(fit(image, self._config) for image in images)
        self.recorder.add_frame(seen.number, images)
        if not self._later:
            self._others.clear()
        self._others[seen.number] = records[self._reference].action
        for name, record in records.items():
            self.add(
                seen.number,
                seen.episode + 1,
                seen.since_ns,
                name,
                record,
                seen.observation.instruction,
            )

    def add(
        self,
        number: int,
        episode: int,
        since_ns: int,
        name: str,
        record: StepRecord,
        instruction: str = '',
    ) -> None:
        """Take what one method made of a frame that was watched.

        Args:
            number: Of the observation in the bag, from 0.
            episode: Of its episode, from 1.
            since_ns: Since the episode began.
            name: Of the method.
            record: What it did.
            instruction: What was asked, where it was not said before.
        """
        call, error, others = record.call, None, self._others.get(number)
        if record.action is not None and others is not None:
            error = float(self._error(record.action[None], others[None], self._space)[0])
        kept = ()
        if call is not None and len(call.kept_ids) and call.keep < 1:
            kept = masks.split(call.kept_ids, self.cameras)
        step = Step(
            since_ns * 1e-9,
            record.kind,
            record.reason,
            record.angular_speed if self._turning else record.speed,
            None if call is None else call.keep,
            None if call is None else call.model_ms,
            error,
            kept,
        )
        self.recorder.add_step(number, name, step, f'episode {episode}', instruction)


def write_page(outcome: Outcome, moments: Moments, out: Path) -> Path:
    """Write `report.html` and return its path."""
    session, summary, args = outcome.session, outcome.summary, outcome.session.args
    shown, space = moments.recorder.shown(), session.space
    _, error = main_error(space)
    roles = {'camera ' + str(k): topic for k, topic in enumerate(session.roles.images)}
    grippers = () if len(session.roles.grippers) > 1 else ('gripper',)
    roles |= dict.fromkeys(('action', *grippers, 'instruction'), '-') | session.roles.chosen()
    if args.instruction:
        roles['instruction'] = repr(args.instruction)
    provenance = Provenance(
        command_line(),
        today(),
        {
            'bag': f'{session.bag.path.name}, {outcome.identity["bag"]}',
            'checkpoint': f'{session.checkpoint.name}, {outcome.identity["checkpoint"]}',
        },
        versions(),
        machine(),
        {'mode': args.mode, 'clock': clock(args), 'policy step': f'{session.step_s} s', **roles},
    )
    page = Report(
        f'Replay of {session.bag.path.name}',
        f'{summary.frames} frames, {summary.steps} steps in {len(summary.episodes)} episodes, '
        f'{session.checkpoint.name}',
        session.reference.name,
        tuple(q.measure for q in quantities(space)),
        tuple(summary.rows),
        bounds(space),
        f'reference_{error}',
        'model_ms',
        provenance,
        moments.cameras,
        shown.pictures,
        shown.episodes,
        notes=tuple(outcome.remarks()),
        sampling=shown.sampling,
        units=Units(error.rpartition('_')[2], speed_unit(space)),
    )
    return write(page, out / REPORT)
