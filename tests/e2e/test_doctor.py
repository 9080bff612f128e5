"""`ostro doctor` on good and on bad databases, beside a server and without one."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from ostro.adapters.sql.offline import open_offline
from ostro.cli import doctor_work
from ostro.core.invariants import Violation
from ostro.model.records import StoredExecution
from tests.e2e.server import PATIENCE, Server, environment
from tests.e2e.test_serve import start, upload
from tests.postgres_fixtures import *  # noqa: F403

WAITING = """version: '2.0'
waiting:
  tasks:
    ask: {action: std.async_noop}
    later: {action: std.noop, wait-before: 600}
"""


def doctor(folder: Path, *options: str) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    """Exit status, and (level, text) of the findings by subject."""
    done = subprocess.run(
        [sys.executable, "-m", "ostro", "doctor", "--json", "--database", str(folder / "ostro.sqlite3"), *options],
        capture_output=True,
        text=True,
        env=environment(folder),
        timeout=PATIENCE,
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for finding in json.loads(done.stdout):
        found.setdefault(finding["subject"], []).append((finding["level"], finding["text"]))
    return done.returncode, found


def change(server: Server, sql: str) -> None:
    with sqlite3.connect(server.database) as database:
        database.execute(sql)


def test_all_is_well_beside_a_working_server(server: Server, client: httpx.Client, tmp_path: Path) -> None:
    upload(client, WAITING)
    start(client, "waiting")
    status, found = doctor(tmp_path)
    assert status == 0
    assert {level for findings in found.values() for level, _ in findings} == {"ok"}, found
    assert found["server"][0][1] == "A server uses the database."
    assert "1 unfinished executions" in found["work"][0][1]


def test_without_a_database_it_says_so(tmp_path: Path) -> None:
    status, found = doctor(tmp_path)
    assert status == 0
    assert found["database"][0][0] == "hint"
    assert not (tmp_path / "ostro.sqlite3").exists()


def test_work_that_nothing_will_move_is_found(
    server: Server, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No row that was changed by hand made the engine unable to go on, so the checker's answer is made up here."""
    upload(client, WAITING)
    id = str(start(client, "waiting")["id"])
    seen = []

    def check(stored: list[StoredExecution], *_: object) -> list[Violation]:
        seen.extend(one.record.id for one in stored)
        return [Violation("t1", "stuck", "task later is RUNNING and nothing will move it")]

    monkeypatch.setattr(doctor_work, "stored_violations", check)
    database = open_offline(f"sqlite:///{server.database}", read_only=True)
    (finding,) = doctor_work.stuck_work(database)
    database.close()
    assert seen == [id]
    assert finding.level == "wrong"
    assert "nothing will move it" in finding.text and id in finding.text


def test_rows_that_cannot_be_read_are_found(server: Server, client: httpx.Client, tmp_path: Path) -> None:
    upload(client, WAITING)
    id = start(client, "waiting")["id"]
    server.kill()
    change(server, "UPDATE executions SET params = 'no JSON'")
    status, found = doctor(tmp_path)
    assert status == 1
    assert f"Execution {id} cannot be read" in found["work"][0][1]


def test_time_from_the_future_old_work_and_overdue_timers_are_found(
    server: Server, client: httpx.Client, tmp_path: Path
) -> None:
    upload(client, WAITING)
    old, young = start(client, "waiting")["id"], start(client, "waiting")["id"]
    server.kill()
    change(server, f"UPDATE executions SET created_at = created_at + 3600000000 WHERE id = '{young}'")
    change(server, f"UPDATE executions SET created_at = 1 WHERE id = '{old}'")
    change(server, "UPDATE timers SET due_at = due_at - 3600000000")
    status, found = doctor(tmp_path)
    assert status == 1
    assert found["clock"][0][0] == "wrong"
    assert found["age"][0][0] == "hint" and str(old) in found["age"][0][1]
    assert found["timers"][0][0] == "hint" and "2 timers are overdue" in found["timers"][0][1]


def test_a_damaged_or_foreign_database_ends_the_examination(tmp_path: Path) -> None:
    file = tmp_path / "ostro.sqlite3"
    file.write_bytes(b"This is no database at all. " * 100)
    status, found = doctor(tmp_path)
    assert status == 1
    assert found["database"][0][0] == "wrong"
    assert "work" not in found


def test_settings_that_name_nothing_are_found(tmp_path: Path) -> None:
    config = tmp_path / "ostro.toml"
    config.write_text('info_file = "/nothing/here.json"\n')
    status, found = doctor(tmp_path, "--config", str(config))
    assert status == 1
    assert "info_file (/nothing/here.json)" in found["configuration"][0][1]


def test_postgresql_is_looked_at_too(database: str, tmp_path: Path) -> None:
    with Server(tmp_path, "--database", database) as server:
        with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
            upload(client, WAITING)
            start(client, "waiting")
        status, found = doctor(tmp_path, "--database", database)
    assert status == 0, found
    assert found["server"][0][1].startswith("PostgreSQL ")
    assert "fsync is off" in found["server"][1][1]
    assert found["clock"][0] == ("ok", "This machine's clock and the database's agree.")
    assert "1 unfinished executions" in found["work"][0][1]
    status, found = doctor(tmp_path, "--database", "postgresql://ostro:sesame@127.0.0.1:1/x")
    assert status == 1
    assert "cannot be reached" in found["database"][0][1]
    assert "sesame" not in str(found)
