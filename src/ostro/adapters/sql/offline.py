"""A database without a store: for commands of an operator, in one thread, one transaction at a time."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, TypeVar

from ostro.adapters.sql.db import Database
from ostro.adapters.sql.revisions import HEAD, REVISIONS
from ostro.adapters.sql.sqlite.connection import Connection as SqliteConnection
from ostro.adapters.sql.sqlite.lock import FileLock
from ostro.adapters.sql.sqlite.schema import ensure_schema as ensure_file
from ostro.adapters.sql.sqlite.schema import stored_revision as file_revision
from ostro.adapters.sql.sqlite.schema import upgrade as upgrade_file
from ostro.adapters.sql.urls import SQLITE
from ostro.model.errors import NotFound, StoreError

T = TypeVar("T")


class Offline(Protocol):
    """One open database. Raises StoreError."""

    db: Database

    def begin(self) -> None: ...

    def commit(self) -> None: ...

    def end(self) -> None:
        """End a transaction without storing anything; nothing if there is none."""
        ...

    def revision(self) -> str | None:
        """The schema's; None: the database is empty."""
        ...

    def take_alone(self) -> None:
        """Keep servers out until `close`. StoreError if one is there."""
        ...

    def prepare_copy(self, oldest_id: str) -> None:
        """Before rows are copied here, of executions from that id on."""
        ...

    def faults(self) -> list[str]:
        """What is damaged. Reads everything."""
        ...

    def size(self) -> int:
        """Bytes."""
        ...

    def close(self) -> None: ...


def missing(name: str) -> str:
    return f"There is no database at {name}. `ostro serve` makes one; --database names another."


class OfflineFile:
    """SQLite."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        """NotFound: looking must not make a database."""
        self._file = url.removeprefix(SQLITE)
        if not Path(self._file).is_file():
            raise NotFound(missing(self._file))
        self._lock: FileLock | None = None
        self._raw = SqliteConnection(self._file, read_only=read_only)
        self._raw.run("PRAGMA synchronous = FULL")
        self._is_read_only = read_only
        self.db: Database = self._raw

    def begin(self) -> None:
        self._raw.run("BEGIN" if self._is_read_only else "BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._raw.run("COMMIT")

    def end(self) -> None:
        self._raw.rollback()

    def revision(self) -> str | None:
        return file_revision(self._raw)

    def take_alone(self) -> None:
        self._lock = FileLock(self._file)

    def prepare_copy(self, oldest_id: str) -> None:
        """Nothing."""

    def faults(self) -> list[str]:
        return [row[0] for row in self._raw.rows("PRAGMA integrity_check(5)") if row[0] != "ok"]

    def size(self) -> int:
        return Path(self._file).stat().st_size

    def close(self) -> None:
        self._raw.close()
        if self._lock is not None:
            self._lock.release()


class OfflinePostgres:
    """PostgreSQL."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        from ostro.adapters.sql.postgres.connect import Limits, connect, conninfo

        self._raw = connect(conninfo(url, Limits(statement_ms=0, idle_in_transaction_ms=60_000, read_only=read_only)))
        self._raw.patience = _PATIENCE
        self.db: Database = self._raw

    def begin(self) -> None:
        self._raw.begin()

    def commit(self) -> None:
        self._raw.commit()

    def end(self) -> None:
        self._raw.rollback()
        self._raw.deadline = None

    def revision(self) -> str | None:
        from ostro.adapters.sql.postgres.schema import stored_revision

        return stored_revision(self._raw)

    def take_alone(self) -> None:
        from ostro.adapters.sql.postgres.serving import take_alone

        take_alone(self._raw)

    def prepare_copy(self, oldest_id: str) -> None:
        from ostro.adapters.sql.postgres.history import make_weeks_since

        make_weeks_since(self._raw, oldest_id)

    def faults(self) -> list[str]:
        """Whether every row can be read; what PostgreSQL itself finds is in its log."""
        from ostro.adapters.sql.copying import tables

        for table in tables():
            self._raw.rows(f"SELECT count(*) FROM (SELECT md5(t::text) FROM {table} AS t) AS read")
        return []

    def size(self) -> int:
        return int(self._raw.rows("SELECT pg_database_size(current_database())")[0][0])

    def close(self) -> None:
        self._raw.close()


_PATIENCE: Final = 3600.0  # seconds: reading all of a large table takes its time


def open_offline(url: str, *, read_only: bool = False) -> Offline:
    """Open what is there, whatever its schema. StoreError, NotFound."""
    kind = OfflineFile if url.startswith(SQLITE) else OfflinePostgres
    return kind(url, read_only=read_only)


def make(url: str) -> None:
    """Make the schema if there is no database, or an empty one. StoreError for any schema but this program's."""
    if not url.startswith(SQLITE):
        from ostro.adapters.sql.postgres.schema import ensure_schema

        ensure_schema(url)
        return
    file = url.removeprefix(SQLITE)
    lock = FileLock(file)
    try:
        connection = SqliteConnection(file)
        try:
            if file_revision(connection) is None:
                ensure_file(connection, "full", backup_before_migration=False)
        finally:
            connection.close()
    finally:
        lock.release()


def upgrade(url: str) -> tuple[str | None, str]:
    """Bring a database to this program's schema: (the revision before, None: it was empty; the one now)."""
    if not url.startswith(SQLITE):
        from ostro.adapters.sql.postgres.schema import upgrade as upgrade_postgres

        return upgrade_postgres(url)
    return upgrade_file(url.removeprefix(SQLITE))


def require_head(offline: Offline, what: str) -> None:
    """StoreError unless the schema is this program's."""
    revision = offline.revision()
    if revision is None:
        raise StoreError(f"{what} is empty.")
    if revision not in REVISIONS:
        raise StoreError(f"{what} was written by a newer Ostro (schema {revision}, this program knows {HEAD}).")
    if revision != HEAD:
        raise StoreError(
            f"{what} has schema {revision}, this program needs {HEAD}: run `ostro db upgrade` on it first."
        )


def within(offline: Offline, function: Callable[[Database], T]) -> T:
    """Run a function in a transaction of its own, durably."""
    offline.begin()
    try:
        value = function(offline.db)
        offline.commit()
    finally:
        offline.end()
    return value
