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

"""Graphs that are linked to a checkpoint's own files, of which it has several."""

from dataclasses import replace
import errno
import json
import os
from pathlib import Path

import onnx
import pytest
from safetensors.torch import load_file, save_file
from tiny_models import TOKENS
import torch

from vla_accel_ros.engines.interface import EngineError
from vla_accel_ros.engines.onnx import graphs as graphs_module
from vla_accel_ros.engines.onnx import linked_weights as links
from vla_accel_ros.engines.onnx.graphs import Graphs
from vla_accel_ros.engines.programs.decoder import Span
from vla_accel_ros.engines.store import Store
from vla_accel_ros.models.checkpoints.folder import load, save
from vla_accel_ros.models.checkpoints.json_file import CheckpointError
from vla_accel_ros.models.checkpoints.linked import export_linked, linked_graphs, usual_programs
from vla_accel_ros.models.checkpoints.tensor_places import linked_weights
from vla_accel_ros.models.random_weights import random_model

onnxruntime = pytest.importorskip('onnxruntime')
WIDTH, LAYERS = 32, 2
SHARDS = ('model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors')


def write_sharded(folder: Path) -> Path:
    """Write a checkpoint of two files, as large ones are published."""
    config = replace(TOKENS, decoder=replace(TOKENS.decoder, layers=LAYERS))
    save(random_model(config), folder)
    tensors = load_file(folder / 'model.safetensors')
    names = sorted(tensors)
    weight_map = {}
    for number, shard in enumerate(SHARDS):
        part = {name: tensors[name] for name in names[number::2]}
        save_file(part, folder / shard)
        weight_map |= dict.fromkeys(part, shard)
    (folder / 'model.safetensors.index.json').write_text(json.dumps({'weight_map': weight_map}))
    (folder / 'model.safetensors').unlink()
    (folder / 'model.safetensors.sha256').unlink()
    return folder


@pytest.fixture(scope='module')
def sharded(tmp_path_factory):
    return write_sharded(tmp_path_factory.mktemp('linked') / 'checkpoint')


@pytest.fixture(scope='module')
def store(sharded):
    return Store(sharded.parent / 'engines')


def span(model):
    return Span(model.language_model.model, 0, LAYERS, norm=True)


@pytest.fixture(scope='module')
def exported(sharded, store):
    made = []
    export_linked(
        sharded,
        store,
        lambda model: (model.projection(), span(model)),
        lambda program, graph: made.append((program, graph)),
    )
    return {program.name: graph for program, graph in made}


GIVEN = {
    'projector': {'features': (1, 32, 16)},
    'span': {'x': (1, 20, WIDTH), 'positions': torch.arange(20), 'rows': torch.arange(18, 20)},
}


@pytest.mark.parametrize('name', list(GIVEN))
def test_a_linked_graph_gives_what_eager_gives(name, sharded, exported):
    model = load(sharded)
    model.language_model.model.pack()
    noise = torch.Generator().manual_seed(0)
    given = {
        key: torch.randn(*value, generator=noise) if isinstance(value, tuple) else value
        for key, value in GIVEN[name].items()
    }
    programs = {'projector': model.projection(), 'span': span(model)}
    with torch.inference_mode():
        expected = programs[name].run(given, {})
    session = onnxruntime.InferenceSession(str(exported[name].path))
    found = session.run(None, {key: value.numpy() for key, value in given.items()})
    for key, values in zip(exported[name].outputs, found, strict=True):
        torch.testing.assert_close(torch.from_numpy(values), expected[key], atol=2e-5, rtol=1e-4)


def external(graph):
    """Give the files that a graph refers to, with offset and length of each tensor."""
    model = onnx.load(graph.path, load_external_data=False)
    found = {}
    for tensor in model.graph.initializer:
        facts = {entry.key: entry.value for entry in tensor.external_data}
        if facts:
            found[tensor.name] = facts['location'], int(facts['offset']), int(facts['length'])
    return found


def test_references_stay_inside_the_folder_and_are_the_checkpoints_own_files(sharded, exported):
    places = [place for graph in exported.values() for place in external(graph).values()]
    assert {location for location, *_ in places} == set(SHARDS)
    for graph in exported.values():
        for location, offset, length in external(graph).values():
            file = graph.path.parent / location
            assert not file.is_symlink()
            assert file.samefile(sharded / location)
            assert offset + length <= file.stat().st_size


