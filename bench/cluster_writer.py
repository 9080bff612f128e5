"""How fast a program that does nothing else can write the rows of a task.

The store's own writer, one commit after the other, with rows that were made before the clock ran: per transaction as
many as the engine wrote per transaction in the same run. What Ostro reaches of this is what running workflows costs.
"""

import time

from ostro.adapters.sql import open_store
from ostro.model.records import ActionRecord, Batch, ExecutionRecord, HistoryRecord, TaskRecord
from ostro.testing import rows

LENGTH = 20  # tasks of an execution


def _tasks(count: int, roots: list[ExecutionRecord]) -> tuple[list[TaskRecord], list[ActionRecord]]:
    tasks, actions = [], []
    for number in range(count):
        root = roots[number % len(roots)]
        task = rows.task(
            root, state="SUCCESS", processed=True, name=f"step{number % LENGTH}", published='{"x":"start"}',
            runtime_context=f'{{"triggered_by":[{{"task_id":"{root.id}","event":"on-success"}}]}}',
            internal=f'{{"p":["{root.id}"],"n":[["step2","on-success"]]}}', finished_at=rows.new_time(),
        )  # fmt: skip
        action = rows.action(task, root, state="SUCCESS", accepted=True, input='{"output":"start"}')
        action.output = '{"result":"start"}'
        tasks.append(task)
        actions.append(action)
    return tasks, actions


def batch_of(count: int) -> Batch:
    """`count` tasks with an action each; per 20 of them a new execution, its end, and a row of history."""
    roots = [rows.execution(workflow_name="bare") for _ in range(max(1, count // LENGTH))]
    tasks, actions = _tasks(count, roots)
    at = rows.new_time()
    history = [HistoryRecord(execution_id=root.id, seq=1, at=at, entries='[["t",1,2,3]]') for root in roots]
    return Batch(new_executions=roots, executions=roots, new_tasks=tasks, new_actions=actions, history=history)


async def tasks_per_second(url: str, tasks_of_commit: int, seconds: float) -> float:
    store = await open_store(url)
    try:
        written, spent = 0, 0.0
        for _ in range(5):
            await store.commit(batch_of(tasks_of_commit))
        while spent < seconds:
            batches = [batch_of(tasks_of_commit) for _ in range(20)]
            began = time.perf_counter()
            for batch in batches:
                await store.commit(batch)
            spent += time.perf_counter() - began
            written += 20 * tasks_of_commit
        return written / spent
    finally:
        await store.close()
