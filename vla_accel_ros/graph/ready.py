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


"""The last line of launch: says when all nodes are active, and how to let the arm move.

Run as a module beside the nodes; it ends when it has said so.
"""

from __future__ import annotations

import argparse
import sys
import time

from vla_accel_ros.graph.status_listener import Listener
from vla_accel_ros.graph.status_page import Report, enable_with, problems
from vla_accel_ros.ros.parent import end_with_parent

# A small model is loaded by then; what takes longer is named, and waited for.
PATIENCE_S = 30.0


def waiting_for(reports: dict[str, Report], namespace: str, nodes: list[str], now: float) -> str:
    """Return what is not active yet and why, empty when all is.

    A node that is active and has an error is up: what is wrong with it, it says itself.
    """
    active = [each.name for each in reports.values() if each.state == 'active']
    prefix = namespace.rstrip('/')
    missing = [node for node in nodes if f'{prefix}/{node}' not in active]
    return '; '.join(
        problems(
            [each for each in reports.values() if each.node in missing], now, namespace, missing
        )
    )


def main(argv: list[str] | None = None) -> int:
    """Wait until the nodes are active, and say so."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--namespace', default='')
    parser.add_argument('--nodes', nargs='+', required=True)
    options = parser.parse_args(argv)
    namespace = '/' + options.namespace.strip('/')
    end_with_parent()
    listener = Listener(namespace)
    begun, patience, why = time.monotonic(), PATIENCE_S, ''

    def active() -> bool:
        nonlocal why
        why = waiting_for(listener.reports, namespace, options.nodes, time.monotonic())
        return not why

    try:
        while not listener.until(active, patience):
            print(
                f'not all nodes are active after {time.monotonic() - begun:.0f} s: {why}',
                flush=True,
            )
            patience *= 2
        print(f'all nodes are active; enable with: {enable_with(namespace)}', flush=True)
        return 0
    except KeyboardInterrupt:
        return 0
    finally:
        listener.close()


if __name__ == '__main__':
    sys.exit(main())
