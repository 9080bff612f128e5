"""`ostro doctor`: what an operator would look at, looked at. Works beside a running server and changes nothing.

Each examination gives findings: `ok`, `hint` (worth a look), or `wrong` (does harm now or will). One that breaks is
itself a finding, so that the others are still made.
"""

import fcntl
import json
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import ostro
from ostro.adapters.sql.db import Database
from ostro.adapters.sql.offline import Offline, open_offline
from ostro.adapters.sql.revisions import HEAD, REVISIONS
from ostro.app_parts import check_exposure
from ostro.cli.doctor_work import Finding, old_executions, overdue_timers, stuck_work
from ostro.config import SQLITE, Settings
from ostro.model.errors import OstroError

_LEAST_DISK = 1 << 30  # bytes
_LARGE_LOG = 128 << 20  # a server cuts it at 96 MiB
_OLDEST_SQLITE = (3, 35, 0)
_SKEW_US = 2_000_000
_FILES = ("info_file", "policy_file", "ssh_keys_folder", "ssh_known_hosts")
_MARKS = {"ok": "ok   ", "hint": "hint ", "wrong": "WRONG"}

Examination = Callable[[], Iterator[Finding]]


def examine(settings: Settings, *, as_json: bool = False) -> int:
    """Print all findings; 1 if something is wrong, else 0."""
    findings = list(diagnose(settings))
    if as_json:
        print(json.dumps([finding._asdict() for finding in findings], indent=2))
    else:
        for finding in findings:
            print(f"{_MARKS[finding.level]} {finding.subject:13} {finding.text}")
    return 1 if any(finding.level == "wrong" for finding in findings) else 0


def diagnose(settings: Settings) -> Iterator[Finding]:
    """Everything that can be found out without a server."""
    yield from made("versions", _versions)
    yield from made("configuration", lambda: _configuration(settings))
    if not settings.database.startswith(SQLITE):
        from ostro.cli.doctor_postgres import diagnose_postgres

        yield from diagnose_postgres(settings.database)
        return
    file = Path(settings.database.removeprefix(SQLITE))
    yield from made("disk", lambda: _disk(file.parent))
    if not file.is_file():
        yield Finding("database", "hint", f"There is no database at {file} yet; `ostro serve` makes it.")
        return
    try:
        database = open_offline(settings.database, read_only=True)
    except OstroError as error:
        yield Finding("database", "wrong", error.message)
        return
    try:
        is_running = _is_locked(file)
        yield Finding("server", "ok", "A server uses the database." if is_running else "No server is running on it.")
        found = list(made("database", lambda: _database(database, file)))
        yield from found
        if any(finding.level == "wrong" for finding in found):
            return
        yield from made("log", lambda: _log(file))
        yield from examine_work(database, is_running=is_running)
    finally:
        database.close()


def examine_work(database: Offline, *, is_running: bool) -> Iterator[Finding]:
    """What is in the rows, whatever database holds them."""
    yield from made("clock", lambda: _clock(database.db))
    yield from made("timers", lambda: overdue_timers(database.db, is_running=is_running))
    yield from made("work", lambda: stuck_work(database))
    yield from made("age", lambda: old_executions(database.db))


def made(subject: str, examination: Examination) -> Iterator[Finding]:
    try:
        yield from examination()
    except OstroError as error:
        yield Finding(subject, "wrong", error.message)
    except Exception as error:  # a fault of the examination is worth knowing and no reason to stop
        yield Finding(subject, "wrong", f"This could not be examined: {type(error).__name__}: {error}")


def _versions() -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    text = f"Ostro {ostro.__version__}, Python {python}, SQLite {sqlite3.sqlite_version}."
    is_old = sqlite3.sqlite_version_info < _OLDEST_SQLITE
    needed = f" SQLite {'.'.join(map(str, _OLDEST_SQLITE))} or newer is needed." if is_old else ""
    yield Finding("versions", "wrong" if is_old else "ok", text + needed)


def _configuration(settings: Settings) -> Iterator[Finding]:
    check_exposure(settings)
    missing = [
        f"{name} ({value})"
        for name in _FILES
        if (value := getattr(settings, name, "")) and name != "ssh_known_hosts" and not Path(value).exists()
    ]
    for name in missing:
        yield Finding("configuration", "wrong", f"The setting {name} names something that is not there.")
    if settings.insecure:
        yield Finding("configuration", "hint", "--insecure: whoever reaches the port can do everything.")
    if settings.durability == "normal":
        yield Finding("configuration", "hint", "durability normal: the last moments before a power loss may be lost.")
    if settings.field_size_limit_kb < 0:
        yield Finding("configuration", "hint", "field_size_limit_kb -1: one large result can fill memory and disk.")
    if not missing:
        yield Finding("configuration", "ok", "The settings can be used.")


def _disk(folder: Path) -> Iterator[Finding]:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    text = f"{free / (1 << 30):.1f} GiB are free in {folder}."
    yield Finding("disk", "ok" if free >= _LEAST_DISK else "wrong", text)
    if not os.access(folder, os.W_OK):
        yield Finding("disk", "wrong", f"This user may not write to {folder}.")


def _is_locked(file: Path) -> bool:
    """Whether a server holds the lock beside the database."""
    try:
        descriptor = os.open(f"{file}.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def _database(database: Offline, file: Path) -> Iterator[Finding]:
    revision = database.revision()
    if revision is None:
        yield Finding("database", "wrong", f"{file} is empty.")
        return
    if revision not in REVISIONS:
        yield Finding("database", "wrong", f"{file} was written by a newer Ostro (schema {revision}, we know {HEAD}).")
        return
    faults = [row[0] for row in database.db.rows("PRAGMA quick_check(5)") if row[0] != "ok"]
    if faults:
        yield Finding("database", "wrong", f"{file} is damaged: {'; '.join(faults)}. Restore a backup.")
        return
    if revision != HEAD:
        yield Finding("database", "hint", f"Schema {revision} will be migrated to {HEAD} at the next start.")
    size = file.stat().st_size / (1 << 20)
    yield Finding("database", "ok", f"{file} is whole, schema {revision}, {size:,.1f} MiB.")


def _log(file: Path) -> Iterator[Finding]:
    log = Path(f"{file}-wal")
    size = log.stat().st_size if log.exists() else 0
    text = f"The write-ahead log has {size / (1 << 20):,.1f} MiB."
    if size > _LARGE_LOG:
        yield Finding("log", "hint", f"{text} A reader, such as a backup, keeps it from being cut.")
    else:
        yield Finding("log", "ok", text)


def _clock(connection: Database) -> Iterator[Finding]:
    """Rows carry the server's time: none of them can be from the future."""
    ((newest,),) = connection.rows("SELECT max(created_at) FROM executions")
    now = time.time_ns() // 1000
    if newest is not None and newest > now + _SKEW_US:
        ahead = (newest - now) / 1e6
        text = (
            f"The newest execution is {ahead:,.0f} s from the future: this machine's clock was set back, or is wrong."
        )
        yield Finding("clock", "wrong", f"{text} Timers fire late by as much.")
    else:
        yield Finding(
            "clock", "ok", f"It is {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} UTC, as far as known here."
        )
