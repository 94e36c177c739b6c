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

"""Goals: how one begins, what ends it, and when an action may go out."""

import pytest

from vla_accel_ros.scheduling.goal import NS, Goal, Status
from vla_accel_ros.scheduling.goal_config import GoalConfig

TASK = 'pick up the red cube'
READY: dict[str, str] = {}


class Desk:
    """A goal, its clock, and an arm_command that answers at once."""

    def __init__(self, **config):
        self.goal, self.now, self.enabled = Goal(GoalConfig(**config)), 1000 * NS, False
        self.refusal, self.asked = '', []
        self.report()

    def report(self, enabled=None):
        self.enabled = self.enabled if enabled is None else enabled
        self.goal.on_arm(self.enabled, 'enabled' if self.enabled else 'disabled', self.now)

    def answer(self, ask):
        self.asked.append(ask.enable)
        success = not (ask.enable and self.refusal)
        if success:
            self.report(ask.enable)
        return self.goal.on_answer(ask.ticket, success, self.refusal, self.now)

    def spend(self, seconds, standing=READY, acting=True, reporting=True):
        for _ in range(round(seconds / 0.05)):
            self.now += NS // 20
            if reporting:
                self.report()
            ask = self.goal.poll(self.now, standing)
            if ask is not None:
                self.answer(ask)
            if acting:
                self.goal.permits(self.now)

    def run(self):
        self.goal.start(TASK, self.now)
        self.spend(0.2)
        assert self.goal.status is Status.EXECUTING
        return self.goal

    def ended(self, status, reason):
        assert self.goal.status is status
        assert self.goal.reason.startswith(reason), self.goal.reason
        self.spend(0.1)
        assert not self.enabled and self.asked[-1] is False


def test_a_goal_enables_the_arm_tells_how_it_goes_and_disables_the_arm_at_its_end():
    desk = Desk()
    goal = desk.run()
    assert desk.enabled and desk.asked == [True]
    desk.spend(1.0)
    facts = goal.facts(desk.now)
    assert facts['goal'] == '1' and facts['status'] == 'executing' and facts['instruction'] == TASK
    assert float(facts['rate_hz']) == pytest.approx(20, abs=0.5)
    assert int(facts['steps']) == goal.steps >= 20
    assert float(facts['left_s']) == pytest.approx(60 - float(facts['elapsed_s']))
    assert goal.judge(True, 'operator', desk.now)
    assert not goal.permits(desk.now)
    desk.ended(Status.SUCCEEDED, 'operator')
    assert goal.permits(desk.now), 'a disabled arm may see actions'
    assert goal.start(TASK, desk.now) == '2'


@pytest.mark.parametrize(
    ('config', 'after', 'spent', 'reason'),
    [
        ({'time_limit': 2.0}, 2.2, {}, 'time_limit: 2 s'),
        ({'step_limit': 10}, 1.0, {}, 'step_limit: 10 actions'),
        ({'patience': 1.0}, 1.2, {'acting': False}, 'stalled: no action for 1 s'),
        (
            {'patience': 1.0},
            1.2,
            {'acting': False, 'standing': {'no_frame': 'for 1 s'}},
            'stalled: no action for 1 s; no_frame: for 1 s',
        ),
        ({}, 3.2, {'reporting': False}, 'arm_silent'),
    ],
)
def test_a_goal_is_aborted_with_its_reason(config, after, spent, reason):
    desk = Desk(**config)
    desk.run()
    desk.spend(after, **spent)
    desk.ended(Status.ABORTED, reason)


def test_no_more_actions_go_out_than_the_step_limit():
    desk = Desk(step_limit=3)
    goal = desk.goal
    goal.start(TASK, desk.now)
    desk.spend(1.0)
    assert goal.reason == 'step_limit: 3 actions'
    assert goal.steps == 3


def test_an_arm_that_was_stopped_aborts_the_goal():
    desk = Desk()
    desk.goal.start(TASK, desk.now)
    # The report that it is enabled comes before the answer, and none comes after it.
    assert desk.answer(desk.goal.poll(desk.now, READY))
    desk.report(False)
    desk.ended(Status.ABORTED, 'arm_stopped: disabled')


def test_a_second_goal_is_refused_and_the_first_goes_on():
    desk = Desk()
    goal = desk.run()
    with pytest.raises(ValueError, match=r'goal 1 .*executing.*cancel it first'):
        goal.start('push the block', desk.now)
    assert goal.status is Status.EXECUTING and goal.instruction == TASK


def test_a_goal_is_refused_without_instruction_or_arm_or_with_an_enabled_arm():
    desk = Desk()
    with pytest.raises(ValueError, match='no instruction'):
        desk.goal.start('', desk.now)
    desk.report(True)
    with pytest.raises(ValueError, match='enabled already'):
        desk.goal.start(TASK, desk.now)
    desk.now += 4 * NS
    with pytest.raises(ValueError, match='arm_command does not report'):
        desk.goal.start(TASK, desk.now)
    assert desk.goal.status is Status.UNKNOWN and desk.goal.name == ''


def test_what_stands_against_it_is_waited_for_and_the_arm_is_asked_again_when_it_refuses():
    desk = Desk()
    desk.goal.start(TASK, desk.now)
    desk.spend(1.0, {'no_answer': 'the model is loaded'})
    assert desk.asked == [] and desk.goal.reason == 'no_answer: the model is loaded'
    desk.refusal = 'no_pose: workspace is on'
    desk.spend(1.2)
    assert len(desk.asked) == 3 and desk.goal.reason == 'not_enabled: no_pose: workspace is on'
    desk.refusal = ''
    desk.spend(0.6)
    assert desk.goal.status is Status.EXECUTING


