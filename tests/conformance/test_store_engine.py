"""What the owner of trees relies on: commits are whole, and what is read back is enough to go on."""

import msgspec
import pytest

from ostro.model.commands import ANYONE, Caller
from ostro.model.errors import Conflict
from ostro.model.records import Batch, BlobRecord, HistoryRecord, ReplyRecord
from ostro.ports.store import ListQuery, Store
from ostro.testing import rows

replace = msgspec.structs.replace


async def test_every_field_of_every_row_comes_back_as_it_was_written(store: Store) -> None:
    root = rows.execution(state_info="why", output='{"r":1}', finished_at=rows.new_time(), accepted=True, tags='["a"]')
    task = rows.task(root, published_global="{}", snapshot="{}", retired=False, processed=True, state_info="x")
    action = rows.action(task, root, output='{"result":1}', taken_at=rows.new_time(), last_heartbeat=5, accepted=True)
    timer = rows.timer(task, due_at=9)
    await store.commit(Batch(new_executions=[root], new_tasks=[task], new_actions=[action], timers=[timer]))

    assert await store.get_execution(root.id, ANYONE) == root
    assert await store.get_task(task.id, ANYONE) == (task, root)
    assert await store.get_action_execution(action.id, ANYONE) == action
    assert await store.load_action(action.id) == action
    (stored,) = await store.load_executions([root.id])
    assert (stored.record, stored.tasks, stored.actions, stored.timers) == (root, [task], [action], [timer])


async def test_an_execution_comes_back_with_the_number_of_its_last_history(store: Store) -> None:
    quiet, first, second = (rows.execution() for _ in range(3))
    seqs = [(first, 1), (second, 1), (second, 2), (second, 3)]
    history = [HistoryRecord(execution_id=one.id, seq=seq, at=1, entries="[]") for one, seq in seqs]
    await store.commit(Batch(new_executions=[quiet, first, second], history=history))

    found = await store.load_executions([quiet.id, first.id, second.id])
    assert [one.history_seq for one in found] == [0, 1, 3]


@pytest.mark.parametrize("count", [1, 2, 3, 127, 128, 129, 300])
async def test_a_batch_of_any_size_is_written_completely(store: Store, count: int) -> None:
    root = rows.execution()
    tasks = [rows.task(root, name=f"t{number}") for number in range(count)]
    await store.commit(Batch(new_executions=[root], new_tasks=tasks))
    changed = [replace(task, state="SUCCESS", processed=True) for task in tasks]
    await store.commit(Batch(tasks=changed))

    (stored,) = await store.load_executions([root.id])
    assert stored.tasks == changed


async def test_a_batch_with_an_id_that_exists_leaves_nothing_behind(store: Store) -> None:
    first = rows.execution()
    await store.commit(Batch(new_executions=[first], replies=[ReplyRecord(key="taken", at=1, reply="1")]))
    other = rows.execution()

    for broken in (
        Batch(new_executions=[other, first]),
        Batch(
            new_executions=[other], new_tasks=[rows.task(other)], replies=[ReplyRecord(key="taken", at=2, reply="2")]
        ),
    ):
        with pytest.raises(Conflict):
            await store.commit(broken)
        assert await store.get_execution(other.id, ANYONE) is None
        assert await store.list_tasks(ListQuery(), ANYONE) == []
    await store.commit(Batch(new_executions=[other]))  # and the store goes on


async def test_a_changed_row_that_is_gone_stays_gone(store: Store) -> None:
    root = rows.execution()
    task = rows.task(root)
    await store.commit(Batch(new_executions=[root], new_tasks=[task], deleted_executions=[root.id]))
    await store.commit(Batch(executions=[root], tasks=[task]))

    assert await store.load_executions([root.id]) == []
    assert await store.list_tasks(ListQuery(), ANYONE) == []


async def test_the_last_version_of_a_row_in_a_batch_wins(store: Store) -> None:
    root = rows.execution()
    await store.commit(Batch(new_executions=[root]))
    await store.commit(Batch(executions=[replace(root, state="PAUSED"), replace(root, state="ERROR")]))

    found = await store.get_execution(root.id, ANYONE)
    assert found is not None and found.state == "ERROR"


async def test_what_identifies_a_row_never_changes(store: Store) -> None:
    root = rows.execution(workflow_name="one")
    await store.commit(Batch(new_executions=[root]))
    await store.commit(Batch(executions=[replace(root, workflow_name="two", created_at=1, description="new")]))

    found = await store.get_execution(root.id, ANYONE)
    assert found == replace(root, description="new")


