"""Statements that run often find their rows by an index on PostgreSQL too, in tables with many rows."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from ostro.adapters.sql import commit, loading, reading
from ostro.adapters.sql.columns import TABLES, fields_of
from ostro.adapters.sql.db import Bulk, Row
from ostro.adapters.sql.postgres import history
from ostro.adapters.sql.postgres.connect import Limits, connect, conninfo
from ostro.adapters.sql.postgres.connection import Connection
from ostro.adapters.sql.postgres.dialect import bulk_text, translated
from ostro.adapters.sql.postgres.quotas import settle
from ostro.model.commands import ANYONE, Caller
from ostro.model.quotas import Report, Use
from ostro.model.records import Batch, BlobRecord, HistoryRecord, ReplyRecord
from ostro.ports.store import Filter, ListQuery
from ostro.testing import rows
from tests.servers_postgres import PostgresServer
from tests.unit.adapters.test_sqlite_plans import ACTION, ADMIN, HOT, ROOT, TASK

_MANY = 20_000
_BIG = ("executions", "tasks", "actions", "timers", "history", "blobs", "replies", "quotas")

# Rows as many as it takes for the planner to care; each table gets copies of one real row.
_COPIES = {
    "executions": {"id": "'e' || n", "root_id": "'e' || n", "project_id": "'p' || n % 5", "created_at": "n",
                   "updated_at": "n", "workflow_name": "'wf' || n % 50", "workflow_id": "'w' || n % 50",
                   "state": "(ARRAY['SUCCESS','SUCCESS','SUCCESS','ERROR'])[1 + n % 4]"},
    "tasks": {"id": "'t' || n", "execution_id": "'e' || n / 4", "project_id": "'p' || (n / 4) % 5", "created_at": "n"},
    "actions": {"id": "'a' || n", "root_id": "'e' || n / 4", "task_execution_id": "'t' || n", "state": "'SUCCESS'",
                "execution_id": "'e' || n / 4", "project_id": "'p' || (n / 4) % 5", "created_at": "n"},
    "timers": {"owner_id": "'t' || n", "due_at": "n", "execution_id": "'e' || n", "root_id": "'e' || n"},
    "history": {"execution_id": "'e' || n / 4", "seq": "n"},
    "blobs": {"id": "'b' || n", "root_id": "'e' || n"},
    "replies": {"key": "'k' || n"},
}  # fmt: skip


class Planner(Connection):
    """Runs statements and remembers how PostgreSQL finds the rows of each, whatever the values (a generic plan)."""

    plans: list[tuple[str, dict[str, Any]]]

    def explain(self, text: bytes, count: int, kinds: tuple[type, ...] = ()) -> None:
        super().run("DEALLOCATE ALL")
        self._names.clear()  # they are gone with it
        given = ", ".join(["NULL"] * count)
        super().run(f"PREPARE looked_at AS {text.decode()}")
        sql = f"EXPLAIN (FORMAT JSON) EXECUTE looked_at{f'({given})' if given else ''}"
        found = super().rows(sql)[0][0]
        plan = json.loads(found) if isinstance(found, str) else found
        self.plans.append((text.decode(), plan[0]["Plan"]))

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        self.explain(translated(sql), len(values))
        return super().rows(sql, values)

    def run(self, sql: str, values: Sequence[Any] = ()) -> None:
        if sql.startswith(("INSERT", "UPDATE", "DELETE", "WITH")):
            self.explain(translated(sql), len(values))
        super().run(sql, values)

    def bulk(self, statement: Bulk, rows: Sequence[Row]) -> None:
        self.explain(bulk_text(statement), len(statement.kinds))
        super().bulk(statement, rows)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def scans(planner: Planner) -> list[tuple[str, str]]:
    """Big tables that are read from end to end, or by a bitmap over more than a few rows, with the statement."""
    return [
        (text, node["Relation Name"])
        for text, plan in planner.plans
        for node in nodes(plan)
        if node["Node Type"] == "Seq Scan" and node["Relation Name"].split("_")[0] in _BIG
    ]


@pytest.fixture(scope="module")
def full(postgres: PostgresServer) -> Iterator[str]:
    """A database with many rows."""
    url = postgres.new_database(postgres.template())
    connection = connect(conninfo(url, Limits()))
    connection.begin()
    batch = Batch(
        new_executions=[ROOT], new_tasks=[TASK], new_actions=[ACTION], timers=[rows.timer(TASK, 5)],
        history=[HistoryRecord(execution_id=ROOT.id, seq=1, at=1, entries="[]")],
        blobs=[BlobRecord(id="b", root_id=ROOT.id, text="1")], replies=[ReplyRecord(key="k", at=1, reply="1")],
    )  # fmt: skip
    # Else it depends on the moment whether the empty weeks of the history are known to be empty, and then scanned.
    tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    for (table,) in connection.rows(tables):
        connection.run(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    commit.write_batch(connection, batch)
    for table, changed in _COPIES.items():
        names = fields_of(TABLES[table])
        values = ", ".join(changed.get(name, name) for name in names)
        source = f"(SELECT * FROM {table} LIMIT 1) AS one CROSS JOIN generate_series(1, {_MANY}) AS n"
        connection.run(f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {source}")
    connection.run("INSERT INTO engines VALUES (1, 'e', 'h', '0', 'engine', 'live', 1, 0, 0)")
    connection.run(f"INSERT INTO quotas SELECT 'l' || n, 1, 1, 1, 1, 1 FROM generate_series(1, {_MANY}) AS n")
    connection.commit()
    connection.run("ANALYZE")
    connection.rows("SELECT 1")
    connection.close()
    yield url
    postgres.drop(url)


@pytest.fixture
def planner(full: str) -> Iterator[Planner]:
    plain = connect(conninfo(full, Limits()))
    for way in ("seqscan", "hashjoin", "mergejoin"):  # which a writer does without: here it would hide what is missing
        plain.rows("SELECT set_config(?, 'on', false)", (f"enable_{way}",))
    plain.raw.pgconn.exit_pipeline_mode()
    found = Planner(plain.raw)
    found.plans = []
    found.begin()
    yield found
    found.rollback()
    found.close()


@pytest.mark.parametrize("name", HOT)
def test_hot_statements_never_scan(planner: Planner, name: str) -> None:
    HOT[name](planner)
    assert planner.plans
    assert scans(planner) == []


def test_tables_that_were_empty_when_the_plan_was_made_are_not_read_either(postgres: PostgresServer) -> None:
    url = postgres.new_database(postgres.template())
    writer = connect(conninfo(url, Limits()))
    try:
        writer.raw.pgconn.exit_pipeline_mode()
        planner = Planner(writer.raw)
        planner.plans = []
        planner.begin()
        for name in HOT:
            HOT[name](planner)
        assert scans(planner) == []
    finally:
        writer.close()
        postgres.drop(url)


def test_an_engine_that_settles_its_quotas_reads_the_limits_that_it_asks_about(planner: Planner) -> None:
    settle(planner, 1, Report({"l7": Use(3, used=1), "new": Use(3)}, given_up=["l8"], counted=[1], left=[2]))
    assert [text.split()[0] for text, _ in planner.plans if " quotas" in text] == ["DELETE", "SELECT", "INSERT"]
    assert scans(planner) == []


def test_a_new_batch_is_inserted_without_reading_what_is_there(planner: Planner) -> None:
    root = rows.execution()
    task = rows.task(root)
    entry = HistoryRecord(execution_id=root.id, seq=1, at=1, entries="[]")
    action = rows.action(task, root)
    commit.write_batch(planner, Batch(new_executions=[root], new_tasks=[task], new_actions=[action], history=[entry]))
    inserts = [plan for text, plan in planner.plans if text.startswith("INSERT")]
    assert len(inserts) == 4
    assert {node["Node Type"] for plan in inserts for node in nodes(plan)} == {"ModifyTable", "Function Scan"}


@pytest.mark.parametrize("table", ["executions", "actions"])
def test_unfinished_work_is_found_in_an_index_of_nothing_else(planner: Planner, table: str) -> None:
    loading.unfinished_roots(planner, "a", 10)
    used = {node.get("Index Name") for _, plan in planner.plans for node in nodes(plan)}
    assert f"{table}_unfinished" in used


class Measured:
    """Runs statements for their plans, with the rows that each part has read."""

    def __init__(self, planner: Planner) -> None:
        self._run = super(Planner, planner).rows
        self.nodes: list[dict[str, Any]] = []

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        found = self._run(f"EXPLAIN (FORMAT JSON, ANALYZE) {sql}", values)
        self.nodes += nodes(found[0][0][0]["Plan"])
        return []


@pytest.mark.parametrize("table", ["executions", "actions"])
def test_a_page_of_unfinished_roots_reads_no_more_of_an_index_than_the_page(planner: Planner, table: str) -> None:
    super(Planner, planner).run(f"UPDATE {table} SET state = 'RUNNING'")
    measured = Measured(planner)
    loading.unfinished_roots(measured, "", 10)  # type: ignore[arg-type]
    read = [node["Actual Rows"] for node in measured.nodes if node.get("Index Name") == f"{table}_unfinished"]
    assert len(read) == 1
    assert 10 <= read[0] <= 100  # of one root there may be several


def _list(filters: dict[str, Any], sort: str, direction: str, marker: bool) -> ListQuery:
    wanted = tuple(Filter(column, "eq", value) for column, value in filters.items())
    return ListQuery(filters=wanted, sort=((sort, direction),), marker="e77" if marker else None, limit=100)


def _sorts(planner: Planner) -> list[str]:
    return [text for text, plan in planner.plans for node in nodes(plan) if node["Node Type"] in ("Sort", "Seq Scan")]


@pytest.mark.parametrize("caller", [Caller(project_id="p2"), ADMIN], ids=["project", "admin"])
@pytest.mark.parametrize("marker", [False, True], ids=["first", "next"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize(
    ("filters", "sort"),
    [
        ({}, "created_at"),
        ({}, "updated_at"),
        ({}, "workflow_name"),
        ({}, "state"),
        ({"workflow_name": "wf2"}, "created_at"),
        ({"state": "ERROR"}, "created_at"),
        ({"project_id": "p2"}, "created_at"),
    ],
)
def test_lists_by_indexed_keys_come_in_the_order_of_an_index(
    planner: Planner, filters: dict[str, Any], sort: str, direction: str, marker: bool, caller: Caller
) -> None:
    reading.list_executions(planner, _list(filters, sort, direction, marker), caller)
    assert planner.plans
    assert _sorts(planner) == []


@pytest.mark.parametrize("marker", [False, True], ids=["first", "next"])
def test_tasks_and_actions_of_an_execution_come_by_an_index(planner: Planner, marker: bool) -> None:
    for resource, place, filters in (
        (reading.list_tasks, "t8", {"workflow_execution_id": "e2"}),
        (reading.list_action_executions, "a8", {"task_execution_id": "t8"}),
    ):
        wanted = tuple(Filter(column, "eq", value) for column, value in filters.items())
        resource(
            planner, ListQuery(filters=wanted, marker=place if marker else None, limit=100), Caller(project_id="p2")
        )
    assert planner.plans
    assert scans(planner) == []


def test_history_is_read_from_the_week_of_its_execution_only(planner: Planner, full: str) -> None:
    reading.history(planner, ROOT.id, ANYONE)
    read = super(Planner, planner).rows(
        "EXPLAIN (FORMAT JSON, ANALYZE) SELECT * FROM history WHERE execution_id = ? ORDER BY seq", (ROOT.id,)
    )[0][0]
    tables = {node["Relation Name"] for node in nodes(read[0]["Plan"]) if "Relation Name" in node}
    assert len(tables) == 1
    assert history.edge(0) == "00000000-0000"
