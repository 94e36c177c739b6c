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

"""Whether the actions that a checkpoint answers are those that the way to the arm takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isclose, pi

from vla_accel_ros.action_columns import ColumnKind
from vla_accel_ros.deploy.finding import Finding, error, ok, warning
from vla_accel_ros.deploy.robot import Facts

# No arm that this is made for moves faster, or turns a joint further.
FASTEST_M_S = 3.0
FASTEST_RAD_S = 4 * pi
FARTHEST_RAD = 4 * pi
# Less than this in a step is no motion.
LEAST = 1e-5
# A gripper's range may be rounded by so much.
GRIPPER_SLACK = 0.05
# Steps that differ by more are different rates.
STEP_SHARE = 0.02
# Most grippers are open most of the time; of a start they are nearly always.
MOSTLY = 0.9
ABSOLUTE = ColumnKind.JOINT_POSITION.value
JOINTS = (ABSOLUTE, ColumnKind.JOINT_DISPLACEMENT.value)
# What bounds an action's size and speed, in m and then in rad.
TOOL_LIMITS = (
    'limits.translation_step',
    'limits.linear_speed',
    'limits.rotation_step',
    'limits.angular_speed',
)
JOINT_LIMITS = ('joints.largest_step', 'the velocity of a joint')


def action_kind(facts: Facts) -> Iterator[Finding]:
    """Compare number, meaning and names of the columns."""
    wants, arm = facts.wants, facts.arm
    if wants is None or arm is None:
        return
    actions = wants.actions
    text = f'the checkpoint answers {_told(actions.kinds, actions.names)}'
    if actions.kinds == arm.kinds and actions.names == arm.names:
        yield ok('action_kind', f'{text}, as arm_command takes')
    elif actions.kinds == arm.kinds:
        # Joints of another order, or the left arm for the right one, are of the same kinds.
        yield error(
            'action_kind',
            f'the checkpoint answers {" ".join(actions.names)}, arm_command takes '
            f'{" ".join(arm.names)}',
            "name the robot's joints in the checkpoint's order, in conventions.json and in "
            'action_space',
        )
    else:
        yield error(
            'action_kind',
            f'{text}, arm_command takes {_told(arm.kinds, arm.names)}',
            'use a checkpoint of this kind of command, or an arm_command that takes that kind',
        )


def action_units(facts: Facts) -> Iterator[Finding]:
    """Look whether the range of the actions, over a step, can be metres and radians of an arm."""
    if facts.wants is None or facts.wants.elsewhere or not facts.wants.actions.kinds:
        return
    actions, step_s = facts.wants.actions, _step(facts)
    if step_s is None:
        return
    metres, radians, position = actions.step_m, actions.step_rad, actions.position_rad
    text = f'the largest step is {metres:.3g} m and {radians:.3g} rad in {step_s:g} s'
    remedy = (
        'they are in units of a controller, degrees, mm or shares: use the unnorm_key of this '
        'robot, or statistics in m and rad'
    )
    if metres / step_s > FASTEST_M_S or radians / step_s > FASTEST_RAD_S:
        yield error(
            'action_units',
            f'{text}, which is {metres / step_s:.3g} m/s and {radians / step_s:.3g} rad/s, '
            f'an arm makes at most {FASTEST_M_S:g} m/s and {FASTEST_RAD_S:.3g} rad/s',
            remedy,
        )
    elif position > FARTHEST_RAD:
        yield error(
            'action_units',
            f'a joint goes to {position:.3g} rad, an arm turns at most {FARTHEST_RAD:.3g} rad',
            remedy,
        )
    elif max(metres, radians) < LEAST and ABSOLUTE not in actions.kinds:
        yield error('action_units', f'{text}: no action would move the arm', remedy)
    else:
        yield ok('action_units', text)


def action_limits(facts: Facts) -> Iterator[Finding]:
    """Look whether arm_command would refuse the largest action."""
    if facts.wants is None or facts.wants.elsewhere or facts.arm is None:
        return
    arm, step_s = facts.arm, _step(facts)
    if step_s is None or not facts.wants.actions.kinds:
        return
    metres, radians = facts.wants.actions.step_m, facts.wants.actions.step_rad
    names = JOINT_LIMITS * 2 if any(each in JOINTS for each in arm.kinds) else TOOL_LIMITS
    limits = (
        (metres, arm.translation_step, 'm'),
        (metres / step_s, arm.linear_speed, 'm/s'),
        (radians, arm.rotation_step, 'rad'),
        (radians / step_s, arm.angular_speed, 'rad/s'),
    )
    above = [
        f'{name} {limit:g} {unit}'
        for name, (value, limit, unit) in zip(names, limits, strict=True)
        if value > limit
    ]
    text = f'the largest step is {metres:.3g} m and {radians:.3g} rad in {step_s:g} s'
    if above:
        yield warning(
            'action_limits',
            f'{text}, above {", ".join(above)}',
            'such actions are refused whole: raise the limits if the arm may move so fast',
        )
    else:
        yield ok('action_limits', f'{text}, within the limits')


def policy_step(facts: Facts) -> Iterator[Finding]:
    """Compare the duration of one action: in training, of the nodes, and what the arm takes."""
    told = _told_steps(facts)
    if not told:
        return
    arm = facts.arm
    text = ', '.join(f'policy_step of {node} is {step:g} s' for node, step in told.items())
    wants = facts.wants.actions if facts.wants else None
    if len(set(told.values())) > 1:
        yield error('policy_step', text, 'set the same for each of them')
        return
    step = next(iter(told.values()))
    if arm is not None and not arm.min_step <= step <= arm.max_step:
        yield error(
            'policy_step',
            f'{text}, arm_command takes steps of {arm.min_step:g} to {arm.max_step:g} s',
            'set limits.min_step and limits.max_step of arm_command around it',
        )
    elif wants is not None and wants.step_s is None:
        yield ok('policy_step', f'{text}; the checkpoint does not say at which it was trained')
    elif (
        wants is not None
        and wants.step_s is not None
        and not isclose(step, wants.step_s, rel_tol=STEP_SHARE)
    ):
        yield error(
            'policy_step',
            f'{text} ({1 / step:.3g} Hz), {wants.step_source} has {wants.step_s:g} s '
            f'({1 / wants.step_s:.3g} Hz)',
            f'set policy_step of scheduler and inference to {wants.step_s:g}: the rate is not in '
            'the weights',
        )
    else:
        yield ok('policy_step', f'{text}, as in training')


def frame(facts: Facts) -> Iterator[Finding]:
    """Compare the frame of the actions."""
    told = {
        node: part.frame_id
        for node, part in (
            ('scheduler', facts.scheduler),
            ('inference', facts.model),
            ('arm_command', facts.arm),
        )
        if part is not None
    }
    if not told:
        return
    text = ', '.join(f"frame_id of {node} is '{name}'" for node, name in told.items())
    wanted = facts.wants.actions.frame if facts.wants else ''
    if len(set(told.values())) > 1:
        yield error('frame', text, 'set the same for each of them: the frame of the actions')
    elif wanted and wanted not in told.values():
        yield error(
            'frame',
            f"the checkpoint's actions are in '{wanted}', {text}",
            f"set frame_id to '{wanted}', or use a checkpoint of that frame",
        )
    else:
        yield ok('frame', text)


def statistics(facts: Facts) -> Iterator[Finding]:
    """Look whether the range is that of percentiles, which is what the models are trained with."""
    if facts.wants is None or facts.wants.elsewhere:
        return
    if facts.wants.actions.extremes:
        yield warning(
            'statistics',
            f"q01 and q99 of '{facts.wants.key}' are its smallest and largest value, expected "
            'the 1st and 99th percentile',
            'compute them from the data set: with other ranges every action has another size',
        )
    else:
        yield ok('statistics', f"the range of '{facts.wants.key}' is that of percentiles")


def unnorm_key(facts: Facts) -> Iterator[Finding]:
    """Say which data set's statistics hold."""
    if facts.wants is not None and not facts.wants.elsewhere:
        yield ok('unnorm_key', f"statistics of '{facts.wants.key}', one of {facts.wants.keys}")