async def test_timers_come_in_the_order_in_which_they_are_due(store: Store) -> None:
    root = rows.execution()
    task = rows.task(root)
    timers = [rows.timer(task, due_at=due, kind=kind) for due, kind in ((30, "c"), (10, "a"), (10, "b"), (20, "d"))]
    await store.commit(Batch(new_executions=[root], new_tasks=[task], timers=timers))

    first = await store.due_timers(31, (0, "", ""), 2)
    assert [(timer.due_at, timer.kind) for timer in first] == [(10, "a"), (10, "b")]
    last = first[-1]
    rest = await store.due_timers(30, (last.due_at, last.owner_id, last.kind), 10)
    assert [(timer.due_at, timer.kind) for timer in rest] == [(20, "d")]


async def test_setting_a_timer_again_replaces_it_and_a_timer_that_is_gone_is_not_due(store: Store) -> None:
    root = rows.execution()
    task = rows.task(root)
    await store.commit(
        Batch(
            new_executions=[root], new_tasks=[task], timers=[rows.timer(task, 10), rows.timer(task, 10, kind="retry")]
        )
    )
    await store.commit(Batch(timers=[rows.timer(task, 15), rows.timer(task, 20)], timers_gone=[(task.id, "retry")]))

    assert await store.due_timers(100, (0, "", ""), 10) == [rows.timer(task, 20)]


async def test_the_first_reply_to_a_key_is_kept(store: Store) -> None:
    await store.commit(Batch(replies=[ReplyRecord(key="p:k", at=1, reply='"first"')]))
    with pytest.raises(Conflict):
        await store.commit(Batch(replies=[ReplyRecord(key="p:k", at=2, reply='"second"')]))

    assert await store.reply_to("p:k") == '"first"'
    assert await store.reply_to("p:other") is None


async def test_history_is_read_in_order(store: Store) -> None:
    root = rows.execution()
    entries = [HistoryRecord(execution_id=root.id, seq=seq, at=seq * 10, entries=f"[{seq}]") for seq in (2, 1, 10)]
    await store.commit(Batch(new_executions=[root], history=entries))

    assert await store.history(root.id, ANYONE) == [(1, 10, "[1]"), (2, 20, "[2]"), (10, 100, "[10]")]
    assert await store.history(root.id, Caller(project_id="other")) == []


async def test_large_values_are_left_as_markers_for_the_engine_and_resolved_for_people(store: Store) -> None:
    root = rows.execution(input='{"a":\x01b1\x01,"b":\x01b2\x01}')
    task = rows.task(root, published='{"x":\x01b1\x01}')
    action = rows.action(task, root, output='{"result":\x01b2\x01}', accepted=True, state="SUCCESS")
    blobs = [BlobRecord(id=id, root_id=root.id, text=text) for id, text in (("b1", '"one"'), ("b2", "[2]"))]
    await store.commit(Batch(new_executions=[root], new_tasks=[task], new_actions=[action], blobs=blobs))

    (stored,) = await store.load_executions([root.id])
    assert (stored.record.input, stored.tasks[0].published) == (root.input, task.published)
    assert await store.blobs(["b1", "b2", "none"]) == {"b1": '"one"', "b2": "[2]"}
    shown = await store.get_task(task.id, ANYONE)
    assert shown is not None
    assert (shown[0].published, shown[1].input) == ('{"x":"one"}', '{"a":"one","b":[2]}')
    assert await store.task_results([task.id]) == {task.id: [(0, "SUCCESS", '{"result":[2]}')]}
    (listed,) = await store.list_action_executions(ListQuery(with_output=True), ANYONE)
    assert listed.output == '{"result":[2]}'


async def test_unfinished_roots_are_those_with_anything_unfinished_below(store: Store) -> None:
    running, paused, finished, stopped, parent = (
        rows.execution(state=state) for state in ("RUNNING", "PAUSED", "SUCCESS", "ERROR", "CANCELLED")
    )
    done = rows.done_task(finished)
    left = rows.task(stopped)
    outer = rows.done_task(parent, type="WORKFLOW")
    child = rows.child_of(outer, parent)
    alone, over = rows.action(None), rows.action(None, state="SUCCESS")
    await store.commit(
        Batch(
            new_executions=[running, paused, finished, stopped, parent, child],
            new_tasks=[done, left, outer],
            new_actions=[rows.action(done, finished, state="SUCCESS"), rows.action(left, stopped), alone, over],
        )
    )

    expected = sorted([running.id, paused.id, stopped.id, parent.id, alone.id])
    assert await store.unfinished_roots("", 100) == expected
    assert await store.unfinished_roots(expected[1], 2) == expected[2:4]
    assert await store.unfinished_in_tree(parent.id) == [child.id]
    assert await store.unfinished_in_tree(stopped.id) == [stopped.id]
    assert await store.unfinished_in_tree(alone.id) == []


