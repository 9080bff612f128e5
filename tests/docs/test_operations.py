"""What the pages for operators tell to type is typed: at real databases, in the order of the page.

The commands of a backup of PostgreSQL and its restore are run by `tests/e2e/test_restore.py`, beside a whole cell, and
`tests/e2e/test_restore_moment.py`.
"""

import os
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.fernet import Fernet

from ostro.adapters.sql.migrations import run as migrations
from ostro.adapters.sql.revisions import HEAD, REVISIONS
from tests.deploy.files import DEPLOY, settings_of
from tests.docs.pages import ROOT, blocks
from tests.docs.scripts import line_with, lines, put_in_place, run
from tests.e2e.server import Server, environment
from tests.e2e.test_serve import start, upload
from tests.postgres_fixtures import *  # noqa: F403
from tests.servers_postgres import PostgresServer, binary

HOW_TO = ROOT / "docs" / "how-to"
CELL, FILE, POSTGRESQL, DEPLOYMENT = (
    HOW_TO / f"{name}.md" for name in ("backup-and-upgrade", "backup", "postgresql", "deploy")
)
ASKS = "version: '2.0'\nasks: {tasks: {ask: {action: std.async_noop}}}"

# The words that name each command of a page to the test that runs it.
RUN = {
    CELL: (
        "pg_dump",
        "pg_basebackup",
        "pg_restore",
        "db check",
        "nats purge",
        "doctor",
        "db current",
        "db upgrade",
        "db copy",
    ),
    FILE: ("mkdir", "mv ostro.sqlite3 ", "mv ostro.sqlite3-wal", "cp", "db check"),
    POSTGRESQL: ("createdb", "serve", "db copy", "db current", "db upgrade"),
    DEPLOYMENT: ("cp deploy/compose", "openssl", "nats permissions"),
}
# Needs what is on no machine of ours; `tests/deploy` looks at the files that they read.
NOT_RUN = {
    DEPLOYMENT: {
        "chown": "root, and the user of the image",
        "up -d": "a Docker daemon",
        "run --rm": "a Docker daemon; the command itself is run by tests/deploy/test_together.py",
        "kubectl apply": "a cluster; tests/deploy/test_kubernetes.py builds the same objects",
        "useradd": "root, and would change this machine",
        "cp deploy/systemd": "root, and would change this machine",
        "systemctl": "systemd as the machine's first process",
    }
}


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_every_command_of_the_page_is_run_or_it_is_said_why_not(page: Path) -> None:
    named = [line_with(page, words) for words in (*RUN[page], *NOT_RUN.get(page, ()))]
    assert sorted(named) == sorted(lines(page))


def typed(line: str, folder: Path, places: dict[str, str], **variables: str) -> str:
    """Run a line with what the page names replaced; what it printed."""
    programs = [str(Path(sys.executable).parent), str(Path(binary("createdb") or "createdb").parent)]
    path = os.pathsep.join([*programs, os.environ["PATH"]])
    done = run(put_in_place(line, places), folder, environment(folder, PATH=path, **variables))
    assert done.returncode == 0, f"$ {line}\n{done.stdout}{done.stderr}"
    return done.stdout


def state(server: Server, id: str) -> str:
    return str(httpx.get(f"{server.url}/v2/executions/{id}", trust_env=False).json().get("state"))


def unfinished(server: Server) -> str:
    """The id of an execution that waits for somebody."""
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        upload(client, ASKS)
        return str(start(client, "asks")["id"])


def cancel(server: Server, id: str) -> None:
    done = httpx.put(f"{server.url}/v2/executions/{id}", json={"state": "CANCELLED"}, trust_env=False)
    assert done.status_code == 200, done.text


