"""What people ask about work, and what is scrapped, as every store does it."""

from typing import Any

from ostro.model.access import AuditRecord, TokenRecord
from ostro.model.commands import ANYONE, Caller
from ostro.model.records import Batch, HistoryRecord, ReplyRecord, RevisionRecord
from ostro.ports.store import Filter, ListQuery, Store
from ostro.testing import rows

DAY = 86_400_000_000
NOW = rows.START + 100 * DAY
PROJECT = ANYONE.project_id


def revision(workflow_id: str = "w", **given: Any) -> RevisionRecord:
    values: dict[str, Any] = {
        "id": rows.new_id(), "workflow_id": workflow_id, "name": "wf", "workbook_name": None, "definition": "text",
        "created_at": rows.new_time(),
    }  # fmt: skip
    return RevisionRecord(**{**values, **given})


async def put_revisions(store: Store, workflow_id: str, times: list[int]) -> list[RevisionRecord]:
    """The workflow with its texts, the last one current."""
    texts = [revision(workflow_id, created_at=at) for at in times]
    record = rows.workflow(id=workflow_id, name=workflow_id, revision_id=texts[-1].id)
    await store.save_workflows([record], (), texts)
    return texts


# ---------------------------------------------------------------- spans


async def test_spans_have_tasks_attempts_and_history(store: Store) -> None:
    run = rows.execution()
    first = rows.task(run, name="a", state="SUCCESS")
    second = rows.task(run, name="b", type="WORKFLOW")
    below = rows.child_of(second, run)
    failed = rows.action(first, state="ERROR", state_info="x" * 1000, updated_at=run.created_at + 5)
    good = rows.action(first, state="SUCCESS", accepted=True)
    history = HistoryRecord(execution_id=run.id, seq=1, at=7, entries='[["w","RUNNING"]]')
    await store.commit(
        Batch(new_executions=[run, below], new_tasks=[first, second], new_actions=[failed, good], history=[history])
    )
    found = await store.spans(run.id, 10, 10)
    assert [(task.id, task.name, task.state) for task in found.tasks] == [
        (first.id, "a", "SUCCESS"),
        (second.id, "b", "RUNNING"),
    ]
    assert {(one.id, one.task_id, one.is_action) for one in found.attempts} == {
        (failed.id, first.id, True),
        (good.id, first.id, True),
        (below.id, second.id, False),
    }
    ended = next(one for one in found.attempts if one.id == failed.id)
    assert (ended.finished_at, len(ended.state_info or "")) == (run.created_at + 5, 300)
    assert next(one for one in found.attempts if one.id == below.id).finished_at is None
    assert (found.history, found.more) == ([(7, '[["w","RUNNING"]]')], 0)


async def test_spans_are_bounded(store: Store) -> None:
    run = rows.execution()
    tasks = [rows.task(run) for _ in range(5)]
    actions = [rows.action(task) for task in tasks for _ in range(4)]
    await store.commit(Batch(new_executions=[run], new_tasks=tasks, new_actions=actions))
    found = await store.spans(run.id, 3, 6)
    assert ([task.id for task in found.tasks], found.more) == ([task.id for task in tasks[:3]], 2)
    assert 6 <= len(found.attempts) <= 7


# ---------------------------------------------------------------- figures


async def test_figures_count_the_roots_of_one_project(store: Store) -> None:
    root = rows.execution(created_at=NOW - 10, state="RUNNING")
    task = rows.task(root)
    others = [
        rows.execution(created_at=NOW - 2 * DAY, state="RUNNING"),
        rows.execution(created_at=NOW - 20, updated_at=NOW - 5, finished_at=NOW - 5, state="SUCCESS"),
        rows.execution(created_at=NOW - 2 * DAY, updated_at=NOW - 2 * DAY, finished_at=NOW - 2 * DAY, state="SUCCESS"),
        rows.execution(created_at=NOW - 30, updated_at=NOW - 6, finished_at=NOW - 6, state="ERROR", state_info="why"),
        rows.execution(created_at=NOW - 3, state="PAUSED"),
        rows.execution(created_at=NOW - 3, state="RUNNING", project_id="other"),
    ]
    below = rows.child_of(task, root, created_at=NOW - 9, state="RUNNING")
    waiting = rows.action(task, internal='{"w":true}', name="std.async_noop")
    busy = rows.action(task, internal='{"j":{"name":"x"}}')
    await store.commit(Batch(new_executions=[root, *others, below], new_tasks=[task], new_actions=[waiting, busy]))
    found = await store.figures(PROJECT, NOW, 1000)
    assert found.counts == {"RUNNING": 2, "PAUSED": 1, "IDLE": 0, "SUCCESS": 1, "ERROR": 1, "CANCELLED": 0}
    assert found.capped == []
    assert sorted(found.started) == [NOW - 30, NOW - 20, NOW - 10, NOW - 3]
    assert [(one.state, one.finished_at) for one in found.finished] == [("SUCCESS", NOW - 5), ("ERROR", NOW - 6)]
    assert found.started_since == found.finished_since == NOW - DAY // 24
    assert {(one.kind, one.id, one.execution_id) for one in found.attention} == {
        ("error", others[3].id, others[3].id),
        ("paused", others[4].id, others[4].id),
        ("async_action", waiting.id, root.id),
    }
    assert [one.message for one in found.attention if one.kind == "error"] == ["why"]
    waits = [(one.workflow_name, one.task_name) for one in found.attention if one.kind == "async_action"]
    assert waits == [(root.workflow_name, task.name)]


