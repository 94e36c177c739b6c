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

"""What a long run has shown, as plain values and as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.soak_figures import (
    GROWS,
    HOLDS,
    MOST_GROWTH,
    OPEN,
    first_and_last,
    growth,
    rises,
    warm_up_s,
)
from benchmarks.soak_graph import Part, Turn

COUNTS = ('handles', 'threads', 'segments')
# What `make soak` runs without more words.
REAL_MIN, SIMULATED_H = 60.0, 24.0


def facts_of(part: Part) -> dict[str, object]:
    """Return what a part has shown, as plain values; warm-up does not count."""
    warm = warm_up_s(part.seconds)
    late = [index for index, at in enumerate(part.at_s) if at >= warm]
    at_s = [part.at_s[index] for index in late]
    processes = []
    for name, found in part.held.items():
        kept = [found[index] for index in late]
        memory = [each.private + each.shared for each in kept]
        grown = growth(at_s, memory)
        counts = {key: [getattr(each, key) for each in kept] for key in COUNTS}
        rising = [key for key, values in counts.items() if rises(values)]
        processes.append(
            {
                'name': name,
                'private_mib': [round(v, 2) for v in first_and_last([k.private for k in kept])],
                'shared_mib': [round(v, 2) for v in first_and_last([k.shared for k in kept])],
                'growth_mib_h': round(grown.per_hour, 2),
                'error_mib_h': round(grown.error, 2),
                **{key: list(map(int, first_and_last(v))) for key, v in counts.items()},
                'rising': rising,
                'verdict': GROWS if rising else grown.verdict(),
            }
        )
    turns = [turn for turn in part.turns if turn.at_s >= warm]
    return {
        'clock': part.clock,
        'minutes': round(part.seconds / 60, 1),
        'simulated_hours': round(part.simulated_s / 3600, 2),
        'warm_up_minutes': round(warm / 60, 1),
        'samples': len(late),
        'episodes': len(part.turns),
        'missed_decisions': sum(turn.missed for turn in part.turns),
        'troubles': part.troubles,
        'processes': processes,
        'drift': _drift(turns) if len(turns) >= 3 else {},
    }


def _drift(turns: Sequence[Turn]) -> dict[str, list[float]]:
    third = max(1, len(turns) // 3)
    ends = turns[:third], turns[-third:]

    def rate(key: str) -> list[float]:
        return [sum(getattr(t, key) for t in p) / sum(t.seconds for t in p) for p in ends]

    def percentile(key: str, share: float) -> list[float]:
        pooled = [np.concatenate([getattr(turn, key) for turn in part]) for part in ends]
        return [np.percentile(values, share) if len(values) else np.nan for values in pooled]

    found = {'decisions/s': rate('decisions'), 'twists/s': rate('twists')}
    for key, words in (('age_ms', 'capture to decision'), ('model_ms', 'call of the model')):
        for share in (50, 99):
            found[f'{words} p{share}, ms'] = percentile(key, share)
    return {key: [round(float(value), 2) for value in pair] for key, pair in found.items()}


def page(parts: Sequence[Mapping]) -> str:
    """Return the results for people.

    Args:
        parts: As `soak.main` puts them together.
    """
    lines = [
        '# Endurance',
        '',
        'The five nodes of the demo, episode after episode. On the simulated clock the arm draws '
        'roughly (`coarse`), and takes its next steps while the last one is decided on.',
        '',
        f'- The bound: no process grows by more than {MOST_GROWTH:g} MiB an hour after warm-up, '
        'and none of its counts has a new maximum in the last third.',
        f'- `make soak` runs {REAL_MIN:g} minutes on the real clock and {SIMULATED_H:g} hours on '
        'the simulated one.',
        '',
        f'"{HOLDS}": the 95 % interval of the growth ends below the bound. "{OPEN}": it reaches '
        f'over it. "{GROWS}": all of it is above, or a count rises. Memory is private (RssAnon) '
        'and shared (RssShmem), fitted together; pairs are the medians of the first and the last '
        'third after warm-up. An hour is one of wall time.',
        '',
    ]
    for part in parts:
        lines += [*_part(part), '']
    return '\n'.join(lines)


def _part(part: Mapping) -> list[str]:
    machine = part['machine']
    lasted = f'{part["minutes"]} minutes'
    if part['clock'] == 'simulated':
        lasted = f'{part["simulated_hours"]} simulated hours in {lasted}'
    if not part.get('complete', True):
        lasted += ', not complete: it went on, or broke off'
    lines = [
        f'## The {part["clock"]} clock',
        '',
        f'{lasted}: {part["date"]}, by `{part["command"]}`, `{part["checkpoint"]}`, '
        f'{machine["processor"]}, {machine["cores"]} cores. {part["remark"]}'.rstrip(),
        '',
        f'{part["episodes"]} episodes, {part["samples"]} samples after '
        f'{part["warm_up_minutes"]} minutes of warm-up. '
        f'{part["missed_decisions"]} steps without a decision, {len(part["troubles"])} requests '
        'of the operator that failed.',
        '',
        '| process | private, MiB | shared, MiB | growth, MiB/h | handles | threads | segments '
        '| verdict |',
        '|---|---|---|---|---|---|---|---|',
    ]
    for row in part['processes']:
        pairs = [
            f'{row[key][0]} → {row[key][1]}' for key in ('private_mib', 'shared_mib', *COUNTS)
        ]
        pairs.insert(2, f'{row["growth_mib_h"]:+.2f} ± {row["error_mib_h"]:.2f}')
        why = f' ({", ".join(row["rising"])})' if row['rising'] else ''
        lines.append(f'| {row["name"]} | {" | ".join(pairs)} | {row["verdict"]}{why} |')
    if part['drift']:
        lines += ['', '| drift | first third | last third |', '|---|---|---|']
        lines += [f'| {key} | {a} | {b} |' for key, (a, b) in part['drift'].items()]
    for trouble in part['troubles'][:5]:
        lines.append(f'- {" ".join(trouble.split())}')
    return lines
