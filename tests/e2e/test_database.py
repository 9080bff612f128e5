"""`ostro db`: copies beside a busy server, and plain words about a database that is not good."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import httpx

from tests.e2e.server import PATIENCE, Server, environment
from tests.e2e.test_serve import HELLO, start, upload


def db(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "ostro", "db", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(folder), timeout=PATIENCE)


def test_a_backup_taken_under_load_is_whole_and_a_server_starts_on_it(tmp_path: Path) -> None:
    copy = tmp_path / "copy" / "ostro.sqlite3"
    copy.parent.mkdir()
    stop = threading.Event()
    with Server(tmp_path) as server, httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        upload(client, HELLO)
        first = start(client, "hello", wait=30, name="before")

        def keep_busy() -> None:
            while not stop.is_set():
                start(client, "hello", name="during")

        load = threading.Thread(target=keep_busy)
        load.start()
        try:
            done = db(tmp_path, "backup", str(copy), "--database", str(server.database))
        finally:
            stop.set()
            load.join(PATIENCE)
        assert done.returncode == 0, done.stderr
    assert db(tmp_path, "check", "--database", str(copy)).returncode == 0
    with Server(copy.parent) as restored:
        again = httpx.get(f"{restored.url}/v2/executions/{first['id']}", trust_env=False)
        assert again.json()["state"] == "SUCCESS"


def test_a_backup_never_overwrites(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "copy.sqlite3"
    target.write_text("precious")
    done = db(tmp_path, "backup", str(target), "--database", str(server.database))
    assert done.returncode == 1
    assert "exists already" in done.stderr
    assert target.read_text() == "precious"


def test_looking_for_a_database_does_not_make_one(tmp_path: Path) -> None:
    missing = tmp_path / "no.sqlite3"
    done = db(tmp_path, "check", "--database", str(missing))
    assert done.returncode == 1
    assert done.stderr.startswith(f"ostro: There is no database at {missing}. `ostro serve` makes one;")
    assert not missing.exists()


def test_what_is_wrong_with_a_database_is_said(server: Server, tmp_path: Path) -> None:
    assert server.stop() == 0
    good = server.database.read_bytes()

    newer = tmp_path / "newer.sqlite3"
    newer.write_bytes(good)
    with sqlite3.connect(newer) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_future'")
    assert "written by a newer Ostro" in db(tmp_path, "check", "--database", str(newer)).stderr

    foreign = tmp_path / "foreign.sqlite3"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE accounts (id INTEGER)")
    assert "database of another program" in db(tmp_path, "check", "--database", str(foreign)).stderr

    damaged = tmp_path / "damaged.sqlite3"
    damaged.write_bytes(good[:4096] + b"\xff" * 8192 + good[12288:])
    refused = db(tmp_path, "check", "--database", str(damaged))
    assert refused.returncode == 1
    assert "damaged" in refused.stderr
    assert "Traceback" not in refused.stderr
