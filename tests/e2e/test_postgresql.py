"""One Ostro process on PostgreSQL: the same server, and a database that may go away under it."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.server import PATIENCE, Server, environment
from tests.e2e.test_serve import HELLO, start, upload
from tests.faults.servers import until
from tests.postgres_fixtures import *  # noqa: F403
from tests.servers_postgres import PostgresServer

SLOW = """
version: '2.0'
slow:
  tasks:
    wait: {action: std.sleep seconds=2, on-success: after}
    after: {action: std.echo output=1}
"""


@pytest.fixture
def own(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """A server that a test may stop."""
    with PostgresServer() as server:
        yield server


def ostro(folder: Path, database: str, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ostro", *arguments, "--database", database],
        capture_output=True,
        text=True,
        env=environment(folder, **variables),
        timeout=PATIENCE,
    )


def state(client: httpx.Client, id: object) -> str:
    return str(client.get(f"/v2/executions/{id}").json()["state"])


def test_the_first_server_makes_the_schema_and_a_killed_one_loses_nothing(tmp_path: Path, own: PostgresServer) -> None:
    with Server(tmp_path, "--database", own.new_database()) as server:
        with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
            upload(client, HELLO)
            upload(client, SLOW)
            done = [start(client, "hello", wait=30, name=str(number))["id"] for number in range(5)]
            running = start(client, "slow")["id"]
        server.kill()
        server.start()
        with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
            assert [state(client, id) for id in done] == ["SUCCESS"] * 5
            until(lambda: state(client, running) == "SUCCESS", "the sleep goes on")
        assert server.stop() == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_work_goes_on_when_the_database_is_back(tmp_path: Path, own: PostgresServer, how: signal.Signals) -> None:
    """Under load, three times. Everything that was accepted ends well, and is there once."""
    accepted: list[str] = []
    stop = threading.Event()
    with (
        Server(tmp_path, "--database", own.new_database()) as server,
        httpx.Client(base_url="http://x", timeout=60, trust_env=False) as client,
    ):
        client.base_url = server.url
        upload(client, HELLO)

        def load() -> None:
            with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as mine:
                while not stop.is_set():
                    answer = mine.post("/v2/executions", json={"workflow_name": "hello", "input": {"name": "x"}})
                    assert answer.status_code in (201, 503), answer.text
                    if answer.status_code == 201:
                        accepted.append(answer.json()["id"])

        threads = [threading.Thread(target=load) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(3):
                before = len(accepted)
                until(lambda: len(accepted) > before + 20, "executions are accepted")  # noqa: B023
                own.stop(how)
                own.start()
        finally:
            stop.set()
            for thread in threads:
                thread.join(PATIENCE)
        assert len(set(accepted)) == len(accepted)
        for id in accepted:
            until(lambda: state(client, id) == "SUCCESS", "an accepted execution ends")  # noqa: B023


def test_tokens_and_secrets_are_kept_there_too(tmp_path: Path, database: str) -> None:
    key = ostro(tmp_path, database, "secret", "list").returncode
    assert key == 0
    made = ostro(tmp_path, database, "token", "create", "--project", "shop")
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    with Server(tmp_path, "--database", database, "--auth", "token") as server:
        for given, status in ((token, 200), ("wrong", 401)):
            answer = httpx.get(f"{server.url}/v2/workflows", headers={"X-Auth-Token": given}, trust_env=False)
            assert answer.status_code == status
    assert "shop" in ostro(tmp_path, database, "token", "list").stdout


def test_a_backup_is_left_to_postgresqls_own_tools(tmp_path: Path, database: str) -> None:
    command = [sys.executable, "-m", "ostro", "db", "backup", str(tmp_path / "x"), "--database", database]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(tmp_path), timeout=PATIENCE)
    assert done.returncode == 1
    assert "pg_dump" in done.stderr
