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

"""Two hosts that find each other through a discovery server, without multicast or addresses."""


def test_through_a_discovery_server_the_arm_moves_and_a_cut_link_holds_it_in_time(served):
    def act():
        with served.worse(cut=True):
            served.rests()
            served.tells('scheduler', 'inference_timeout')
        served.moves()

    served.verified(act)