def test_no_weight_is_written_into_a_graph(exported):
    table = 4 * 2 * 8 * TOKENS.decoder.max_positions
    assert exported['projector'].path.stat().st_size < 20_000
    assert exported['span'].path.stat().st_size < table + 200_000


def test_a_model_that_a_policy_runs_has_the_graphs_that_were_made_ahead(sharded, store, exported):
    told = []
    model = load(sharded)
    model.language_model.model.pack()
    graphs = linked_graphs(sharded, Store(store.folder, told.append), model)
    assert graphs.graph(span(model)).path == exported['span'].path
    assert told == []


def test_weights_of_another_type_than_the_files_are_not_taken_from_them(sharded):
    weights = linked_weights(sharded)
    name = 'language_model.lm_head.weight'
    tensor = load(sharded).language_model.lm_head.weight
    assert weights.place(name, tensor) is not None
    assert weights.place(name, tensor.to(torch.bfloat16)) is None
    assert weights.place(name, tensor[1:]) is None
    assert weights.place('another', tensor) is None


def test_a_large_model_that_was_loaded_is_linked_by_itself(sharded, store, exported, monkeypatch):
    monkeypatch.setattr(graphs_module, 'LARGE', 1)
    model = load(sharded)
    model.language_model.model.pack()
    assert Graphs(model, store).graph(span(model)).path == exported['span'].path


def test_a_model_that_was_changed_since_is_not_linked(sharded, tmp_path):
    model = load(sharded)
    with torch.no_grad():
        model.projector.fc1.weight[-1, -1] += 1
    graphs = linked_graphs(sharded, Store(sharded.parent / 'changed'), model)
    with pytest.raises(
        EngineError, match=r'projector.fc1\.weight of the model is not what .*tensors'
    ):
        graphs.graph(model.projection())


def test_a_file_that_was_changed_is_noticed(tmp_path):
    folder = write_sharded(tmp_path / 'checkpoint')
    told = []
    store = Store(tmp_path / 'engines', told.append)

    def projector():
        return export_linked(folder, store, lambda model: [model.projection()])[0]

    before = projector()
    # In place, which changes what the first graph refers to, too.
    for shard in SHARDS:
        with (folder / shard).open('r+b') as opened:
            opened.seek(-4, os.SEEK_END)
            last = opened.read(4)
            opened.seek(-4, os.SEEK_END)
            opened.write(bytes(255 - byte for byte in last))
    assert store.find(before.key) is None
    after = projector()
    assert after.path != before.path
    assert any('weights is' in line for line in told)
    assert projector().path == after.path


def test_a_checkpoint_on_another_file_system_is_not_copied(tmp_path, sharded, monkeypatch):
    def refuse(file, link):
        raise OSError(errno.EXDEV, 'Invalid cross-device link')

    monkeypatch.setattr(links.os, 'link', refuse)
    with pytest.raises(EngineError, match=r'cannot be linked into .*VLA_ACCEL_ENGINES'):
        export_linked(sharded, Store(tmp_path), lambda model: [model.projection()])


def test_a_hubs_folder_of_symbolic_links_is_linked_to_the_files(tmp_path, sharded, exported):
    folder = tmp_path / 'snapshot'
    folder.mkdir()
    for file in sharded.iterdir():
        (folder / file.name).symlink_to(file)
    store = Store(sharded.parent / 'others')
    (graph,) = export_linked(folder, store, lambda model: [model.projection()])
    assert external(graph) == external(exported['projector'])
    linked = graph.path.with_name(SHARDS[0])
    assert not linked.is_symlink()
    assert linked.samefile(sharded / SHARDS[0])


def test_a_file_that_is_missing_is_named(tmp_path):
    folder = write_sharded(tmp_path / 'checkpoint')
    (folder / SHARDS[1]).unlink()
    with pytest.raises(CheckpointError, match=SHARDS[1]):
        linked_weights(folder)


def test_usual_programs_are_those_of_a_call(sharded):
    model = load(sharded, mapped=True)
    names = [program.name for program in usual_programs(model)]
    assert names == ['vision', 'projector', 'span', 'lm_head', 'loop', 'pass']
