"""`ostro db copy`, `upgrade` and `current`, between real databases."""

import itertools
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from ostro.adapters.sql import copying, offline, open_store
from ostro.adapters.sql.columns import TABLES, column_types
from ostro.adapters.sql.copying import NOT_COPIED, columns_of, copy, key_of, tables
from ostro.adapters.sql.offline import Offline, open_offline
from ostro.adapters.sql.postgres.schema import ensure_schema
from ostro.adapters.sql.revisions import HEAD
from ostro.adapters.sql.tables import metadata
from ostro.model.errors import StoreError
from tests.e2e.server import PATIENCE, Server, environment
from tests.postgres_fixtures import *  # noqa: F403
from tests.servers_postgres import PostgresServer

ROWS = 2300


def db(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "ostro", "db", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(folder), timeout=PATIENCE)


def value(table: str, name: str, kind: type, null: bool, number: int) -> Any:
    """Something of a column's type, different in every row where it is part of a key."""
    if name in key_of(table) or name in ("id", "name", "created_at"):
        return number if kind is int else f"{table}-{number:05}-é\U0001f600"
    if null and number % 3 == 0:
        return None
    if kind is bool:
        return number % 2
    return number * 10**12 if kind is int else f'{{"{name}":"\\u0000 {number} \'%?$1"}}'


def fill(database: Offline, count: int) -> None:
    """Rows in every table that is copied."""
    from ostro.adapters.sql.db import Bulk

    for table in tables():
        names = columns_of(table)
        types = (
            column_types(TABLES[table]) if table in TABLES else {name: (kind, False) for name, kind in names.items()}
        )
        many = count if table in ("tasks", "history") else 60
        rows = [tuple(value(table, name, *types[name], number) for name in names) for number in range(many)]
        database.begin()
        database.db.run(f"DELETE FROM {table}")
        database.db.bulk(Bulk(f"INSERT INTO {table} ({', '.join(names)}) :rows", tuple(names.values())), rows)
        database.commit()


def contents(url: str) -> dict[str, list[Any]]:
    database = open_offline(url)
    try:
        return {
            table: sorted(map(tuple, database.db.rows(f"SELECT {', '.join(columns_of(table))} FROM {table}")), key=str)
            for table in tables()
        }
    finally:
        database.end()
        database.close()


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[str]:
    """A database without a schema."""
    url = postgres.new_database()
    yield url
    postgres.drop(url)