def gripper_range(facts: Facts) -> Iterator[Finding]:
    """Look whether the stored gripper is 0 to 1, which is what is sent on."""
    if facts.wants is None:
        return
    actions = facts.wants.actions
    low, high = actions.gripper_low, actions.gripper_high
    if low is None or high is None:
        return
    text = f"the gripper of '{facts.wants.key}' goes from {low:g} to {high:g}"
    if high > 1 + GRIPPER_SLACK or low < -1 - GRIPPER_SLACK:
        yield error(
            'gripper_range',
            f'{text}, expected 0 to 1',
            'what is beyond is cut off: bring the statistics to 0 to 1',
        )
    elif high < 0.5:
        yield error(
            'gripper_range',
            f'{text}, expected 0 to 1',
            'it would never pass the middle, where a gripper opens or closes: bring the '
            'statistics to 0 to 1',
        )
    elif low < -GRIPPER_SLACK:
        yield warning(
            'gripper_range',
            f'{text}, expected 0 to 1',
            'below 0 is taken for 0: right for a gripper of two places, not for one in between',
        )
    else:
        yield ok('gripper_range', text)


def gripper_sign(facts: Facts) -> Iterator[Finding]:
    """Look whether the first actions close a gripper that in training is mostly open."""
    if facts.wants is None or facts.arm is None:
        return
    share, closing = facts.wants.actions.closed, facts.arm.closing
    if share is None or closing is None:
        return
    text = (
        f'{closing:.0%} of the actions before the start close the gripper, in training {share:.0%}'
    )
    if closing > MOSTLY and share < 0.5:
        yield warning(
            'gripper_sign',
            text,
            'a task seldom begins so: look whether 1 is closed for this checkpoint and robot',
        )
    elif closing < 1 - MOSTLY and share > MOSTLY:
        yield warning(
            'gripper_sign', text, 'look whether 1 is closed for this checkpoint and robot'
        )
    else:
        yield ok('gripper_sign', text)


def arm_listener(facts: Facts) -> Iterator[Finding]:
    """Say whether anybody listens to what moves the arm."""
    if facts.arm is None or facts.arm.listeners is None:
        return
    if facts.arm.listeners:
        yield ok('arm_listener', f'{facts.arm.listeners} listen to the commands of the arm')
    else:
        yield warning(
            'arm_listener',
            'nobody listens to the commands of the arm',
            "start Servo, the controller or the driver, or remap arm_command's topic to its own",
        )


def _step(facts: Facts) -> float | None:
    told = list(_told_steps(facts).values())
    return told[0] if told else facts.wants.actions.step_s if facts.wants else None


def _told_steps(facts: Facts) -> dict[str, float]:
    return {
        node: part.policy_step
        for node, part in (('scheduler', facts.scheduler), ('inference', facts.model))
        if part is not None
    }


def _told(kinds: Sequence[str], names: Sequence[str]) -> str:
    if not kinds:
        return f'{len(names)} columns of which nothing says what they are'
    counts = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    said = ', '.join(f'{count} {kind}' for kind, count in counts.items())
    return f'{len(kinds)} columns ({said})'
