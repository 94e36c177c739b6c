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

"""The player among real nodes that come to know each other late."""

from dataclasses import replace
import os
import threading

from inference_robot import SIZE, frame
import pytest
from trajectory_msgs.msg import JointTrajectory

from vla_accel_ros.graph import replay_player
from vla_accel_ros.graph.operator import GraphError, Operator
from vla_accel_ros.graph.replay_player import HELD_BACK, Player, image_topic
from vla_accel_ros.nodes.camera import Camera
from vla_accel_ros.nodes.inference import Inference
from vla_accel_ros.nodes.scheduler import SchedulerNode
from vla_accel_ros.observations import Observation
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.messages import to_ns

VIEWS = 2
SEEN = Observation(
    tuple(frame(k, views=1) for k in range(VIEWS)), 'pick up the red cube', 1_700_000_000 * 10**9
)
PATIENT = {'max_age': 10.0, 'max_future': 10.0}


@pytest.fixture
def requests(graph, checkpoint):
    """Give what an active scheduler asks of an inference node that is deaf as yet."""
    topics = [image_topic(k) for k in range(VIEWS)]
    graph.add(Camera, use_sim_time=True, image_topics=topics, image_size=SIZE, **PATIENT)
    graph.add(SchedulerNode, use_sim_time=True)
    deaf = graph.add(
        Inference,
        autostart=False,
        remaps=[f'vla/action_chunk:={HELD_BACK}'],
        use_sim_time=True,
        checkpoint=str(checkpoint),
        threads=1,
        max_age=60.0,
    )
    assert graph.change_state(deaf, 'configure')
    return graph.listen(JointTrajectory, 'vla/request', qos.CONTROL)


@pytest.fixture
def play(graph):
    """Give a function that makes a player beside the nodes' thread, which calls `then`, too."""
    ended, opened, raised = threading.Event(), [], []

    def go_on(then):
        while not ended.is_set():
            graph.once()
            try:
                then()
            except Exception as error:
                raised.append(error)

    def made(then):
        thread = threading.Thread(target=go_on, args=(then,))
        operator = Operator(int(os.environ['ROS_DOMAIN_ID']), lambda: None)
        opened.append((thread, operator))
        thread.start()
        player = Player(operator, VIEWS, 0.05, 0.5, None, 4)
        player.connect(30.0)
        return player

    yield made
    ended.set()
    for thread, operator in opened:
        thread.join()
        operator.close()
    assert not raised, raised


def test_a_frame_that_is_lost_while_the_nodes_do_not_know_each_other_is_played_again(
    graph, requests, play
):
    deaf = graph.nodes[-1]

    def wake():
        if len(requests) >= 2 and not deaf.active:
            assert graph.change_state(deaf, 'activate')

    player = play(wake)
    player.meet(SEEN)
    assert len(requests) >= 2
    player.begin(SEEN.instruction, SEEN.stamp_ns, 0)
    asked, _ = player.step(SEEN, None)
    assert asked.call is not None
    assert asked.stamp_ns == SEEN.stamp_ns


def test_where_no_answer_comes_the_error_says_what_the_nodes_report(requests, play, monkeypatch):
    monkeypatch.setattr(replay_player, 'TRIES', 2)
    with pytest.raises(GraphError, match=r'(?s)the first frame is answered.*inference: inactive'):
        play(lambda: None).meet(SEEN)
    # One may be lost: nobody knows yet who hears whom.
    assert len(requests) <= 2


def test_a_recording_that_begins_at_zero_has_no_tries_at_negative_times(graph, requests, play):
    deaf = graph.nodes[-1]

    def wake():
        if requests and not deaf.active:
            assert graph.change_state(deaf, 'activate')

    play(wake).meet(replace(SEEN, stamp_ns=50_000_000))
    assert all(to_ns(request.header.stamp) > 0 for request in requests)
