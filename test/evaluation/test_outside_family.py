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

"""A family of another package in the closed loop, workers included."""

from vla_accel_ros import acceleration as methods
from vla_accel_ros.evaluation import runner
from vla_accel_ros.sim.tasks import all_instructions


def test_a_family_of_another_package_acts_in_the_closed_loop(toy_checkpoint):
    setup = runner.Setup(str(toy_checkpoint), max_steps=4)
    chosen = methods.find('none,random@keep=0.5')
    jobs = runner.plan(chosen, range(2_000_000, 2_000_001), all_instructions('lift'))
    results = {r.method: r for r in runner.run(jobs, setup, workers=2)}
    assert len(results) == 2
    for name, keep in (('none', 1.0), (chosen[1].name, 0.5)):
        assert results[name].steps == 4
        assert {call.passes for call in results[name].calls} == {1}
        assert {call.keep for call in results[name].calls} == {keep}
        assert all(call.flops > 0 for call in results[name].calls)
