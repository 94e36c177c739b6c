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


"""What the demo says: the live line, the table at the end, the files it leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
import json
from pathlib import Path
import time

import numpy as np

from vla_accel_ros.files.outputs import json_with
from vla_accel_ros.files.whole_files import replace_whole, write_whole

LIVE_WIDTH = 118
SUMMARY, VIDEO, PICTURE, LOGS = 'summary.json', 'last_episode.mp4', 'last_episode.png', 'logs'
# All that the demo leaves in its folder.
NAMES = (SUMMARY, VIDEO, PICTURE, LOGS)


def of_earlier(folder: Path) -> bool:
    """Say whether a folder without a list of outputs is of a demo."""
    logs = folder / LOGS
    return json_with('episodes', 'arm_moved_in_each')(folder / SUMMARY) or (
        (logs / 'arm_command.log').is_file() and (logs / 'sim_arm.log').is_file()
    )


@dataclass
class DemoEpisode:
    """One episode and how it went.

    Attributes:
        number: From 0 on.
        seed: Of the table's layout.
        instruction: In words.
        record: What the operator saw.
        seconds: How long it took.
        success: Whether the task was done.
    """

    number: int
    seed: int
    instruction: str
    record: object
    seconds: float = 0.0
    success: bool = False

    def facts(self) -> dict:
        """Return the figures of the episode."""
        record = self.record
        kinds = Counter(decision['kind'] for decision in record.decisions)
        sent = [decision for decision in record.decisions if decision.get('source')]
        return {
            'episode': self.number + 1,
            'seed': self.seed,
            'instruction': self.instruction,
            'success': self.success,
            'seconds': round(self.seconds, 2),
            'moved_m': round(record.moved(), 4),
            'path_m': round(record.path(), 3),
            'actions': len(sent),
            'actions_hz': round(len(sent) / max(self.seconds, 1e-9), 1),
            'twists_hz': round(len(record.twists) / max(self.seconds, 1e-9), 1),
            'decisions': dict(kinds),
            'vla_answers': len(record.values('latency_ms')),
            'vla_ms': _percentiles(record.values('latency_ms')),
            'camera_to_action_ms': _percentiles(
                np.array(
                    [float(decision['age_ms']) for decision in sent if decision.get('age_ms')]
                )
            ),
        }


def line(
    episode: DemoEpisode,
    episodes: int,
    recent: Sequence[tuple[float, dict[str, str]]],
    final: bool = False,
) -> str:
    """Return the live line: episode, decision, rate, latency.

    Args:
        episode: The one that runs.
        episodes: How many there are.
        recent: Arrival time in steady seconds and values of the last decisions.
        final: Whether the episode is over.
    """
    now = time.monotonic()
    rate = sum(1 for at, decision in recent if decision.get('source') and now - at <= 1.0)
    latencies = [float(d['latency_ms']) for _, d in recent if d.get('latency_ms')]
    head = f'[{episode.number + 1}/{episodes}] {episode.instruction}  {episode.seconds:4.1f} s  '
    if final:
        facts = episode.facts()
        text = (
            f'{"done" if episode.success else "not done"}, {facts["actions"]} actions at '
            f'{facts["actions_hz"]} Hz, {facts["path_m"]} m'
        )
    elif not recent:
        text = 'waiting for the first decision'
    else:
        newest = recent[-1][1]
        text = f'{newest["kind"]}: {newest["reason"]}  {rate} Hz'
        if latencies:
            text += f'  VLA {latencies[-1]:.0f} ms'
    return (head + text)[:LIVE_WIDTH].ljust(LIVE_WIDTH)


def summary(
    episodes: Sequence[DemoEpisode], checkpoint: str, min_success: int, moved_m: float
) -> dict:
    """Return all that is known of the run.

    Args:
        episodes: As they ran.
        checkpoint: What drove the arm.
        min_success: How many have to succeed.
        moved_m: How far the tool has to get from its start in each, m.
    """
    rows = [episode.facts() for episode in episodes]
    kinds: Counter[str] = Counter()
    for row in rows:
        kinds.update(row['decisions'])
    latencies = np.concatenate([episode.record.values('latency_ms') for episode in episodes])
    successes = sum(row['success'] for row in rows)
    moved = all(row['moved_m'] >= moved_m for row in rows)
    return {
        'checkpoint': checkpoint,
        'episodes': rows,
        'successes': successes,
        'arm_moved_in_each': moved,
        'decisions': dict(kinds),
        'vla_ms': _percentiles(latencies),
        'ok': bool(moved and successes >= min_success),
    }


def table(facts: dict) -> str:
    """Return the summary as a text."""
    head = (
        f'{"":>3} {"instruction":<44} {"":<8} {"s":>5} {"path m":>7} {"actions":>8} {"Hz":>5} '
        f'{"intuitive":>9} {"VLA":>5} {"VLA ms p50/p95":>15} {"camera-action ms":>17}'
    )
    lines = ['', head]
    for row in facts['episodes']:
        vla, camera = row['vla_ms'], row['camera_to_action_ms']
        lines.append(
            f'{row["episode"]:>3} {row["instruction"]:<44} '
            f'{"done" if row["success"] else "not done":<8} {row["seconds"]:>5.1f} '
            f'{row["path_m"]:>7.2f} {row["actions"]:>8} {row["actions_hz"]:>5} '
            f'{row["decisions"].get("intuitive", 0):>9} {row["vla_answers"]:>5} '
            f'{_pair(vla):>15} {_pair(camera):>17}'
        )
    total = len(facts['episodes'])
    lines.append('')
    lines.append(
        f'{facts["successes"]} of {total} done by {facts["checkpoint"]}; the arm '
        f'{"moved in each" if facts["arm_moved_in_each"] else "did NOT move in each"}'
    )
    for name, path in facts.get('files', {}).items():
        lines.append(f'  {name:<8} {path}')
    return '\n'.join(lines)


def report(folder: Path, facts: dict, last: DemoEpisode) -> dict[str, str]:
    """Write summary, video and picture of the last episode.

    Args:
        folder: Where to; made if need be.
        facts: As `summary` gives them.
        last: The episode whose frames were recorded.

    Returns:
        Paths by what they hold.
    """
    from vla_accel_ros.graph.demo_picture import render, write_sheet, write_video

    folder.mkdir(parents=True, exist_ok=True)
    files = {'summary': folder / SUMMARY}
    pictures = render(last.record.states, last.record.frames, last.instruction)
    if pictures:
        files['video'], files['picture'] = folder / VIDEO, folder / PICTURE
        replace_whole(files['video'], lambda file: write_video(file, pictures))
        replace_whole(files['picture'], lambda file: write_sheet(file, pictures))
    files['logs'] = folder / LOGS
    paths = {name: str(path) for name, path in files.items()}
    write_whole(files['summary'], json.dumps({**facts, 'files': paths}, indent=2) + '\n')
    return paths


def _percentiles(values: np.ndarray) -> dict[str, float] | None:
    if not len(values):
        return None
    p50, p95, p99 = np.percentile(values, [50, 95, 99])
    return {'p50': round(float(p50), 1), 'p95': round(float(p95), 1), 'p99': round(float(p99), 1)}


def _pair(values: dict[str, float] | None) -> str:
    return f'{values["p50"]:.0f} / {values["p95"]:.0f}' if values else '-'
