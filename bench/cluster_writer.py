"""How fast a program that does nothing else can write the rows of a task.

psycopg and one connection: per transaction as many rows as the engine wrote per transaction, with the same columns and
indexes, several at a time (`INSERT ... SELECT FROM unnest`), prepared. What Ostro reaches of this is what running
workflows costs.
"""

import time
from typing import Any

import msgspec
import psycopg

from ostro.adapters.sql.columns import TABLES, column_types, fields_of
from ostro.model.records import ActionRecord, ExecutionRecord, HistoryRecord, TaskRecord
from ostro.testing import rows

_KINDS = {str: "text[]", int: "bigint[]", bool: "bigint[]"}


def _insert(table: str) -> str:
    kinds = ",".join(f"%s::{_KINDS[kind]}" for kind, _ in column_types(TABLES[table]).values())
    return f"INSERT INTO {table} ({','.join(fields_of(TABLES[table]))}) SELECT * FROM unnest({kinds})"


def _columns(records: list[Any]) -> list[list[Any]]:
    found = zip(*map(msgspec.structs.astuple, records), strict=True)
    return [[int(value) if isinstance(value, bool) else value for value in column] for column in found]


def _tasks(count: int, roots: list[ExecutionRecord]) -> tuple[list[TaskRecord], list[ActionRecord]]:
    tasks, actions = [], []
    for number in range(count):
        root = roots[number % len(roots)]
        task = rows.task(
            root, state="SUCCESS", processed=True, name=f"step{number % 20}", published='{"x":"start"}',
            runtime_context=f'{{"triggered_by":[{{"task_id":"{root.id}","event":"on-success"}}]}}',
            internal=f'{{"p":["{root.id}"],"n":[["step2","on-success"]]}}', finished_at=rows.new_time(),
        )  # fmt: skip
        tasks.append(task)

        action = rows.action(task, root, state="SUCCESS", accepted=True, input='{"output":"start"}')
        action.output = '{"result":"start"}'
        actions.append(action)
    return tasks, actions


def tasks_per_second(url: str, tasks_of_commit: int, seconds: float) -> float:
    """One row in tasks and one in actions per task; one changed execution and one row of history per 20 of them. The
    rows are made before the clock runs."""
    with psycopg.connect(url, autocommit=True) as connection:
        texts = {name: _insert(name) for name in ("executions", "tasks", "actions", "history")}
        roots = [rows.execution(workflow_name="bare") for _ in range(20)]
        with connection.cursor() as cursor:
            cursor.execute(texts["executions"], _columns(roots))
            written, spent = 0, 0.0
            while spent < seconds:
                tasks, actions = _tasks(tasks_of_commit, roots)
                at = rows.new_time()
                count = max(1, tasks_of_commit // 20)
                history = [
                    HistoryRecord(execution_id=roots[number % 20].id, seq=at + number, at=at, entries='[["t",1,2,3]]')
                    for number in range(count)
                ]
                columns = {"tasks": _columns(tasks), "actions": _columns(actions), "history": _columns(history)}
                changed = [root.id for root in roots[:count]]
                began = time.perf_counter()
                with connection.pipeline(), connection.transaction():
                    for table, values in columns.items():
                        cursor.execute(texts[table], values, prepare=True)
                    cursor.execute(
                        "UPDATE executions SET updated_at = %s, internal = %s WHERE id = ANY(%s)",
                        [at, '{"n":1}', changed],
                        prepare=True,
                    )
                spent += time.perf_counter() - began
                written += tasks_of_commit
        return written / spent
