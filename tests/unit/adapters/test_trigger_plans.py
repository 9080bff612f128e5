"""Statements about triggers and outboxes find their rows by an index, among however many."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ostro.adapters.sql import triggers, upkeep
from ostro.adapters.sql.commit import insert
from ostro.adapters.sql.db import Database
from ostro.adapters.sql.sqlite.schema import ensure_schema
from ostro.model.commands import ANYONE
from ostro.model.triggers import CronTriggerRecord
from tests.conformance.test_store_triggers import cron, firing, start
from tests.unit.adapters.test_sqlite_plans import Planner

MANY = 100_000


@pytest.fixture
def planner(tmp_path: Path) -> Planner:
    connection = Planner(f"{tmp_path}/x.db")
    connection.plans = []
    ensure_schema(connection, "normal", backup_before_migration=False)
    connection.plans = []
    return connection


HOT: dict[str, Callable[[Database], Any]] = {
    "due": lambda db: triggers.due_cron(db, 1000, 10),
    "next": triggers.next_cron_time,
    "waiting": lambda db: triggers.waiting_cron(db, 10),
    "fire": lambda db: triggers.fire_cron(db, [firing(cron(), start("c")), firing(cron(), None, ends=True)]),
    "unfinished": lambda db: triggers.unfinished_among(db, ["a", "b"]),
    "of_event": lambda db: triggers.of_event(db, "x", "t", "e", "p"),
    "get_event": lambda db: triggers.get_event(db, "e", ANYONE),
    "of_workflow": lambda db: triggers.of_workflow(db, "w"),
    "pending_starts": lambda db: triggers.pending_starts(db, "a", 10),
    "notifications": lambda db: upkeep.pending_notifications(db, "a", 10),
    "forget": lambda db: upkeep.forget_notifications(db, ["a"]),
    "running_roots": lambda db: upkeep.running_roots(db, "a", 10),
    "running_tasks": upkeep.has_running_tasks,
    "expired": lambda db: upkeep.expired_roots(db, "p", ("SUCCESS",), 10, 10, 0),
    "expired_beyond": lambda db: upkeep.expired_roots(db, "p", ("SUCCESS",), 10, 10, 5),
    "silent": lambda db: upkeep.silent_actions(db, 10, 5, 10),
}
# Partial indexes that hold nothing but what is unfinished or waits; and the first entry of the one of due times.
_WALKS = re.compile("INDEX (executions_unfinished|actions_unfinished|cron_triggers_waiting|cron_triggers_due)")


@pytest.mark.parametrize("name", HOT)
def test_nothing_is_read_from_end_to_end_or_sorted(planner: Planner, name: str) -> None:
    HOT[name](planner)
    steps = [step for _, step in planner.plans]
    assert steps
    assert [step for step in steps if step.startswith("SCAN") and not _WALKS.search(step)] == []
    assert [s for s in steps if "TEMP B-TREE" in s and name != "silent"] == []


def test_due_triggers_are_found_at_once_among_very_many(planner: Planner) -> None:
    """The time does not grow with what is pending: a million rows are as a thousand."""
    pending: list[CronTriggerRecord] = [cron(f"c{n}", next_execution_time=5000 + n) for n in range(1000)]
    planner.raw.execute("BEGIN")
    for block in range(MANY // 1000):
        for n, row in enumerate(pending):
            row.id, row.name = f"{block}-{n}", f"c{block}-{n}"
        insert(planner, "cron_triggers", pending)
    insert(planner, "cron_triggers", [cron("now", id="now", next_execution_time=1000)])
    planner.raw.execute("COMMIT")
    before = planner.raw.total_changes
    began = time.perf_counter()
    due = triggers.due_cron(planner, 2000, 100)
    following = triggers.next_cron_time(planner)
    fired = triggers.fire_cron(planner, [firing(due[0], start("now"), following=9_000_000)])
    spent = time.perf_counter() - began
    assert ([t.id for t in due], following, fired) == (["now"], 1000, ["now"])
    assert planner.raw.total_changes - before == 2  # one trigger, one start
    print(f"{MANY} pending triggers: {spent * 1000:.2f} ms to find and fire the one that is due")