async def test_what_a_cancelled_execution_waited_for_needs_nobodys_attention(store: Store) -> None:
    cancelled, paused = (rows.execution(created_at=NOW - 10, state=state) for state in ("CANCELLED", "PAUSED"))
    tasks = [rows.task(cancelled), rows.task(paused)]
    left, waiting = (rows.action(task, internal='{"w":true}', name="std.async_noop") for task in tasks)
    alone = rows.action(None, internal='{"w":true}', name="std.async_noop")
    batch = Batch(new_executions=[cancelled, paused], new_tasks=tasks, new_actions=[left, waiting, alone])
    await store.commit(batch)
    found = await store.figures(PROJECT, NOW, 1000)
    assert {one.id for one in found.attention if one.kind == "async_action"} == {waiting.id, alone.id}


async def test_figures_of_many_say_from_when_on_they_are_whole(store: Store) -> None:
    runs = [
        rows.execution(created_at=NOW - n, updated_at=NOW - n, finished_at=NOW - n, state="SUCCESS")
        for n in range(1, 9)
    ]
    await store.commit(Batch(new_executions=runs))
    found = await store.figures(PROJECT, NOW, 5)
    assert (found.counts["SUCCESS"], found.capped) == (5, ["SUCCESS"])
    assert found.started_since == found.finished_since == NOW - 5


# ---------------------------------------------------------------- revisions


async def test_revisions_of_a_workflow_come_in_pages(store: Store) -> None:
    texts = await put_revisions(store, "w1", [NOW + n for n in range(5)])
    await put_revisions(store, "w2", [NOW])
    first = await store.revisions_of("w1", None, 3)
    assert [one.id for one in first] == [text.id for text in reversed(texts[2:])]
    rest = await store.revisions_of("w1", (first[-1].created_at, first[-1].id), 3)
    assert [one.id for one in rest] == [texts[1].id, texts[0].id]


async def test_revisions_that_nobody_runs_are_scrapped(store: Store) -> None:
    texts = await put_revisions(store, "w1", [rows.START + n * DAY for n in range(6)])
    run = rows.execution(workflow_id="w1", revision_id=texts[1].id, created_at=texts[1].created_at + DAY // 2)
    await store.commit(Batch(new_executions=[run]))
    gone, last = await store.scrap_revisions(2, NOW, "", 10)
    assert (gone, last) == (3, None)
    assert {one.id for one in await store.revisions_of("w1", None, 10)} == {texts[1].id, texts[4].id, texts[5].id}
    await store.delete_workflow("w1")
    assert (await store.scrap_revisions(2, NOW, "", 10))[0] == 2  # none is the newest of anything any more
    assert [one.id for one in await store.revisions_of("w1", None, 10)] == [texts[1].id]


async def test_young_revisions_stay_and_workflows_come_in_pages(store: Store) -> None:
    for name in ("w1", "w2", "w3"):
        await put_revisions(store, name, [rows.START, rows.START + 1, NOW, NOW + 1])
    gone, last = await store.scrap_revisions(1, NOW, "", 2)
    assert (gone, last) == (4, "w2")
    assert await store.scrap_revisions(1, NOW, "w2", 2) == (2, None)
    assert len(await store.revisions_of("w3", None, 10)) == 2


# ---------------------------------------------------------------- the rest


async def test_old_replies_and_audit_entries_are_scrapped_in_batches(store: Store) -> None:
    await store.commit(Batch(replies=[ReplyRecord(key=f"k{n}", at=n, reply="1") for n in range(10)]))
    assert [await store.scrap_replies(7, 4) for _ in range(3)] == [4, 3, 0]
    assert [await store.reply_to(f"k{n}") for n in (6, 7)] == [None, "1"]
    entries = [
        AuditRecord(
            id=rows.new_id(), created_at=n, project_id="p", user_id=None, action="a", target="", method="GET", path="/",
            status=200,
        )
        for n in range(5)
    ]  # fmt: skip
    await store.add_audit(entries)
    assert [await store.scrap_audit(3, 2) for _ in range(3)] == [2, 1, 0]
    left = await store.list_audit(ListQuery(filters=(Filter("project_id", "eq", "p"),)), Caller(is_admin=True))
    assert [one.created_at for one in left] == [3, 4]


async def test_tokens_are_added_listed_and_revoked_once(store: Store) -> None:
    token = TokenRecord(
        id="t1", digest="d", description="", project_id="p", user_id="u", roles="[]", created_at=1, expires_at=None,
        revoked_at=None,
    )  # fmt: skip
    await store.add_token(token)
    assert await store.list_tokens() == [token]
    assert await store.revoke_token("t1", 9)
    assert not await store.revoke_token("t1", 10)
    assert not await store.revoke_token("t2", 10)
    found = await store.find_token("t1")
    assert found is not None
    assert found.revoked_at == 9