def test_a_file_is_put_back_and_what_was_unfinished_goes_on(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    here = {"ostro.sqlite3": str(data / "ostro.sqlite3"), "replaced": str(data / "replaced"),
            "backup.sqlite3": str(tmp_path / "backup.sqlite3")}  # fmt: skip
    with Server(data) as server:
        id = unfinished(server)
        typed("ostro db backup backup.sqlite3 --database ostro.sqlite3", tmp_path, here)
        cancel(server, id)
        assert state(server, id) == "CANCELLED"
        server.kill()  # so that there is a log beside the file
        for line in lines(FILE):
            typed(line, tmp_path, here)
        assert (data / "replaced" / "ostro.sqlite3-wal").exists()
        server.start()
        assert state(server, id) == "RUNNING"
        cancel(server, id)
        assert state(server, id) == "CANCELLED"


def addresses(postgres: PostgresServer, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """What stands for the database of the pages, and the variables by which PostgreSQL's programs find its server."""
    url = urlsplit(postgres.url(name))
    places = {f"postgresql://ostro@{host}/ostro": url.geturl() for host in ("db", "localhost")}
    return places, {"PGHOST": str(url.hostname), "PGPORT": str(url.port), "PGUSER": str(url.username)}


@pytest.mark.parametrize("page", [POSTGRESQL, CELL], ids=lambda page: page.stem)
def test_an_installation_moves_to_postgresql(page: Path, tmp_path: Path, postgres: PostgresServer) -> None:
    """With what is unfinished, and by the page's commands."""
    name = f"moved_{page.stem.replace('-', '_')}"
    places, variables = addresses(postgres, name)
    with Server(tmp_path) as server:
        id = unfinished(server)
        assert server.stop() == 0
    typed(line_with(POSTGRESQL, "createdb"), tmp_path, {"createdb ostro": f"createdb {name}"}, **variables)
    copied = typed(
        line_with(page, "db copy"), tmp_path, places | {"/var/lib/ostro/ostro.sqlite3": str(server.database)}
    )
    assert "counts and checksums agree" in copied
    assert f"schema {HEAD}" in typed(line_with(page, "db current"), tmp_path, places)
    *_, option, url = put_in_place(line_with(POSTGRESQL, "serve"), places).split()
    with Server(tmp_path, option, url, "--key-file", f"{server.database}.key") as moved:
        assert state(moved, id) == "RUNNING"
        cancel(moved, id)
        assert state(moved, id) == "CANCELLED"
    postgres.drop(places["postgresql://ostro@db/ostro"])


@pytest.mark.parametrize("page", [POSTGRESQL, CELL], ids=lambda page: page.stem)
def test_an_older_schema_is_brought_up_to_date(page: Path, tmp_path: Path, postgres: PostgresServer) -> None:
    url = postgres.new_database()
    before = list(REVISIONS)[-2]
    migrations.upgrade(url, before)
    places, _ = addresses(postgres, url.rpartition("/")[2])
    assert "run `ostro db upgrade`" in typed(line_with(page, "db current"), tmp_path, places)
    assert f"schema {HEAD} (before: {before})" in typed(line_with(page, "db upgrade"), tmp_path, places)
    with Server(tmp_path, "--database", url):
        pass
    postgres.drop(url)


def test_files_for_docker_are_made_as_the_page_says(tmp_path: Path) -> None:
    shutil.copytree(DEPLOY, tmp_path / "deploy", ignore=shutil.ignore_patterns(".env", "ostro.key"))
    here = {"deploy/": f"{tmp_path}/deploy/"}
    for words in ("cp deploy/compose", "openssl"):
        typed(line_with(DEPLOYMENT, words), tmp_path, here)
    assert "OSTRO_NATS_API=" in (tmp_path / "deploy" / ".env").read_text()
    Fernet((tmp_path / "deploy" / "ostro.key").read_text().strip())  # a key that seals
    # Neither can be committed by mistake.
    assert {"/deploy/.env", "/deploy/ostro.key"} <= set((ROOT / ".gitignore").read_text().splitlines())


def test_the_unit_s_example_sets_what_ostro_takes() -> None:
    (text,) = [one.text for one in blocks(DEPLOYMENT) if one.language == "ini"]
    variables = dict(line.split("=", 1) for line in text.splitlines())
    settings = settings_of({"OSTRO_ROLES": "engine", **variables})
    assert (settings.port, settings.nats_user) == (8990, "ostro-engine")


def test_the_permissions_of_one_more_executor_are_printed(tmp_path: Path) -> None:
    shown = typed(line_with(DEPLOYMENT, "nats permissions"), tmp_path, {"gpu": "gpu7"})
    assert 'user: "ostro-executor-gpu7"' in shown
