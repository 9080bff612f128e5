"""PostgreSQL goes back to a moment, by a copy of the server and its archived log: the page's settings and commands."""

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.docs.pages import ROOT, blocks
from tests.docs.scripts import line_with, put_in_place
from tests.e2e.cluster import until
from tests.e2e.server import Server
from tests.e2e.test_serve import start, upload
from tests.faults.servers import new_folder
from tests.servers_postgres import PostgresServer, missing

PAGE = ROOT / "docs" / "how-to" / "backup-and-upgrade.md"
ARCHIVING, RECOVERY = (
    dict(re.findall(r"^(\w+) = '?(.*?)'?$", block.text, re.MULTILINE))
    for block in blocks(PAGE)
    if block.language == "ini"
)
ASKS = "version: '2.0'\nasks: {tasks: {ask: {action: std.async_noop}}}"

pytestmark = pytest.mark.skipif(bool(missing()) and not os.environ.get("CI"), reason=f"not here: {missing()}")


@pytest.fixture
def archive() -> Iterator[Path]:
    """A folder that all users may write to."""
    made = new_folder("ostro-archive-")
    made.chmod(0o777)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def with_archive(settings: dict[str, str], archive: Path) -> dict[str, str]:
    return {name: value.replace("/archive", str(archive)) for name, value in settings.items()}


def go_back(postgres: PostgresServer, archive: Path, moment: str) -> None:
    postgres.stop()
    shutil.rmtree(postgres.data)
    shutil.move(archive / "base", postgres.data)
    (postgres.data / "recovery.signal").touch()
    (postgres.data / "recovery.signal").chmod(0o666)
    postgres.start(**with_archive(RECOVERY, archive) | {"recovery_target_time": moment})
    until(lambda: postgres.execute("SELECT pg_is_in_recovery()") == [(False,)], "the end of the recovery")


def test_it_is_as_it_was_at_that_moment_and_goes_on(tmp_path: Path, archive: Path) -> None:
    assert set(RECOVERY) == {"restore_command", "recovery_target_time", "recovery_target_action"}
    with PostgresServer(max_wal_senders="4", **with_archive(ARCHIVING, archive)) as postgres:
        url = postgres.new_database()
        with (
            Server(tmp_path, "--database", url) as server,
            httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client,
        ):
            upload(client, ASKS)
            places = {"/archive": str(archive), "postgresql://ostro@db/postgres": postgres.url("postgres")}
            postgres.run_as(*shlex.split(put_in_place(line_with(PAGE, "pg_basebackup"), places)))
            before = start(client, "asks")["id"]
            ((moment,),) = postgres.execute("SELECT clock_timestamp()::text")
            after = start(client, "asks")["id"]
            postgres.execute("SELECT pg_switch_wal()")
            server.kill()

            go_back(postgres, archive, str(moment))
            server.start()
            assert client.get(f"/v2/executions/{before}").json()["state"] == "RUNNING"
            assert client.get(f"/v2/executions/{after}").status_code == 404
            done = client.put(f"/v2/executions/{before}", json={"state": "CANCELLED"})
            assert done.json()["state"] == "CANCELLED"
