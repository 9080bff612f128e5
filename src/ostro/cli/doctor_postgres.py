"""What `ostro doctor` looks at if the database is PostgreSQL."""

import time
from collections.abc import Iterator
from typing import Final

from ostro.adapters.sql.offline import Offline, open_offline, require_head
from ostro.cli.database import shown
from ostro.cli.doctor import examine_work, made
from ostro.cli.doctor_work import Finding
from ostro.model.errors import OstroError

_SKEW_US: Final = 2_000_000
_UNSAFE: Final = {
    "fsync": "a crash of the machine may damage the database",
    "full_page_writes": "a crash of the machine may damage the database",
    "synchronous_commit": "the last moments before a crash of the database may be lost",
}


def diagnose_postgres(url: str) -> Iterator[Finding]:
    try:
        database = open_offline(url, read_only=True)
    except OstroError as error:
        yield Finding("database", "wrong", error.message)
        return
    try:
        found = list(made("database", lambda: _database(database, shown(url))))
        yield from found
        if any(finding.level == "wrong" for finding in found):
            return
        yield from made("server", lambda: _settings(database))
        yield from made("clock", lambda: _clock(database))
        yield from examine_work(database, is_running=_is_served(database))
    finally:
        database.close()


def _database(database: Offline, name: str) -> Iterator[Finding]:
    if database.revision() is None:
        yield Finding("database", "hint", f"{name} is empty; `ostro serve` makes the schema.")
        return
    require_head(database, name)
    yield Finding("database", "ok", f"{name} can be used, {database.size() / (1 << 20):,.1f} MiB.")


def _settings(database: Offline) -> Iterator[Finding]:
    ((number, version),) = database.db.rows(
        "SELECT current_setting('server_version_num')::int, current_setting('server_version')"
    )
    from ostro.adapters.sql.postgres.schema import OLDEST_SERVER

    is_old = number < OLDEST_SERVER * 10_000
    needed = f" {OLDEST_SERVER} or newer is needed." if is_old else ""
    yield Finding("server", "wrong" if is_old else "ok", f"PostgreSQL {version}.{needed}")
    for name, harm in _UNSAFE.items():
        if database.db.rows("SELECT current_setting(?)", (name,))[0][0] == "off":
            yield Finding("server", "hint", f"{name} is off: {harm}.")


def _clock(database: Offline) -> Iterator[Finding]:
    there = database.db.rows("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")[0][0]
    ahead = (time.time_ns() // 1000 - there) / 1e6
    if abs(ahead) * 1e6 > _SKEW_US:
        text = f"This machine's clock is {abs(ahead):,.1f} s {'ahead of' if ahead > 0 else 'behind'} the database's."
        yield Finding("clock", "hint", f"{text} Ostro goes by the database's; logs will be hard to compare.")
    else:
        yield Finding("clock", "ok", "This machine's clock and the database's agree.")


def _is_served(database: Offline) -> bool:
    rows = database.db.rows(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'ostro'"
        " AND pid <> pg_backend_pid() LIMIT 1"
    )
    return bool(rows)
