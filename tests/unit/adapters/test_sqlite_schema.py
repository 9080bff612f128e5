"""One schema, said three times: tables, migrations and the script for new files. And its way to the next one."""

import os
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from ostro.adapters.sql import open_store
from ostro.adapters.sql.migrations import run
from ostro.adapters.sql.sqlite import schema
from ostro.adapters.sql.tables import metadata
from ostro.model.commands import ANYONE
from ostro.model.records import Batch
from ostro.ports.store import ListQuery
from ostro.testing import rows

_NEXT = """
from alembic import op
revision = "0002_test"
down_revision = "{before}"
branch_labels = depends_on = None

def upgrade():
    op.execute("CREATE TABLE made_by_0002 (x TEXT)")
    {more}
"""


def _objects(file: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(file)
    try:
        found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
        return [(name, " ".join(sql.split())) for name, sql in found]
    finally:
        connection.close()


def _file_of(revision: str, file: Path) -> None:
    run.upgrade(f"sqlite:///{file}", revision)


def _new_file(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.executescript(schema.schema_sql())
    connection.close()


def test_the_script_is_what_all_migrations_make(tmp_path: Path) -> None:
    migrated, scripted = tmp_path / "migrated.db", tmp_path / "scripted.db"
    _file_of(schema.HEAD, migrated)
    _new_file(scripted)
    assert _objects(migrated) == _objects(scripted)


def test_the_program_knows_all_revisions_in_order() -> None:
    script = ScriptDirectory.from_config(run.config("sqlite://"))
    assert tuple(step.revision for step in script.walk_revisions())[::-1] == schema.REVISIONS


def test_the_newest_revision_is_what_the_tables_say(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    _new_file(file)
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


@pytest.mark.parametrize("revision", schema.REVISIONS)
async def test_a_database_of_every_schema_opens(tmp_path: Path, revision: str) -> None:
    _file_of(revision, tmp_path / "ostro.db")
    async with await open_store(f"sqlite:///{tmp_path}/ostro.db") as store:
        assert (await store.check())["version"] == schema.HEAD
        root = rows.execution()
        await store.commit(Batch(new_executions=[root]))
        assert await store.list_executions(ListQuery(), ANYONE) == [root]


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that is one revision ahead; the returned folder holds that migration."""
    folder = tmp_path / "versions"
    folder.mkdir()
    (folder / "0002_test.py").write_text(_NEXT.format(before=schema.HEAD, more=""))
    plain = run.config

    def config(url: str) -> object:
        found = plain(url)
        own = Path(str(found.get_main_option("script_location"))) / "versions"
        found.set_main_option("version_locations", f"{own} {folder}")
        found.set_main_option("path_separator", "space")
        return found

    monkeypatch.setattr(run, "config", config)
    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "0002_test"))
    monkeypatch.setattr(schema, "HEAD", "0002_test")
    return folder


async def test_an_older_file_is_migrated_after_a_copy_beside_it(tmp_path: Path, next_version: Path) -> None:
    file = tmp_path / "ostro.db"
    _file_of("0001_initial", file)
    async with await open_store(f"sqlite:///{file}") as store:
        assert (await store.check())["version"] == "0002_test"
    assert [name for name in os.listdir(tmp_path) if ".backup" in name] == ["ostro.db.0001_initial.backup"]
    assert "made_by_0002" in dict(_objects(file))
    assert "made_by_0002" not in dict(_objects(tmp_path / "ostro.db.0001_initial.backup"))


async def test_a_copy_never_replaces_an_earlier_one_and_can_be_left_out(tmp_path: Path, next_version: Path) -> None:
    (tmp_path / "a.db.0001_initial.backup").write_text("mine")
    for name, wanted in (("a", True), ("b", False)):
        _file_of("0001_initial", tmp_path / f"{name}.db")
        async with await open_store(f"sqlite:///{tmp_path}/{name}.db", backup_before_migration=wanted):
            pass
    assert (tmp_path / "a.db.0001_initial.backup").read_text() == "mine"
    copies = {name for name in os.listdir(tmp_path) if ".backup" in name}
    assert copies == {"a.db.0001_initial.backup", "a.db.0001_initial.backup.2"}


async def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path, next_version: Path) -> None:
    more = 'op.execute("INSERT INTO nowhere VALUES (1)")'
    (next_version / "0002_test.py").write_text(_NEXT.format(before="0001_initial", more=more))
    file = tmp_path / "ostro.db"
    _file_of("0001_initial", file)
    before = _objects(file)
    with pytest.raises(schema.StoreError, match="could not be migrated"):
        await open_store(f"sqlite:///{file}")
    assert _objects(file) == before
