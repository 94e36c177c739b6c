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

"""OpenVLA's REST server for tests; the instruction says what is wrong with its answer."""

from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
import json
import threading

import json_numpy
import numpy as np

ROW = np.array([0.01, 0.0, 0.0, 0.0, 0.0, 0.1, 1.0])


class Act(BaseHTTPRequestHandler):
    """Answers as OpenVLA's server does; the instruction says what is wrong."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        payload = json_numpy.loads(body)
        self.server.seen.append((self.path, payload))
        self.server.key = self.headers['Authorization']
        words = payload['instruction']
        answer = {
            'chunk': json_numpy.dumps([ROW, ROW]),
            'twice': json.dumps(json_numpy.dumps(ROW)),
            'error': '"error"',
            'wide': json_numpy.dumps(np.zeros(9)),
            'html': '<html>',
        }.get(words, json_numpy.dumps(ROW))
        if words == 'silent':
            # Until the client has had enough.
            self.rfile.read(1)
            return
        if words == 'head drips':
            self._drip(f'HTTP/1.1 200 OK\r\nX: {"x" * 100}')
            return
        self.send_response(500 if words == 'broken' else 200)
        # Of one that dies half of the answer comes.
        self.send_header('Content-Length', str(len(answer) * (2 if words == 'dies' else 1)))
        self.end_headers()
        if words == 'drip':
            self._drip(answer)
        else:
            self.wfile.write(answer.encode())

    def _drip(self, text):
        self.connection.settimeout(0.02)
        with suppress(BrokenPipeError, ConnectionResetError):
            for letter in text:
                self.wfile.write(letter.encode())
                self._stays()

    def _stays(self):
        """Wait a little for the client to go."""
        with suppress(TimeoutError):
            self.connection.recv(1)

    def log_message(self, *_):
        pass


@contextmanager
def act_server():
    """Give a running server: `seen` has paths and observations, `key` the last key."""
    running = HTTPServer(('127.0.0.1', 0), Act)
    running.seen = []
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    try:
        yield running
    finally:
        running.shutdown()
        thread.join()
        running.server_close()