async def test_the_root_is_the_first_of_its_unfinished_tree(store: Store) -> None:
    root = rows.execution(id="zzz")
    task = rows.task(root, type="WORKFLOW")
    children = [rows.child_of(task, root), rows.child_of(task, root)]
    await store.commit(Batch(new_executions=[*children, root], new_tasks=[task]))

    assert await store.unfinished_in_tree("zzz") == ["zzz", *(child.id for child in children)]


async def test_load_gives_what_is_needed_to_go_on(store: Store) -> None:
    root = rows.execution()
    done = rows.done_task(root, name="a")
    waiting = rows.done_task(root, name="b", processed=False)
    live = rows.task(root, name="c", type="WORKFLOW")
    retired = rows.done_task(root, name="old", retired=True)
    child = rows.child_of(live, root)
    batch = Batch(
        new_executions=[root, child],
        new_tasks=[done, waiting, live, retired],
        new_actions=[rows.action(task, root, state="SUCCESS") for task in (done, waiting, retired)],
    )
    await store.commit(batch)

    (stored,) = await store.load_executions([root.id, "missing"])
    assert stored.tasks == [done, waiting, live]
    assert [action.task_execution_id for action in stored.actions] == [waiting.id]
    assert stored.children == [child]
    assert stored.context_tasks == []


async def test_load_walks_back_to_the_nearest_snapshot(store: Store) -> None:
    """A loop: 1 and 2 are before the snapshot of 3; the live task 6 inherits 5, 4 and 3."""
    root = rows.execution()
    chain = []
    for number in range(1, 6):
        internal = f'{{"p":["{chain[-1].id}"]}}' if chain else "{}"
        snapshot = "{}" if number == 3 else None
        chain.append(rows.done_task(root, retired=True, internal=internal, snapshot=snapshot))
    live = rows.task(root, internal=f'{{"p":["{chain[-1].id}"],"r":2}}')
    await store.commit(Batch(new_executions=[root], new_tasks=[*chain, live]))

    (stored,) = await store.load_executions([root.id])
    assert stored.context_tasks == chain[2:]


async def test_several_executions_are_loaded_in_the_order_asked_for(store: Store) -> None:
    roots = [rows.execution() for _ in range(300)]
    tasks = [rows.task(root) for root in roots]
    await store.commit(Batch(new_executions=roots, new_tasks=tasks))

    stored = await store.load_executions([root.id for root in reversed(roots)])
    assert [one.record for one in stored] == roots[::-1]
    assert [one.tasks for one in stored] == [[task] for task in reversed(tasks)]


async def test_results_are_the_accepted_children_by_index(store: Store) -> None:
    root = rows.execution()
    task = rows.task(root)
    other = rows.task(root)
    actions = [
        rows.action(task, root, idx=idx, accepted=accepted, state=state, output=f'{{"result":{idx}}}')
        for idx, accepted, state in ((2, True, "SUCCESS"), (0, False, "ERROR"), (0, True, "SUCCESS"))
    ]
    child = rows.child_of(task, root, idx=1, accepted=True, state="ERROR", output=None)
    await store.commit(Batch(new_executions=[root, child], new_tasks=[task, other], new_actions=actions))

    expected = [(0, "SUCCESS", '{"result":0}'), (1, "ERROR", None), (2, "SUCCESS", '{"result":2}')]
    assert await store.task_results([task.id, other.id]) == {task.id: expected, other.id: []}
    assert await store.result_of(task.id, ANYONE) == expected
    assert await store.result_of(task.id, Caller(project_id="other")) == []


async def test_an_action_is_emptied(store: Store) -> None:
    root = rows.execution()
    task = rows.task(root)
    kept, emptied = (
        rows.action(task, root, idx=idx, accepted=True, state="SUCCESS", output='{"result":1}') for idx in (0, 1)
    )
    await store.commit(Batch(new_executions=[root], new_tasks=[task], new_actions=[kept, emptied]))
    await store.commit(Batch(emptied=[emptied.id]))

    expected = [(0, "SUCCESS", '{"result":1}'), (1, "SUCCESS", "{}")]
    assert await store.result_of(task.id, ANYONE) == expected