@pytest.fixture
def source(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/source.db"
    offline.make(url)
    database = open_offline(url)
    fill(database, ROWS)
    database.close()
    return url


def test_every_table_is_copied_or_belongs_to_processes() -> None:
    assert set(metadata.tables) - set(NOT_COPIED) == set(tables())
    for table in tables():
        assert {column.name for column in metadata.tables[table].primary_key} == set(key_of(table))


def test_there_and_back_again(tmp_path: Path, source: str, empty: str) -> None:
    there = db(tmp_path, "copy", source, empty)
    assert there.returncode == 0, there.stderr
    assert "counts and checksums agree" in there.stdout
    assert contents(empty) == contents(source)
    back = f"sqlite:///{tmp_path}/folder/back.db"
    again = db(tmp_path, "copy", empty, back)
    assert again.returncode == 0, again.stderr
    assert contents(back) == contents(source)


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("at", [1, 3, 8, 30])
async def test_an_interrupted_copy_goes_on_where_it_was(tmp_path: Path, source: str, empty: str, at: int) -> None:
    ensure_schema(empty)
    calls = itertools.count()

    def stop(*_: object) -> None:
        if next(calls) == at:
            raise Interrupted

    old, new = open_offline(source), open_offline(empty)
    try:
        with pytest.raises(Interrupted):
            copy(old, new, "here", stop)
        with pytest.raises(StoreError, match="unfinished copy of here"):
            copy(old, new, "elsewhere", lambda *_: None)
        with pytest.raises(StoreError, match="was interrupted"):
            await open_store(empty)
        there = {table: len(rows) for table, rows in contents(empty).items()}
        started: dict[str, int] = {}
        copy(old, new, "here", lambda doing, table, done, _: started.setdefault(f"{doing} {table}", done) and None)
        assert all(
            started.get(f"copying {table}", there[table]) == there[table] for table in tables() if table != "notes"
        )
    finally:
        old.close()
        new.close()
    assert contents(empty) == contents(source)
    await (await open_store(empty)).close()


def test_a_source_that_changes_is_noticed(source: str, empty: str) -> None:
    ensure_schema(empty)
    old, new = open_offline(source), open_offline(empty)

    def interfere(doing: str, table: str, done: int, total: int) -> None:
        if (doing, table) == ("copying", "notes"):
            with sqlite3.connect(source.removeprefix("sqlite:///")) as connection:
                connection.execute("UPDATE tasks SET name = 'other' WHERE id = (SELECT max(id) FROM tasks)")

    try:
        with pytest.raises(StoreError, match="copy of tasks differs"):
            copy(old, new, "here", interfere)
    finally:
        old.close()
        new.close()


def test_a_target_that_is_not_empty_is_refused_and_left_alone(tmp_path: Path, source: str, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO notes VALUES ('mine', 'x')")
    done = db(tmp_path, "copy", source, database)
    assert done.returncode == 1
    assert "is not empty" in done.stderr
    assert contents(database)["notes"] == [("mine", "x")]


def test_databases_in_use_are_refused(tmp_path: Path, source: str, database: str, empty: str) -> None:
    with Server(tmp_path) as server:
        used = db(tmp_path, "copy", str(server.database), empty)
        assert used.returncode == 1
        assert "in use by another Ostro server" in used.stderr
    with Server(tmp_path, "--database", database):
        for pair in ((source, database), (database, str(tmp_path / "new.db"))):
            used = db(tmp_path, "copy", *pair)
            assert used.returncode == 1
            assert "in use by an Ostro server" in used.stderr


async def test_a_server_does_not_start_on_a_database_that_is_being_copied(database: str) -> None:
    copying_it = open_offline(database)
    copying_it.take_alone()
    try:
        with pytest.raises(StoreError, match="is being copied"):
            await open_store(database)
    finally:
        copying_it.close()
    await (await open_store(database)).close()


def test_current_check_and_upgrade_of_postgresql(tmp_path: Path, empty: str) -> None:
    assert "is empty; the first `ostro serve` makes" in db(tmp_path, "current", "--database", empty).stdout
    assert "is empty." in db(tmp_path, "check", "--database", empty).stderr
    made = db(tmp_path, "upgrade", "--database", empty)
    assert f"schema {HEAD} (before: empty)" in made.stdout
    assert f"has schema {HEAD} already" in db(tmp_path, "upgrade", "--database", empty).stdout
    assert f": schema {HEAD}." in db(tmp_path, "current", "--database", empty).stdout
    good = db(tmp_path, "check", "--database", empty)
    assert good.returncode == 0
    assert f"good. PostgreSQL, schema {HEAD}" in good.stdout


def test_an_older_postgresql_is_refused_with_the_command_to_run(tmp_path: Path, empty: str) -> None:
    from ostro.adapters.sql.migrations import run

    run.upgrade(empty, "0004_automations")
    serve = [sys.executable, "-m", "ostro", "serve", "--port", "0", "--database", empty]
    refused = subprocess.run(serve, capture_output=True, text=True, env=environment(tmp_path), timeout=PATIENCE)
    assert refused.returncode != 0
    assert "Run `ostro db upgrade`" in refused.stderr
    assert "run `ostro db upgrade`" in db(tmp_path, "current", "--database", empty).stdout
    assert f"schema {HEAD} (before: 0004_automations)" in db(tmp_path, "upgrade", "--database", empty).stdout
    with Server(tmp_path, "--database", empty):
        pass


def test_a_newer_or_foreign_postgresql_is_refused(tmp_path: Path, database: str, empty: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_future'")
    with psycopg.connect(empty) as connection:
        connection.execute("CREATE TABLE workflows (id int)")
    for url, words in ((database, "written by a newer Ostro"), (empty, "tables of another program")):
        for command in ("upgrade", "check"):
            refused = db(tmp_path, command, "--database", url)
            assert refused.returncode == 1
            assert words in refused.stderr


def test_a_password_is_in_no_message(tmp_path: Path, source: str) -> None:
    secret = "postgresql://ostro:sesame@127.0.0.1:1/x"
    for arguments in (("current", "--database", secret), ("copy", source, secret), ("copy", secret, source)):
        refused = db(tmp_path, *arguments)
        assert refused.returncode == 1
        assert "sesame" not in refused.stderr + refused.stdout


def test_pages_of_notes_leave_the_mark_out(source: str) -> None:
    database = open_offline(source)
    try:
        fill(database, 5)
        names = [row[0] for page in copying._pages(database, "notes") for row in page]
    finally:
        database.close()
    assert copying.NOTE not in names
    assert msgspec.json.encode(names)
