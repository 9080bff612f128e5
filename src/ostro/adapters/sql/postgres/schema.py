"""Brings a PostgreSQL database to the schema of this program, or says what has to be done.

The first server makes the schema in an empty database. An older one is refused with the command to run: other servers
may be using it. Alembic is loaded only if there is something to do.
"""

import time
from typing import Final

from ostro.adapters.sql.db import Database
from ostro.adapters.sql.postgres.connect import Limits, connect, conninfo
from ostro.adapters.sql.postgres.connection import Connection
from ostro.adapters.sql.postgres.history import make_weeks
from ostro.adapters.sql.revisions import HEAD, REVISIONS
from ostro.adapters.sql.unfinished import refuse_unfinished_copy
from ostro.model.errors import StoreError

OLDEST_SERVER: Final = 14
_LOCK: Final = 0x4F535452_4F444442  # an advisory lock: one program at a time changes the schema
_UNLIMITED: Final = Limits(statement_ms=0, lock_ms=0, idle_in_transaction_ms=0)


def refuse_old_server(db: Database) -> None:
    if db.rows("SELECT current_setting('server_version_num')::int")[0][0] < OLDEST_SERVER * 10_000:
        raise StoreError(f"This PostgreSQL is too old: Ostro needs version {OLDEST_SERVER} or newer.")


def stored_revision(db: Database) -> str | None:
    """None: the database holds nothing of Ostro's."""
    if db.rows("SELECT to_regclass('alembic_version') IS NOT NULL")[0][0]:
        versions = db.rows("SELECT version_num FROM alembic_version")
        return str(versions[0][0]) if versions else None
    if db.rows("SELECT to_regclass('executions') IS NOT NULL OR to_regclass('workflows') IS NOT NULL")[0][0]:
        raise StoreError("The database holds tables of another program. Name another database, or another schema.")
    return None


def refuse_newer(revision: str | None) -> None:
    if revision is not None and revision not in REVISIONS:
        raise StoreError(
            f"The database was written by a newer Ostro (schema {revision}, this program knows {HEAD}). Start that"
            " version."
        )


def ensure_schema(url: str, *, serving: bool = False) -> None:
    """Make the schema if there is none. StoreError for any other than this program's; then nothing was changed.
    `serving`: also for a database that must not be served."""
    connection = connect(conninfo(url, _UNLIMITED))
    try:
        refuse_old_server(connection)
        if _revision_to_use(connection) is None:
            with_lock(connection)
            if _revision_to_use(connection) is None:  # nobody has made it meanwhile
                _migrate(url)
                make_weeks(connection, time.time_ns() // 1_000_000)
        if serving:
            refuse_unfinished_copy(connection)
    finally:
        connection.close()


def _revision_to_use(connection: Connection) -> str | None:
    revision = stored_revision(connection)
    refuse_newer(revision)
    if revision is not None and revision != HEAD:
        raise StoreError(
            f"The database has schema {revision}, this program needs {HEAD}. Run `ostro db upgrade` (with the same"
            " --database) once; servers of the version before go on meanwhile."
        )
    return revision


def upgrade(url: str) -> tuple[str | None, str]:
    """Bring the database to this program's schema: (the revision before, the one now)."""
    connection = connect(conninfo(url, _UNLIMITED))
    try:
        refuse_old_server(connection)
        with_lock(connection)
        before = stored_revision(connection)
        refuse_newer(before)
        if before != HEAD:
            _migrate(url)
        return before, HEAD
    finally:
        connection.close()


def with_lock(connection: Connection) -> None:
    """Wait for others that change the schema. Held until the connection is closed."""
    connection.deadline = None
    connection.rows("SELECT pg_advisory_lock(?::bigint)", (_LOCK,))


def _migrate(url: str) -> None:
    from ostro.adapters.sql.migrations.run import upgrade as run_migrations

    try:
        run_migrations(url)
    except Exception as error:  # a migration is any code; its transaction is rolled back whatever it raises
        raise StoreError(f"The database could not be migrated, it is as before: {error}") from error
