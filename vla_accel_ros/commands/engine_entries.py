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

"""What `vla-accel engine` shows and removes: entries, timings, and folders of other libraries."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
import json
from pathlib import Path
import shutil
import time
from typing import Any

from vla_accel_ros.engines import registry, wish
from vla_accel_ros.paths import checkpoint_folder, shipped_checkpoints


def refuse_engines(args: argparse.Namespace) -> None:
    """Refuse what names an engine: graphs and weights are shared by several of them.

    Raises:
        ValueError: When something does.
    """
    given = {
        '--engine': ','.join(args.engine),
        '--engine-precision': args.engine_precision,
        '--engine-device': args.engine_device,
        '--engine-calibration': args.engine_calibration,
    }
    for option, value in given.items():
        if value not in ('', wish.WEIGHTS, registry.AUTO):
            raise ValueError(
                f'{option} is {value}, expected none with {args.action}: engines share what is '
                'built, so it goes by checkpoint'
            )


def show(args: argparse.Namespace) -> int:
    """List entries, timings and folders; return 0."""
    from vla_accel_ros.engines.store import Store

    store, names, timings = Store(), {}, {}
    for name, digest, kept in _known(args, store):
        names[digest] = name
        timings.setdefault(name, []).extend(map(asdict, kept.all()))
    rows = [
        {
            'what': entry.key.get('kind', ''),
            'checkpoint': names.get(entry.key.get('weights', ''), ''),
            'bytes': entry.size,
            'age_s': round((time.time_ns() - entry.made_ns) / 1e9),
            'unused_s': round((time.time_ns() - entry.used_ns) / 1e9),
            'seconds': entry.seconds,
            'key': dict(entry.key),
        }
        for entry in store.entries()
    ]
    if args.checkpoint:
        rows = [row for row in rows if row['checkpoint'] == args.checkpoint]
    if args.json:
        others = {folder.name: size for folder, size in _folders(store.folder)}
        facts = {'entries': rows, 'timings': timings, 'others': others}
        print(json.dumps({'folder': str(store.folder), **facts}))
        return 0
    print(store.folder)
    for row in rows:
        print(
            f'  {row["what"]:<34} {row["checkpoint"]:<16} {row["bytes"] / 1e6:8.1f} MB  '
            f'{_age(row["age_s"]):>8}  built in {row["seconds"]:.1f} s'
        )
    total = sum(row['bytes'] for row in rows) / 1e6
    print(f'{len(rows)} entries, {total:.1f} MB')
    for folder, size in _folders(store.folder):
        print(f'{folder.name}, of all checkpoints: {size / 1e6:.1f} MB')
    for name, each in timings.items():
        for timing in sorted(each, key=lambda timing: (timing['threads'], timing['ms'])):
            title = registry.titled(timing['engine'], timing['engine_device'])
            print(
                f'{name}: {title} in {timing["precision"]} {timing["ms"]:.1f} ms a call with '
                f'{timing["threads"]} threads on {timing["device"]}, {timing["machine"]}'
            )
    return 0


def _folders(store: Path) -> list[tuple[Path, int]]:
    """Give the folders that libraries keep themselves, those that are there, and their bytes."""
    there = [store / name for name in registry.FOLDERS if (store / name).is_dir()]
    return [
        (folder, sum(file.lstat().st_size for file in folder.rglob('*') if file.is_file()))
        for folder in there
    ]


def _age(seconds: float) -> str:
    for unit, length in (('days', 86400), ('h', 3600), ('min', 60)):
        if seconds >= 2 * length:
            return f'{seconds // length:.0f} {unit}'
    return f'{seconds:.0f} s'


def _known(args: argparse.Namespace, store) -> Iterator[tuple[str, str, Any]]:
    """Give each checkpoint's name, its digest as keys of entries have it, and its timings.

    What was built for a GPU has weights of another type, and so another digest.
    """
    import torch

    from vla_accel_ros.engines.onnx.graphs import Graphs
    from vla_accel_ros.models.engine_choice import timings_of
    from vla_accel_ros.models.policy import Policy

    names = [args.checkpoint] if args.checkpoint else list(shipped_checkpoints())
    for name in names:
        folder = checkpoint_folder(name)
        for dtype in (torch.float32, torch.bfloat16, torch.float16):
            policy = Policy.load(folder, args.device, dtype, unnorm_key=args.unnorm_key, threads=1)
            found = name, Graphs(policy.model, store).weights_digest, timings_of(policy, store)
            # A large one leaves no room for the next.
            del policy
            yield found


def clean(args: argparse.Namespace) -> int:
    """Remove entries, of a checkpoint or all, or those of them that are old; return 0."""
    from vla_accel_ros.engines.store import Store

    store = Store()
    known = list(_known(args, store)) if args.checkpoint else None
    digests = {digest for _, digest, _ in known or ()}
    removed = store.clean(
        which=lambda key: known is None or key.get('weights') in digests,
        unused_days=args.unused_days,
    )
    if not args.unused_days:
        removed += _clean_the_rest(store.folder, known)
    if args.json:
        print(json.dumps({'folder': str(store.folder), 'removed': removed}))
    else:
        print(f'{removed} entries removed from {store.folder}')
    return 0


def _clean_the_rest(store: Path, known: Sequence[tuple[str, str, Any]] | None) -> int:
    """Remove the timings of these checkpoints, and where None are named all that there is."""
    from vla_accel_ros.engines.timings import FOLDER

    if known is not None:
        for _, _, timings in known:
            timings.forget()
        return 0
    for file in (store / FOLDER).glob('*.json'):
        file.unlink(missing_ok=True)
    folders = _folders(store)
    for folder, _ in folders:
        shutil.rmtree(folder)
    return len(folders)