def test_what_is_never_ready_is_aborted_without_enabling_the_arm():
    desk = Desk(prepare_limit=1.0)
    desk.goal.start(TASK, desk.now)
    desk.spend(1.2, {'no_frame': 'no vla/frame yet'})
    desk.ended(Status.ABORTED, 'not_ready: no_frame: no vla/frame yet')
    assert True not in desk.asked
    assert float(desk.goal.facts(desk.now)['elapsed_s']) == 0


def test_cancel_while_the_question_to_enable_is_on_its_way_disables_after_it():
    desk = Desk()
    goal = desk.goal
    goal.start(TASK, desk.now)
    enable = goal.poll(desk.now, READY)
    assert enable.enable
    assert goal.cancel('cancel_requested', desk.now)
    disable = goal.poll(desk.now, READY)
    assert not disable.enable
    # Both arrive in their order; the first answer changes nothing any more.
    assert not desk.answer(enable)
    assert desk.enabled and not goal.permits(desk.now)
    assert not desk.answer(disable)
    assert not desk.enabled and goal.permits(desk.now)
    assert goal.status is Status.CANCELED


def test_until_the_arm_has_confirmed_its_end_no_action_goes_out_and_none_begins():
    desk = Desk()
    goal = desk.run()
    goal.cancel('cancel_requested', desk.now)
    lost = goal.poll(desk.now, READY)
    desk.now += NS
    desk.report()
    assert goal.poll(desk.now, READY) is None and not goal.permits(desk.now)
    with pytest.raises(ValueError, match='not yet confirmed'):
        goal.start(TASK, desk.now)
    desk.now += 3 * NS
    again = goal.poll(desk.now, READY)
    assert not again.enable and again.ticket != lost.ticket
    goal.unasked(desk.now)
    desk.spend(0.6)
    assert not desk.enabled and goal.permits(desk.now)


def test_only_a_client_that_once_gave_a_sign_of_life_has_to_go_on():
    desk = Desk(client_silence=0.5)
    goal = desk.run()
    desk.spend(2.0)
    assert goal.status is Status.EXECUTING
    goal.alive('another', desk.now)
    desk.spend(1.0)
    assert goal.status is Status.EXECUTING
    goal.alive(goal.name, desk.now)
    desk.spend(0.4)
    goal.alive(goal.name, desk.now)
    desk.spend(0.4)
    assert goal.status is Status.EXECUTING
    desk.spend(0.3)
    desk.ended(Status.CANCELED, 'client_gone')


def test_where_goals_are_required_an_enabled_arm_gets_no_action_without_one():
    desk = Desk(required=True)
    assert desk.goal.permits(desk.now)
    desk.report(True)
    assert not desk.goal.permits(desk.now)
    desk.report(False)
    desk.run()
    assert desk.goal.permits(desk.now)
    fresh = Goal(GoalConfig(required=True))
    assert not fresh.permits(desk.now), 'nothing is known of the arm'
    assert Goal().permits(desk.now)


def test_words_about_no_goal_change_nothing():
    desk = Desk()
    assert not desk.goal.cancel('cancel_requested', desk.now)
    assert not desk.goal.judge(True, 'operator', desk.now)
    desk.goal.start(TASK, desk.now)
    assert not desk.goal.judge(True, 'operator', desk.now), 'it has not begun to execute'
    assert not desk.goal.on_answer(99, True, '', desk.now)
    assert desk.goal.status is Status.ACCEPTED


@pytest.mark.parametrize('reason', ['stopped: stop_requested', 'fault: unsafe_twist'])
def test_a_stop_or_a_fault_ends_a_goal_that_still_prepares(reason):
    desk = Desk()
    desk.goal.start(TASK, desk.now)
    desk.spend(0.2, {'no_answer': 'a model is loaded'})
    assert desk.goal.status is Status.ACCEPTED
    desk.goal.on_arm(False, reason, desk.now)
    desk.ended(Status.ABORTED, f'arm_stopped: {reason}')
    assert True not in desk.asked


def test_a_goal_that_is_started_on_a_stopped_arm_releases_that_stop_and_no_other_one():
    desk = Desk()
    desk.goal.on_arm(False, 'stopped: several_publishers', desk.now)
    desk.goal.start(TASK, desk.now)
    desk.goal.on_arm(False, 'stopped: several_publishers', desk.now)
    assert desk.goal.status is Status.ACCEPTED
    desk.goal.on_arm(False, 'stopped: stop_requested', desk.now)
    desk.ended(Status.ABORTED, 'arm_stopped: stopped: stop_requested')


def test_a_second_stop_for_the_same_reason_ends_a_goal_that_prepares():
    desk = Desk()
    desk.goal.on_arm(False, 'stopped: stop_requested', desk.now, '1')
    desk.goal.start(TASK, desk.now)
    desk.goal.on_arm(False, 'stopped: stop_requested', desk.now, '1')
    assert desk.goal.status is Status.ACCEPTED
    desk.goal.on_arm(False, 'stopped: stop_requested', desk.now, '2')
    desk.ended(Status.ABORTED, 'arm_stopped: stopped: stop_requested')
