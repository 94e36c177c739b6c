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

"""Tests of the endurance run: what it keeps, counts and says."""

import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import soak, soak_figures, soak_graph, soak_processes


def test_growth_is_told_from_noise_and_warm_up_does_not_count():
    at_s = np.linspace(0, 3600, 200)
    noise = np.random.default_rng(0).normal(0, 0.2, 200)
    flat, rising = soak_figures.growth(at_s, 40 + noise), soak_figures.growth(at_s, at_s / 900)
    assert flat.per_hour == pytest.approx(0, abs=0.2) and flat.verdict() == soak_figures.HOLDS
    assert rising.per_hour == pytest.approx(4) and rising.verdict() == soak_figures.GROWS
    # The same noise over half a minute could hide anything.
    short = soak_figures.growth(at_s / 120, 40 + noise)
    assert short.verdict() == soak_figures.OPEN
    assert soak_figures.warm_up_s(3600) == 720 and soak_figures.warm_up_s(180) == 90
    assert soak_figures.rises([3, 4, 3, 3, 3, 5]) and not soak_figures.rises([3, 5, 3, 3, 3, 5])


def test_only_the_simulated_part_of_a_long_run_draws_roughly():
    for simulated in (False, True):
        graph = soak_graph.Graph(simulated, 'tabletop-s')
        (arm,) = (each for each in graph.processes if each.name == 'sim_arm')
        assert arm.parameters['coarse'] is simulated
        assert arm.parameters['real_time'] is not simulated


def test_what_a_long_run_has_shown_is_kept_while_it_goes_on_and_beside_the_other_part(
    tmp_path, monkeypatch
):
    seen = []

    def run(graph, enough):
        part = soak_graph.Part(graph.clock)
        for minute in range(200):
            part.seconds = 60.0 * minute
            held = soak_processes.Held(private=40, shared=18, handles=5, threads=3, segments=2)
            part.look(part.seconds, {'camera': held})
            done = enough(part)
            file = tmp_path / 'soak.json'
            found = json.loads(file.read_text())['parts'] if file.exists() else []
            assert not any(each['complete'] for each in found if each['clock'] == graph.clock)
            seen.append(
                (graph.clock, minute, [(each['clock'], each['minutes']) for each in found])
            )
            if done:
                break
        return part

    monkeypatch.setattr(soak, 'run', run)
    for clock in ('simulated', 'real'):
        words = ['soak', '--clock', clock, '--minutes', '25', '--out', str(tmp_path)]
        monkeypatch.setattr(sys, 'argv', words)
        assert soak.main() == 0
    assert ('simulated', 9, []) in seen
    assert ('simulated', 24, [('simulated', 20.0)]) in seen
    assert ('real', 24, [('real', 20.0), ('simulated', 25.0)]) in seen
    assert seen[-1][1] == 25
    kept = json.loads((tmp_path / 'soak.json').read_text())['parts']
    assert [each['complete'] for each in kept] == [True, True]
    (tmp_path / 'soak.json').write_text('{"parts": [{"clock": "real"}], "machine": {}}')
    with pytest.raises(SystemExit):
        soak.main()
    page = (tmp_path / 'soak.md').read_text()
    assert '## The real clock' in page and '## The simulated clock' in page


def test_what_a_process_holds_is_counted_with_what_it_has_started(tmp_path):
    code = 'import sys, threading; t = threading.Event(); threading.Thread(target=t.wait).start();'
    code += 'block = bytearray(30 << 20); print(flush=True); sys.stdin.read(); t.set()'
    shell = ['sh', '-c', f"{sys.executable} -c '{code}'; true"]
    process = subprocess.Popen(
        shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        process.stdout.readline()
        found = soak_processes.held({'it': process.pid})['it']
        # The shell, and Python with its two threads.
        assert found.threads == 3 and found.private > 30 and found.handles >= 6
        assert found.segments == 0
    finally:
        process.stdin.close()
        process.wait()
