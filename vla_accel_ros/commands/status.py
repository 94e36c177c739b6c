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


"""`vla-accel status`: state, reasons and rates of every node on one page."""

from __future__ import annotations

import argparse
import json
import sys
import time

from vla_accel_ros.graph.status_page import facts, needed, page, problems
from vla_accel_ros.ros.domain import LARGEST, domain_of_environment

# Two reports of each node, for the rates, come within two seconds.
LOOK_S = 5.0
PERIOD_S = 1.0
CLEAR = '\033[H\033[J'


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        '--namespace', metavar='NAME', help='look at this namespace only (default: at all)'
    )
    parser.add_argument(
        '--domain',
        type=int,
        metavar='N',
        help='ROS domain, such as the one that the demo names (default: ROS_DOMAIN_ID, or 0)',
    )
    parser.add_argument(
        '--watch', action='store_true', help='go on, a page a second, until Ctrl-C'
    )


def run(args: argparse.Namespace) -> int:
    """Look, and print the page.

    Returns:
        0 when every node is active and none has an error, else 1; with `--watch` of the last page.

    Raises:
        ValueError: When an argument, or ROS_DOMAIN_ID, makes no sense.
    """
    domain, namespace = _domain(args.domain), _namespace(args.namespace)
    # rclpy is not needed for `--help`.
    from vla_accel_ros.graph.status_listener import Listener

    listener = Listener(namespace, domain)
    ok = False
    try:
        _gather(listener, namespace)
        while True:
            ok = _show(args, listener, domain, namespace)
            if not args.watch:
                return 0 if ok else 1
            listener.until(lambda: False, PERIOD_S)
    except KeyboardInterrupt:
        if not args.watch:
            raise
        return 0 if ok else 1
    finally:
        listener.close()


def _gather(listener, namespace: str | None) -> None:
    """Listen until all is known that a page needs, or for so long as it could come."""

    def whole() -> bool:
        reports = list(listener.reports.values())
        return (
            bool(reports)
            and all(each.rates is not None for each in reports)
            and listener.reports.keys() >= set(needed(reports, namespace))
        )

    listener.until(whole, LOOK_S)


def _show(args, listener, domain: int, namespace: str | None) -> bool:
    reports, now = list(listener.reports.values()), time.monotonic()
    ok = bool(reports) and not problems(reports, now, namespace)
    if args.json:
        print(
            json.dumps(
                {**facts(reports, str(domain), now, namespace), 'ok': ok},
                indent=None if args.watch else 2,
            ),
            flush=True,
        )
    else:
        text = (
            page(reports, str(domain), now, namespace) if reports else _nothing(domain, namespace)
        )
        print((CLEAR if args.watch and sys.stdout.isatty() else '') + text, flush=True)
    return ok


def _nothing(domain: int, namespace: str | None) -> str:
    where = f'ROS domain {domain}' + (f', namespace {namespace}' if namespace else '')
    return (
        f'no node of vla_accel_ros is there: {where}, {LOOK_S:.0f} s.\n'
        'Is it running, and in this domain (ROS_DOMAIN_ID, --domain)? The demo names its own.'
    )


def _domain(given: int | None) -> int:
    if given is None:
        return domain_of_environment()
    if not 0 <= given <= LARGEST:
        raise ValueError(f'the ROS domain is {given}, expected 0 to {LARGEST}')
    return given


def _namespace(text: str | None) -> str | None:
    return None if text is None else '/' + '/'.join(filter(None, text.split('/')))
