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

"""A replay over the real nodes: camera, scheduler and inference as processes, no arm."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
import json
from pathlib import Path
import sys
import time

from vla_accel_ros.acceleration import Method
from vla_accel_ros.acceleration.node_parameters import parameters_of
from vla_accel_ros.engines.registry import AUTO
from vla_accel_ros.evaluation import clocks
from vla_accel_ros.files.output_folder import OutputFolder
from vla_accel_ros.files.whole_files import write_whole
from vla_accel_ros.graph.demo_graph import ProcessDiedError, RunningGraph, reserve_domain
from vla_accel_ros.graph.operator import GraphError, Operator
from vla_accel_ros.graph.processes import Deployment, Process, processes
from vla_accel_ros.graph.replay_player import HELD_BACK, Player, image_topic
from vla_accel_ros.replay import offline_run as command
from vla_accel_ros.replay.ahead import Ahead
from vla_accel_ros.replay.moment import joined
from vla_accel_ros.replay.offline import Offline
from vla_accel_ros.replay.page import Moments, write_page
from vla_accel_ros.replay.progress import Bar, Interrupt
from vla_accel_ros.replay.results import REPORT, Outcome, Reading
from vla_accel_ros.replay.session import Replay
from vla_accel_ros.replay.summary import summarise
from vla_accel_ros.replay.trace import ReplayedEpisode, Trace

START_S, CONNECT_S = 120.0, 30.0
# As for a bag that cannot be replayed: there is no report.
NOTHING = 2
LOGS, SPACE = command.LOGS, 'action_space.json'
NAMES = ('camera', 'scheduler', 'inference')
# Ages are the bag's business: simulated time may come to a node later than the frame.
PATIENT = {'max_age': 10.0, 'max_future': 10.0}


class _EndedError(Exception):
    """Ctrl-C was pressed."""


def run(args: argparse.Namespace) -> int:
    """Replay over the real nodes; return as `command.run`, and 2 when the nodes fail.

    Raises:
        ValueError: When bag, checkpoint and arguments do not go together.
    """
    if args.resume:
        raise ValueError('--resume goes on with an offline run, --mode graph begins anew')
    if args.clock == clocks.REAL and args.latency_ms is None:
        raise ValueError('--mode graph plays in simulated time: --clock real wants --latency-ms')
    files = command.out_folder(args)
    session = command.prepare(args)
    with files, Interrupt(command.STOPPING) as stop:
        if args.overwrite:
            files.clear_earlier()
        try:
            outcome = _replay(session, files, stop)
        except (GraphError, ProcessDiedError) as error:
            files.clear()
            print(f'vla-accel replay: {error}; logs in {files.path / LOGS}', file=sys.stderr)
            return NOTHING
        except BaseException:
            files.clear()
            raise
        return command.conclude(outcome, files, args.json, stop)


def _replay(session: Replay, files: OutputFolder, stop: Interrupt) -> Outcome:
    begun, used = time.perf_counter(), time.process_time()
    moments, reading = command.moments_of(session, files, later=True), Reading()
    # Logs may say why there is nothing else.
    logs = files.folder(LOGS, kept=True)
    with closing(moments.recorder):
        episodes, faults = _reference(session, moments, stop, reading)
        done: list[Method] = [session.reference]
        for method in session.methods:
            if stop():
                break
            try:
                found = play(session, method, logs / method.name, moments, stop, reading)
            except _EndedError:
                break
            episodes = [
                replace(e, traces={**e.traces, method.name: found[e.number]}) for e in episodes
            ]
            done.append(method)
        if len(done) == 1 and stop():
            stop.end()
        summary = summarise(episodes, done, session.reference.name, session.step_s, session.space)
        reading.run_s = time.perf_counter() - begun
        reading.cpu_s = time.process_time() - used
        outcome = Outcome(session, summary, session.identity(), faults, stop(), reading)
        files.note(REPORT)
        write_page(outcome, moments, files.path)
    return outcome


def _reference(
    session: Replay, moments: Moments, stop: Interrupt, reading: Reading
) -> tuple[list[ReplayedEpisode], dict]:
    """Run the unaccelerated policy, in this process, on every frame."""
    stream = session.stream()
    offline = Offline(
        session.policy, (), session.reference, None, session.splitter(), session.recorded()
    )
    bar = Bar(session.observations, f'frames, {session.reference.name}')

    def watch(seen, records) -> None:
        moments.watch(seen, records)
        bar.show(seen.number + 1)

    with Ahead(stream) as ahead:
        episodes = list(offline.run(ahead, stop, watch))
    bar.end()
    if stop():
        stop.end()
    _add(reading, ahead)
    return episodes, joined(stream.faults.facts(), offline.faults.facts())


def play(
    session: Replay,
    method: Method,
    logs: Path,
    moments: Moments,
    stop: Interrupt,
    reading: Reading,
) -> list[Trace]:
    """Play the whole bag to nodes that are set up by a method; return a trace an episode.

    Raises:
        GraphError: When the nodes do not come up, decide or answer.
        ProcessDiedError: When one of them ends by itself.
    """
    splitter, bar = session.splitter(), Bar(session.observations, f'frames, {method.name}')
    traces: list[tuple[list, list]] = []
    held = None

    def step(until_ns: int | None) -> None:
        seen, number, since_ns = held
        stepped = player.step(seen, until_ns)
        bar.show(number)
        if stepped is not None:
            record, took_ms = stepped
            traces[-1][0].append(record)
            traces[-1][1].append(took_ms)
            moments.add(number - 1, len(traces), since_ns, method.name, record)

    with (
        running(session, method, logs, stop) as operator,
        Ahead(session.stream(resized=False)) as ahead,
    ):
        player = Player(
            operator,
            session.policy.cameras,
            session.step_s,
            method.scheduler.pause_s,
            session.latencies.get(method.name),
            session.policy.config.visual_tokens,
            session.args.rate,
            session.space,
            session.policy.proprio is not None,
        )
        player.connect(CONNECT_S)
        begun_ns = 0
        for moment in ahead:
            seen = moment.observation
            if seen is None:
                continue
            begins = splitter.why(seen.stamp_ns, seen.instruction)
            if not traces:
                player.meet(seen)
            if held is not None:
                step(None if begins else seen.stamp_ns)
            if begins:
                player.begin(seen.instruction, seen.stamp_ns, len(traces))
                traces.append(([], []))
                begun_ns = seen.stamp_ns
            held = seen, moment.number, seen.stamp_ns - begun_ns
        step(None)
    bar.end()
    _add(reading, ahead)
    return [Trace.of(records, took, session.space) for records, took in traces]


@contextmanager
def running(session: Replay, method: Method, logs: Path, stop: Interrupt) -> Iterator[Operator]:
    """Run the nodes in a ROS domain of their own, where no robot is, while the block lasts."""
    deployment = Deployment(
        checkpoint=str(session.checkpoint),
        device=session.args.device,
        engine=session.policy.in_use.name,
        use_sim_time=True,
        image_topics=tuple(image_topic(k) for k in range(session.policy.cameras)),
    )
    logs.mkdir(parents=True, exist_ok=True)
    space = (logs / SPACE).resolve()
    write_whole(space, json.dumps(session.space.to_values(), indent=1))
    domain, holder = reserve_domain()
    variables = {'ROS_DOMAIN_ID': str(domain), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
    listed = _processes(session, method, deployment, space)
    graph = RunningGraph(listed, deployment, logs, variables)

    def check() -> None:
        if stop():
            raise _EndedError
        graph.check()

    with closing(holder), graph:
        operator = Operator(domain, check)
        try:
            operator.until_active(NAMES, START_S)
            yield operator
        finally:
            operator.close()


def _processes(
    session: Replay, method: Method, deployment: Deployment, space: Path
) -> tuple[Process, ...]:
    of_method = parameters_of(method)
    step = {'policy_step': session.step_s}
    more = {
        'camera': {**PATIENT, 'pair_tolerance': float(session.args.pair_tolerance)},
        'scheduler': {**of_method['scheduler'], **step, 'action_space': str(space)},
        'inference': {
            **of_method['inference'],
            **step,
            'max_age': 60.0,
            'threads': session.args.threads,
            'unnorm_key': session.policy.unnorm_key,
            'engine_precision': session.precision,
            'engine_device': session.policy.in_use.device or AUTO,
            'engine_calibration': session.calibration,
        },
    }
    return tuple(
        replace(
            process,
            parameters={**process.parameters, **more[process.name]},
            remaps={'vla/action_chunk': HELD_BACK} if process.name == 'inference' else {},
        )
        for process in processes(deployment)
        if process.name in NAMES
    )


def _add(reading: Reading, ahead: Ahead) -> None:
    reading.busy_s += ahead.busy_s
    reading.waited_s += ahead.waited_s
