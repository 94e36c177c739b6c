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

"""Whether the model is fast enough, and understands what it is told."""

from __future__ import annotations

from collections.abc import Iterator

from vla_accel_ros.deploy.finding import Finding, error, ok, warning
from vla_accel_ros.deploy.robot import Facts

# A call that takes more of its bound will miss it now and then.
TIGHT = 0.8


def latency(facts: Facts) -> Iterator[Finding]:
    """Compare a warm call with the policy step and with the bounds of an answer."""
    wants, scheduler, model = facts.wants, facts.scheduler, facts.model
    if wants is None or scheduler is None or model is None or model.call_ms is None:
        return
    call_s, step, rows = model.call_ms * 1e-3, scheduler.policy_step, wants.actions.rows
    text = f'a warm call takes {model.call_ms:.0f} ms, a step {step * 1e3:.0f} ms'
    if not wants.elsewhere:
        text += f', an answer has {rows} action{"s" * (rows > 1)}'
    missed = [
        f'{name} is {bound:g} s'
        for name, bound in (
            ('answer_timeout', scheduler.answer_timeout),
            ('max_staleness', scheduler.max_staleness),
        )
        if call_s > TIGHT * bound
    ]
    if missed:
        yield error(
            'latency',
            f'{text}, {" and ".join(missed)}',
            'every answer comes too late: accelerate the model, or raise the bounds',
        )
    elif call_s > rows * step and not wants.elsewhere:
        yield warning(
            'latency',
            text,
            'the arm waits between answers: accelerate the model (engine, pruning, a faster rule)',
        )
    else:
        yield ok('latency', text)


def prompt(facts: Facts) -> Iterator[Finding]:
    """Say whether there is an instruction that the model can read."""
    scheduler, model = facts.scheduler, facts.model
    if model is not None and model.prompt_refused:
        yield error(
            'prompt',
            f'the checkpoint cannot read the instruction: {model.prompt_refused}',
            'say it in the words that the checkpoint was trained with',
        )
    elif scheduler is not None and not scheduler.instruction.strip():
        yield warning(
            'prompt', 'there is no instruction', 'publish one on vla/instruction or set it'
        )
    elif scheduler is not None:
        yield ok('prompt', f"the instruction is '{scheduler.instruction.strip()}'")


def vocabulary(facts: Facts) -> Iterator[Finding]:
    """Look that the action bins are the tokeniser's last tokens, or stand behind all of them."""
    wants = facts.wants
    if wants is None or not wants.bins or not wants.tokens:
        return
    first, last = wants.vocabulary - wants.bins, wants.vocabulary - 1
    text = f'the action bins are tokens {first} to {last}, the tokeniser has {wants.tokens}'
    if first < wants.tokens <= last:
        yield error(
            'vocabulary',
            text,
            'every action is shifted by the padding of the table: set pad_to_multiple_of in '
            'config.json',
        )
    else:
        yield ok('vocabulary', text)
