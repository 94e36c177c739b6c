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

"""A search that several machines work on: trials in a database, by Optuna's storage for those.

Each machine runs the same command. Every command asks and tells for itself; the database says
what the others have begun and found. A command that is under way says so every `BEAT_S`; when it
is silent for `SILENT_S` its trials are free for the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
import json
import re
import secrets
import threading
import time
import warnings

from vla_accel_ros.evaluation.conditions import without_password
from vla_accel_ros.tuning.store import check_same

BEAT_S, SILENT_S = 15, 60
# How long a database may refuse to be opened, and the pause between two tries.
OPENING_S, AGAIN_S = 5.0, 0.5
# What a database keeps of the search beside its trials.
IDENTITY, BASELINE = 'identity', 'baseline'
# What pip calls a driver that Python calls otherwise.
DRIVERS = {'psycopg': "'psycopg[binary]'", 'psycopg2': 'psycopg2-binary', 'MySQLdb': 'mysqlclient'}


class Shared:
    """What commands that share a search know of each other.

    Args:
        url: Of the database, as SQLAlchemy has it: `postgresql://user@host/name`.
        name: Of the search; a database holds several.
        identity: What the search is of, as plain values.

    Attributes:
        heart: Keeps this command's trials alive.
        salt: Tells this command's draws from those of the others, which are under way with the
            same trials told.

    Raises:
        ValueError: When URL or name is none, the driver is not installed, the database cannot be
            reached, or holds another search by this name.
    """

    def __init__(self, url: str, name: str, identity: dict) -> None:
        if not name or '/' in name:
            raise ValueError(f"--study is {name!r}, expected a name without a '/'")
        self._shown, self.prefix = _checked(url), f'{name}/'
        with self.errors():
            self._storage = _opened(url)
            self._about = _study(self._storage, name)
            wanted = json.loads(json.dumps(identity))
            self._say(IDENTITY, wanted)
            check_same(
                f'the search {name!r} in --storage', self._first(IDENTITY), wanted, '--study'
            )
        self.heart = Heart(self._storage)
        self.salt = secrets.randbits(32)

    @property
    def baseline(self) -> dict | None:
        """How the unaccelerated policy does; of whichever command had found it first."""
        return self._first(BASELINE)

    @baseline.setter
    def baseline(self, value: dict) -> None:
        self._say(BASELINE, json.loads(json.dumps(value)))

    def storage(self):
        """Return Optuna's storage in the database."""
        return self._storage

    def _say(self, key: str, value: dict) -> None:
        """Say what others go by, where none has said it yet."""
        from optuna.trial import create_trial

        if self._first(key) is None:
            # An attribute of the study would be the last one's of two that say it at once. Trials
            # have an order, which all see alike.
            self._about.add_trial(create_trial(value=0.0, user_attrs={key: value}))

    def _first(self, key: str) -> dict | None:
        told = (trial.user_attrs for trial in self._about.get_trials(deepcopy=False))
        return next((each[key] for each in told if key in each), None)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Say what goes wrong with the database in one line, without its password.

        Raises:
            ValueError: In the place of SQLAlchemy's and Optuna's errors.
        """
        from optuna.exceptions import StorageInternalError
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (StorageInternalError, SQLAlchemyError) as error:
            cause = error.__cause__ or error
            raise ValueError(
                f'--storage {self._shown!r} does not answer: '
                f'{" ".join(str(getattr(cause, "orig", cause)).split())}'
            ) from None


class Heart:
    """Says every `BEAT_S` that the trials of this command are under way.

    Args:
        storage: Optuna's, of a database.
    """

    def __init__(self, storage) -> None:
        self._storage, self._trials, self._seen = storage, set(), set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Heart:
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._ended.set()
        self._thread.join()

    def begin(self, trial: int) -> None:
        """Keep a trial alive, by Optuna's id of it."""
        self._storage.record_heartbeat(trial)
        self._trials.add(trial)

    def end(self, trial: int) -> None:
        """Leave a trial alone."""
        self._trials.discard(trial)

    def sweep(self, study, running: Iterable) -> None:
        """Fail the trials of commands that are silent.

        Args:
            study: Optuna's.
            running: Its trials under way, Optuna's too.
        """
        from optuna.storages import fail_stale_trials

        with experimental():
            fail_stale_trials(study)
        for trial in running:
            if trial._trial_id not in self._seen:
                # Optuna fails no trial that never had a sign of life, as of a command that was
                # killed while it drew. With this one its silence is counted from here.
                self._seen.add(trial._trial_id)
                self._storage.record_heartbeat(trial._trial_id)

    def _beat(self) -> None:
        from optuna.exceptions import StorageInternalError
        from sqlalchemy.exc import SQLAlchemyError

        while not self._ended.wait(BEAT_S):
            for trial in tuple(self._trials):
                # A database that is away is said by what needs its answer.
                with suppress(StorageInternalError, SQLAlchemyError):
                    self._storage.record_heartbeat(trial)


def _checked(url: str) -> str:
    """Return a URL as it may be shown, where there can be a database of it."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    shown = without_password(url) if '//' in url else re.sub('.*@', '***@', url)
    try:
        made = make_url(url)
        made.get_dialect().import_dbapi()
    except ImportError as error:
        missing = error.name or made.get_driver_name()
        raise ValueError(
            f'--storage is {shown!r}, whose driver {missing} cannot be imported: '
            f'pip install {DRIVERS.get(missing, missing)}'
        ) from None
    except (ArgumentError, ValueError):
        # A port that is no number is a ValueError.
        raise ValueError(
            f'--storage is {shown!r}, expected the URL of a database, such as '
            'postgresql://user@host/name or sqlite:////folder/file.db'
        ) from None
    if '@' in (made.host or ''):
        raise ValueError(f'--storage is {shown!r}: write an @ in its password as %40')
    return shown


def _opened(url: str):
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import DatabaseError

    end = time.monotonic() + OPENING_S
    with experimental():
        while True:
            try:
                return RDBStorage(url, heartbeat_interval=BEAT_S, grace_period=SILENT_S)
            except DatabaseError:
                # Two commands that begin together make the same tables; the second finds them.
                if time.monotonic() > end:
                    raise
                time.sleep(AGAIN_S)


def _study(storage, name: str):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(storage=storage, study_name=name, load_if_exists=True)


@contextmanager
def experimental() -> Iterator[None]:
    """Leave out what Optuna warns of, about parts of it that may change: it is pinned."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        yield