async def test_deleting_an_execution_takes_all_below_it_and_nothing_else(store: Store) -> None:
    root, kept = rows.execution(), rows.execution()
    task, kept_task = rows.task(root, type="WORKFLOW"), rows.task(kept)
    child = rows.child_of(task, root)
    inner = rows.task(child)
    grandchild = rows.child_of(inner, root)
    deep = rows.task(grandchild)
    owners = ((task, root), (inner, root), (deep, root), (kept_task, kept))
    await store.commit(
        Batch(
            new_executions=[root, child, grandchild, kept],
            new_tasks=[task, inner, deep, kept_task],
            new_actions=[rows.action(of, tree) for of, tree in owners],
            timers=[rows.timer(of, 10) for of, _ in owners],
            blobs=[BlobRecord(id=f"blob-{of.id}", root_id=of.id, text="1") for of in (root, kept)],
            history=[HistoryRecord(execution_id=of.id, seq=1, at=1, entries="[]") for of in (child, kept)],
        )
    )
    await store.commit(Batch(deleted_executions=[root.id]))

    assert await store.list_executions(ListQuery(), ANYONE) == [kept]
    assert [task.id for task, _, _ in await store.list_tasks(ListQuery(), ANYONE)] == [kept_task.id]
    assert [found.task_execution_id for found in await store.list_action_executions(ListQuery(), ANYONE)] == [
        kept_task.id
    ]
    assert await store.due_timers(100, (0, "", ""), 10) == [rows.timer(kept_task, 10)]
    assert await store.blobs([f"blob-{root.id}", f"blob-{kept.id}"]) == {f"blob-{kept.id}": "1"}
    assert await store.unfinished_roots("", 10) == [kept.id]


async def test_deleting_a_sub_execution_keeps_its_parent(store: Store) -> None:
    root = rows.execution()
    task = rows.task(root, type="WORKFLOW")
    child = rows.child_of(task, root)
    await store.commit(Batch(new_executions=[root, child], new_tasks=[task, rows.task(child)]))
    await store.commit(Batch(deleted_executions=[child.id]))

    (stored,) = await store.load_executions([root.id, child.id])
    assert (stored.record, stored.tasks, stored.children) == (root, [task], [])


async def test_deleting_a_stand_alone_action(store: Store) -> None:
    alone, kept = rows.action(None), rows.action(None)
    await store.commit(Batch(new_actions=[alone, kept], timers=[rows.timer(alone, 5)]))
    await store.commit(Batch(deleted_actions=[alone.id]))

    assert await store.load_action(alone.id) is None
    assert await store.load_action(kept.id) == kept
    assert await store.due_timers(100, (0, "", ""), 10) == []


async def test_tasks_function_sees_one_execution_all_below_it_or_everything_visible(store: Store) -> None:
    root, other = rows.execution(), rows.execution()
    foreign = rows.execution(project_id="other")
    task = rows.task(root, type="WORKFLOW")
    child = rows.child_of(task, root)
    inner = rows.task(child, state="ERROR")
    others = rows.task(other)
    await store.commit(
        Batch(new_executions=[root, other, foreign, child], new_tasks=[task, inner, others, rows.task(foreign)])
    )

    assert await store.function_tasks(root.id, False, None, ANYONE) == [(task, root)]
    assert await store.function_tasks(root.id, True, None, ANYONE) == [(task, root), (inner, child)]
    assert await store.function_tasks(child.id, True, None, ANYONE) == [(inner, child)]
    assert await store.function_tasks(None, False, None, ANYONE) == [(task, root), (inner, child), (others, other)]
    assert await store.function_tasks(None, False, "ERROR", ANYONE) == [(inner, child)]


async def test_executions_function_filters_by_id_root_state_and_time(store: Store) -> None:
    second = 1_000_000
    root = rows.execution(created_at=1_600_000_000 * second, output='{"a":1}')
    child = rows.child_of(rows.task(root), root, created_at=1_600_000_010 * second, state="ERROR")
    foreign = rows.execution(project_id="other")
    await store.commit(Batch(new_executions=[root, child, foreign]))

    async def ids(*asked: str | None) -> list[str]:
        found = await store.function_executions(*asked, caller=ANYONE)  # type: ignore[misc]
        return [record.id for record in found]

    assert await ids(None, None, None, None, None) == [root.id, child.id]
    assert await ids(root.id, None, None, None, None) == [root.id]
    assert await ids(None, root.id, None, None, None) == [child.id]
    assert await ids(None, None, "ERROR", None, None) == [child.id]
    assert await ids(None, None, None, "2020-09-13 12:26:40", "2020-09-13 12:26:50") == [root.id]
