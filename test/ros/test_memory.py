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

import os
import subprocess
import sys

COUNT = """
import resource
from vla_accel_ros.ros.memory import keep_freed_memory
kept = {} and keep_freed_memory()
for _ in range(10):
    bytearray(1 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    bytearray(1 << 20)
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(keep):
    done = subprocess.run(
        [sys.executable, '-c', COUNT.format(keep)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, 'MALLOC_MMAP_THRESHOLD_': '131072'} if not keep else None,
    )
    kept, count = done.stdout.split()
    return kept, int(count)


def test_memory_of_the_size_of_an_image_is_used_again():
    kept, count = faults(True)
    # Where the C library is not glibc there is nothing to tell it.
    assert kept == 'False' or count < 100


def test_without_it_each_image_is_paged_in_anew():
    _, count = faults(False)
    assert count > 1000
