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

"""What is recorded runs again on the same memory; what others could overwrite is spoilt."""

import pytest
import torch

from vla_accel_ros.engines.recorders import CudaRecorder, HostRecorder


def recorded(recorder, memory):
    return recorder.record(lambda: {'y': memory * 2, 'n': (memory > 0).sum()})


def test_what_stands_in_the_memory_is_run_again():
    memory = torch.ones(3)
    again = recorded(HostRecorder(), memory)
    y = again.outputs['y']
    memory.fill_(4)
    again.replay()
    assert again.outputs['y'] is y
    assert y.eq(8).all()


def test_outputs_of_all_other_recordings_are_spoilt():
    recorder, memory = HostRecorder(), torch.ones(3)
    one, other = recorded(recorder, memory), recorded(recorder, memory)
    one.replay()
    other.replay()
    assert one.outputs['y'].isnan().all()
    assert other.outputs['y'].eq(2).all()
    assert other.outputs['n'] == 3


def test_an_input_that_is_an_output_is_not_spoilt():
    recorder, memory = HostRecorder(), torch.ones(3)
    again = recorder.record(lambda: {'y': memory})
    recorded(recorder, memory).replay()
    again.replay()
    assert memory.eq(1).all()


@pytest.mark.gpu
def test_a_graph_runs_again_on_what_stands_in_the_memory():
    memory = torch.ones(3, device='cuda')
    recorder = CudaRecorder(memory.device)
    again = recorded(recorder, memory)
    memory.fill_(4)
    again.replay()
    assert again.outputs['y'].eq(8).all()


@pytest.mark.gpu
def test_after_a_run_that_reads_the_host_the_next_one_is_captured():
    memory = torch.ones(3, device='cuda')
    recorder = CudaRecorder(memory.device)
    with pytest.raises(RuntimeError):
        recorder.record(lambda: {'y': memory * memory.sum().item()})
    again = recorded(recorder, memory)
    again.replay()
    assert again.outputs['y'].eq(2).all()
