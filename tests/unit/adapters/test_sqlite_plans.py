"""Statements that run often find their rows by an index, whatever the planner's mood."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ostro.adapters.sql import catalog, commit, deletion, insight, loading, reading, scrap
from ostro.adapters.sql.blobs import blob_texts
from ostro.adapters.sql.db import Database, Row
from ostro.adapters.sql.sqlite.connection import Connection
from ostro.adapters.sql.sqlite.schema import ensure_schema
from ostro.model.commands import ANYONE, Caller
from ostro.model.records import Batch
from ostro.ports.store import Filter, ListQuery
from ostro.testing import rows

ROOT = rows.execution()
TASK = rows.task(ROOT, internal='{"p":["some-parent"]}')
ACTION = rows.action(TASK, ROOT)
ADMIN = Caller(is_admin=True)


class Planner(Connection):
    """Runs statements and remembers how SQLite found the rows of each."""

    plans: list[tuple[str, str]]

    def _execute(self, sql: str, values: Sequence[Any]) -> list[Row]:
        if sql.startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            for row in super()._execute(f"EXPLAIN QUERY PLAN {sql}", values):
                self.plans.append((sql, row[3]))
        return super()._execute(sql, values)


@pytest.fixture
def planner(tmp_path: Path) -> Planner:
    Planner.plans = []
    connection = Planner(f"{tmp_path}/x.db")
    ensure_schema(connection, "normal", backup_before_migration=False)
    commit.write_batch(connection, Batch(new_executions=[ROOT], new_tasks=[TASK], new_actions=[ACTION]))
    connection.plans = []
    return connection


_BATCH = Batch(
    executions=[ROOT], tasks=[TASK, rows.task(ROOT)], actions=[ACTION],
    timers=[rows.timer(TASK, 1)], timers_gone=[(TASK.id, "timeout"), (TASK.id, "retry")],
)  # fmt: skip

HOT: dict[str, Callable[[Database], Any]] = {
    "write": lambda db: commit.write_batch(db, _BATCH),
    "unfinished_roots": lambda db: loading.unfinished_roots(db, "a", 10),
    "unfinished_in_tree": lambda db: loading.unfinished_in_tree(db, ROOT.id),
    "load_executions": lambda db: loading.load_executions(db, [ROOT.id, "b"]),
    "load_action": lambda db: loading.load_action(db, ACTION.id),
    "due_timers": lambda db: loading.due_timers(db, 5, (0, "", ""), 10),
    "reply_to": lambda db: loading.reply_to(db, "k"),
    "blobs": lambda db: blob_texts(db, ["b"]),
    "revisions": lambda db: catalog.revisions(db, ["r"]),
    "task_results": lambda db: loading.task_results(db, [TASK.id]),
    "find_workflow": lambda db: catalog.find(db, catalog.WORKFLOW, "w", "", ANYONE, by_id=True),
    "find_action": lambda db: catalog.find(db, catalog.ACTION, "a", "", ANYONE),
    "find_environment": lambda db: catalog.find(db, catalog.ENVIRONMENT, "e", None, ANYONE),
    "get_execution": lambda db: reading.get_execution(db, ROOT.id, ANYONE),
    "get_task": lambda db: reading.get_task(db, TASK.id, ANYONE),
    "get_action_execution": lambda db: reading.get_action_execution(db, ACTION.id, ANYONE),
    "children_of_tasks": lambda db: reading.children_of_tasks(db, [TASK.id], ANYONE),
    "history": lambda db: reading.history(db, ROOT.id, ANYONE),
    "mean_duration": lambda db: reading.mean_duration(db, "w", ANYONE),
    "result_of": lambda db: reading.result_of(db, TASK.id, ANYONE),
    "function_tasks": lambda db: reading.function_tasks(db, ROOT.id, True, None, ANYONE),
    "spans": lambda db: insight.spans(db, ROOT.id, 10, 10),
    "revisions_of": lambda db: insight.revisions_of(db, "w", (1, "r"), 10),
    "unused_revisions": lambda db: scrap.unused_revisions(db, 1, 1, "a", 10),
    "old_audit": lambda db: scrap.old_audit(db, 1, 10),
    "delete": lambda db: deletion.delete_executions(db, [ROOT.id]),
    "delete_actions": lambda db: deletion.delete_actions(db, [ACTION.id]),
}


def _bad_steps(plans: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Steps that read a table (or index) from end to end. `new` and `(subquery-N)` are the rows of a VALUES."""
    tables = "executions|tasks|actions|timers|history|blobs|replies|workflows|revisions|audit|environments|[etadh]"
    return [step for step in plans if re.match(rf"SCAN ({tables})\b", step[1])]


@pytest.mark.parametrize("name", HOT)
def test_hot_statements_never_scan(planner: Planner, name: str) -> None:
    HOT[name](planner)
    assert planner.plans
    assert _bad_steps(planner.plans) == []


@pytest.mark.parametrize("table", ["executions", "actions"])
def test_unfinished_work_is_found_in_an_index_of_nothing_else(planner: Planner, table: str) -> None:
    loading.unfinished_roots(planner, "a", 10)
    assert any(f"USING COVERING INDEX {table}_unfinished (root_id>?)" in step for _, step in planner.plans)


def _list(filters: dict[str, Any], sort: str, direction: str, marker: bool) -> ListQuery:
    wanted = tuple(Filter(column, "eq", value) for column, value in filters.items())
    return ListQuery(filters=wanted, sort=((sort, direction),), marker=ROOT.id if marker else None, limit=100)


@pytest.mark.parametrize("caller", [ANYONE, ADMIN], ids=["project", "admin"])
@pytest.mark.parametrize("marker", [False, True], ids=["first", "next"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize(
    ("filters", "sort"),
    [
        ({}, "created_at"),
        ({}, "updated_at"),
        ({}, "workflow_name"),
        ({}, "state"),
        ({"workflow_name": "wf"}, "created_at"),
        ({"state": "ERROR"}, "created_at"),
        ({"project_id": "<default-project>"}, "created_at"),
    ],
)
def test_lists_by_indexed_keys_come_in_the_order_of_an_index(
    planner: Planner, filters: dict[str, Any], sort: str, direction: str, marker: bool, caller: Caller
) -> None:
    reading.list_executions(planner, _list(filters, sort, direction, marker), caller)
    ordered = [(sql, step) for sql, step in planner.plans if "ORDER BY" in sql]
    assert ordered
    assert [step for sql, step in ordered if "TEMP B-TREE" in step or step.startswith("SCAN")] == []


@pytest.mark.parametrize("marker", [False, True], ids=["first", "next"])
def test_tasks_and_actions_come_in_the_order_of_an_index(planner: Planner, marker: bool) -> None:
    for resource, row, filters in (
        (reading.list_tasks, TASK, {}),
        (reading.list_tasks, TASK, {"workflow_execution_id": ROOT.id}),
        (reading.list_action_executions, ACTION, {}),
        (reading.list_action_executions, ACTION, {"task_execution_id": TASK.id}),
    ):
        planner.plans = []
        wanted = tuple(Filter(column, "eq", value) for column, value in filters.items())
        resource(planner, ListQuery(filters=wanted, marker=row.id if marker else None, limit=100), ANYONE)
        assert [step for _, step in planner.plans if "TEMP B-TREE" in step] == []
