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

"""What can go wrong with a policy in another process; each kind has its name on /diagnostics."""

# Of what a server or a library says, and of a whole message that may quote it.
LONGEST_TEXT, LONGEST_LINE = 300, 2000


def one_line(text: str) -> str:
    """Give a message that may quote another process as one line of bounded length."""
    line = ' '.join(text.split())
    return line if len(line) <= LONGEST_LINE else f'{line[: LONGEST_LINE - 3]}...'


class RemoteError(RuntimeError):
    """The server of a policy gave no action that can be used.

    Args:
        text: Why; it becomes one line.
    """

    def __init__(self, text: str) -> None:
        super().__init__(one_line(text))


class RemoteDownError(RemoteError):
    """The server cannot be reached, or the connection to it broke."""


class RemoteTimeoutError(RemoteError):
    """The server did not answer in time."""


class RemoteRefusedError(RemoteError):
    """The server answered that something is wrong, in its words."""


class RemoteAnswerError(RemoteError):
    """The answer is none that can be used: its shape, its columns or its gripper."""


class RemoteMismatchError(RemoteError, ValueError):
    """What the server declares and what the parameters say do not go together."""
