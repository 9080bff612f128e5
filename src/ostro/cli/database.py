"""`ostro db`: what an operator does with a database. `backup`, `check` and `current` work beside a running server."""

from pathlib import Path

from ostro.adapters.sql import offline
from ostro.adapters.sql.offline import Offline, missing, open_offline
from ostro.adapters.sql.revisions import HEAD, REVISIONS
from ostro.adapters.sql.sqlite.backup import copy_database
from ostro.cli.logs import redact
from ostro.config import SQLITE, Settings
from ostro.model.errors import NotFound, StoreError


def back_up(settings: Settings, target: Path) -> str:
    """A sentence about the copy that was made. Raises StoreError, NotFound."""
    if not settings.database.startswith(SQLITE):
        raise StoreError("Back a PostgreSQL database up with its own tools: pg_dump, or pg_basebackup and its log.")
    file = Path(settings.database.removeprefix(SQLITE))
    if not file.is_file():
        raise NotFound(missing(str(file)))
    copy_database(str(file), str(target.absolute()))
    return f"Copied {file} to {target} ({target.stat().st_size:,} bytes)."


def check(settings: Settings) -> str:
    """A sentence about the state of the database; reads all of it. Raises StoreError, NotFound."""
    name = shown(settings.database)
    database = open_offline(settings.database)
    try:
        revision = _known_revision(database, name)
        faults = database.faults()
        size = database.size()
    finally:
        database.close()
    if faults:
        raise StoreError(f"{name} is damaged: {'; '.join(faults)}. Restore a backup.")
    return f"{name}: good. {_kind(settings)}, schema {revision}{_needs(settings, revision)}, {size:,} bytes."


def current(settings: Settings) -> str:
    """A sentence about the schema. Raises StoreError, NotFound."""
    name = shown(settings.database)
    database = open_offline(settings.database)
    try:
        revision = database.revision()
    finally:
        database.close()
    if revision is None:
        return f"{name} is empty; the first `ostro serve` makes the schema {HEAD}."
    if revision not in REVISIONS:
        return f"{name}: schema {revision}, of a newer Ostro (this program knows {HEAD})."
    return f"{name}: schema {revision}{_needs(settings, revision)}."


def upgrade(settings: Settings) -> str:
    """Bring the database to this program's schema. A sentence about it. Raises StoreError, NotFound."""
    name = shown(settings.database)
    if settings.database.startswith(SQLITE) and not Path(settings.database.removeprefix(SQLITE)).is_file():
        raise NotFound(missing(name))
    before, now = offline.upgrade(settings.database)
    if before == now:
        return f"{name} has schema {now} already."
    return f"{name}: schema {now} (before: {before or 'empty'})."


def shown(url: str) -> str:
    """A database's name for people: a path, or a URL without its password."""
    return redact(url.removeprefix(SQLITE))


def _known_revision(database: Offline, name: str) -> str:
    revision = database.revision()
    if revision is None:
        raise StoreError(f"{name} is empty.")
    if revision not in REVISIONS:
        raise StoreError(f"{name} was written by a newer Ostro (schema {revision}, this program knows {HEAD}).")
    return revision


def _kind(settings: Settings) -> str:
    return "SQLite" if settings.database.startswith(SQLITE) else "PostgreSQL"


def _needs(settings: Settings, revision: str) -> str:
    if revision == HEAD:
        return ""
    if settings.database.startswith(SQLITE):
        return f" (will be migrated to {HEAD} at the next start)"
    return f" (this program needs {HEAD}: run `ostro db upgrade`)"
