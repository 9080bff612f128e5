"""Filters, order and pages, against a model in plain Python that says what they mean."""

import itertools
import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ostro.model.commands import ANYONE, Caller
from ostro.model.errors import InvalidInput, NotFound
from ostro.model.records import Batch, ExecutionRecord
from ostro.ports.store import Filter, ListQuery, Store
from ostro.testing import rows

_projects = itertools.count()
_TEXTS = st.sampled_from(["", "a", "A", "b", "a%b", "a_b", "ab", "é", "\U0001f600", "\uffee", "'", "z"])
_STATES = st.sampled_from(["RUNNING", "PAUSED", "ERROR"])
_TIMES = st.integers(1, 5)
_TAGS = st.lists(st.sampled_from(["a", "b", 'q"', "ab"]), max_size=3)
_COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "workflow_name": _TEXTS,
    "description": _TEXTS,
    "state": _STATES,
    "state_info": st.none() | _TEXTS,
    "task_execution_id": st.none() | _TEXTS,
    "created_at": _TIMES,
    "updated_at": _TIMES,
}
_ROWS = st.lists(st.fixed_dictionaries({**_COLUMNS, "tags": _TAGS}), max_size=12)
_ORDERS = st.lists(
    st.tuples(st.sampled_from([*_COLUMNS, "root_execution_id", "id"]), st.sampled_from(["asc", "desc"])), max_size=3
)
_COMPARE = {
    "eq": lambda have, want: have == want,
    "neq": lambda have, want: have != want,
    "gt": lambda have, want: have > want,
    "gte": lambda have, want: have >= want,
    "lt": lambda have, want: have < want,
    "lte": lambda have, want: have <= want,
    "in": lambda have, want: have in want,
    "nin": lambda have, want: have not in want,
    "has": lambda have, want: want in have,
}


@st.composite
def _filters(draw: st.DrawFn) -> tuple[Filter, ...]:
    found = []
    for column in draw(st.lists(st.sampled_from([*_COLUMNS, "tags"]), max_size=2)):
        if column == "tags":
            found.append(Filter("tags", "all_tags", tuple(draw(_TAGS))))
            continue
        is_time = column.endswith("_at")
        op = draw(st.sampled_from([name for name in _COMPARE if not (is_time and name == "has")] + ["isnull"]))
        plain = _TIMES if is_time else _STATES if column == "state" else _TEXTS
        value = st.booleans() if op == "isnull" else st.lists(plain).map(tuple) if op in ("in", "nin") else plain
        found.append(Filter(column, op, draw(value)))
    return tuple(found)


def _value(record: ExecutionRecord, column: str) -> Any:
    if column == "root_execution_id":
        return None if record.root_id == record.id else record.root_id
    return getattr(record, column)


def _matches(record: ExecutionRecord, wanted: Filter) -> bool:
    have = _value(record, wanted.column)
    if wanted.op == "isnull":
        return (have is None) == wanted.value
    if wanted.op == "all_tags":
        return set(wanted.value) <= set(json.loads(have))
    return have is not None and _COMPARE[wanted.op](have, wanted.value)


def _expected(records: list[ExecutionRecord], query: ListQuery) -> list[str]:
    found = [record for record in records if all(_matches(record, wanted) for wanted in query.filters)]
    last = query.sort[-1][1] if query.sort else "asc"
    for column, direction in reversed([*query.sort, ("id", last)]):
        found.sort(
            key=lambda record: (_value(record, column) is not None, _value(record, column)),
            reverse=direction == "desc",
        )
    return [record.id for record in found]


async def _all_pages(store: Store, query: ListQuery, caller: Caller) -> list[str]:
    found: list[str] = []
    while True:
        page = await store.list_executions(query, caller)
        found += [record.id for record in page]
        if len(page) < query.limit:
            return found
        query = msgspec.structs.replace(query, marker=found[-1])


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=_ROWS, filters=_filters(), order=_ORDERS, limit=st.integers(1, 5))
async def test_pages_are_what_the_model_says(
    store: Store, data: list[dict[str, Any]], filters: tuple[Filter, ...], order: Any, limit: int
) -> None:
    caller = Caller(project_id=f"project-{next(_projects)}")
    records = [
        rows.execution(**{**values, "tags": json.dumps(values["tags"])}, project_id=caller.project_id)
        for values in data
    ]
    for record in records[1::3]:
        record.root_id = records[0].id
    await store.commit(Batch(new_executions=records))
    query = ListQuery(filters=filters, sort=tuple(order), limit=limit)

    assert await _all_pages(store, query, caller) == _expected(records, query)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=_ORDERS, limit=st.integers(1, 7))
async def test_an_admin_reads_all_projects_as_one_list(store: Store, order: Any, limit: int) -> None:
    admin = Caller(project_id="nobody", is_admin=True)
    records = await store.list_executions(ListQuery(with_output=True), admin)
    if not records:
        data = itertools.product(["p1", "p2", "p3"], ["RUNNING", "ERROR"], [None, "x"], [1, 2])
        records = [
            rows.execution(project_id=project, state=state, state_info=info, created_at=time)
            for project, state, info, time in data
        ]
        await store.commit(Batch(new_executions=records))
    query = ListQuery(sort=tuple(order), limit=limit)

    assert await _all_pages(store, query, admin) == _expected(records, query)
    assert await _all_pages(store, msgspec.structs.replace(query, all_projects=True), ANYONE) == _expected(
        records, query
    )


async def test_more_projects_than_are_merged_still_make_one_list(store: Store) -> None:
    records = [rows.execution(project_id=f"p{number % 60}") for number in range(120)]
    await store.commit(Batch(new_executions=records))

    found = await store.list_executions(ListQuery(limit=70), Caller(is_admin=True))
    assert [record.id for record in found] == [record.id for record in records[:70]]


async def test_tasks_and_actions_are_listed_in_the_order_of_creation(store: Store) -> None:
    root, other = rows.execution(workflow_id="w1", workflow_namespace="ns"), rows.execution(workflow_id="w2")
    tasks = [
        rows.task(root, retired=number % 2 == 0, processed=number == 3, state="ERROR" if number == 4 else "RUNNING")
        for number in range(5)
    ]
    foreign = rows.task(other)
    actions = [rows.action(task, root, task_name=f"n{place}") for place, task in enumerate(tasks)]
    await store.commit(Batch(new_executions=[root, other], new_tasks=[*tasks, foreign], new_actions=actions))
    of_root = Filter("workflow_execution_id", "eq", root.id)

    async def ids(*filters: Filter, **options: Any) -> list[str]:
        found = await store.list_tasks(ListQuery(filters=filters, **options), ANYONE)
        return [task.id for task, _, _ in found]

    expected = [task.id for task in tasks]
    assert await ids() == [*expected, foreign.id]
    assert await ids(of_root) == expected
    assert await ids(of_root, limit=2) == expected[:2]
    assert await ids(of_root, limit=2, marker=expected[1]) == expected[2:4]
    assert await ids(of_root, sort=(("created_at", "desc"),), marker=expected[3]) == expected[2::-1]
    assert await ids(of_root, sort=(("created_at", "desc"), ("id", "desc"))) == expected[::-1]
    assert await ids(Filter("processed", "eq", True)) == [expected[3]]
    assert await ids(Filter("state", "eq", "ERROR")) == [expected[4]]
    assert await ids(Filter("workflow_id", "eq", "w2")) == [foreign.id]
    (_, workflow_id, namespace) = (await store.list_tasks(ListQuery(limit=1), ANYONE))[0]
    assert (workflow_id, namespace) == ("w1", "ns")

    of_task = ListQuery(filters=(Filter("task_name", "eq", "n3"), Filter("task_execution_id", "eq", expected[3])))
    assert [action.id for action in await store.list_action_executions(of_task, ANYONE)] == [actions[3].id]


async def test_lists_leave_the_output_out_unless_asked(store: Store) -> None:
    root = rows.execution(output="{}")
    action = rows.action(rows.task(root), root, output="{}")
    await store.commit(Batch(new_executions=[root], new_actions=[action]))
    brief, full = ListQuery(), ListQuery(with_output=True)

    assert [record.output for record in await store.list_executions(brief, ANYONE)] == [None]
    assert [record.output for record in await store.list_executions(full, ANYONE)] == ["{}"]
    assert [record.output for record in await store.list_action_executions(brief, ANYONE)] == [None]
    assert [record.output for record in await store.list_action_executions(full, ANYONE)] == ["{}"]


async def test_other_projects_are_not_seen(store: Store) -> None:
    root = rows.execution(project_id="mine")
    task = rows.task(root)
    action = rows.action(task, root)
    await store.commit(Batch(new_executions=[root], new_tasks=[task], new_actions=[action]))
    mine, stranger = Caller(project_id="mine"), Caller(project_id="other")

    assert await store.get_execution(root.id, mine) and not await store.get_execution(root.id, stranger)
    assert await store.get_task(task.id, mine) and not await store.get_task(task.id, stranger)
    assert await store.get_action_execution(action.id, mine) and not await store.get_action_execution(
        action.id, stranger
    )
    for lists in (store.list_executions, store.list_tasks, store.list_action_executions):
        assert len(await lists(ListQuery(), mine)) == 1
        assert await lists(ListQuery(), stranger) == []
    with pytest.raises(NotFound):  # nor does a marker tell that it is there
        await store.list_executions(ListQuery(marker=root.id), stranger)


@pytest.mark.parametrize(
    ("collection", "message"),
    [
        ("list_executions", "WorkflowExecution not found [id=nope]"),
        ("list_tasks", "Task execution not found [id=nope]"),
        ("list_action_executions", "ActionExecution not found [id=nope]"),
        ("list_workflows", "Workflow not found [workflow_id=nope]"),
        ("list_environments", "Environment not found [id=nope]"),
    ],
)
async def test_an_unknown_marker_is_named(store: Store, collection: str, message: str) -> None:
    with pytest.raises(NotFound) as caught:
        await getattr(store, collection)(ListQuery(marker="nope"), ANYONE)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("part", "found"), [("a", ["a%b", "a_b", "xax"]), ("A", ["A"]), ("a%", ["a%b"]), ("_", ["a_b"]), ("é", ["É é"])]
)
async def test_has_is_a_substring_to_the_letter(store: Store, part: str, found: list[str]) -> None:
    names = ["A", "a%b", "a_b", "xax", "É é"]
    await store.commit(Batch(new_executions=[rows.execution(description=name) for name in names]))

    records = await store.list_executions(ListQuery(filters=(Filter("description", "has", part),)), ANYONE)
    assert [record.description for record in records] == found


@pytest.mark.parametrize(("text", "found"), [("nightly", 2), ("disk", 1), ("team-a", 1), ("É", 1), ("é", 0), ("", 3)])
async def test_text_is_found_in_all_that_people_read(store: Store, text: str, found: int) -> None:
    batch = [
        rows.execution(workflow_name="Nightly"),
        rows.execution(description="the nightly one", state_info="DISK full"),
        rows.execution(tags='["Team-A"]', description="É"),
    ]
    await store.commit(Batch(new_executions=batch))

    records = await store.list_executions(ListQuery(filters=(Filter("text", "has", text),)), ANYONE)
    assert len(records) == found


async def test_unknown_columns_are_refused_by_name(store: Store) -> None:
    with pytest.raises(InvalidInput, match="Sort key supplied is invalid: nope"):
        await store.list_executions(ListQuery(sort=(("nope", "asc"),)), ANYONE)
    with pytest.raises(InvalidInput, match="Filter key supplied is invalid: internal"):
        await store.list_executions(ListQuery(filters=(Filter("internal", "eq", "{}"),)), ANYONE)
    with pytest.raises(InvalidInput, match="sort direction"):
        await store.list_executions(ListQuery(sort=(("id", "sideways"),)), ANYONE)
    with pytest.raises(InvalidInput, match="operator"):
        await store.list_executions(ListQuery(filters=(Filter("id", "like", "x"),)), ANYONE)


async def test_children_of_tasks_are_the_direct_ones(store: Store) -> None:
    root = rows.execution()
    tasks = [rows.task(root), rows.task(root)]
    children = [rows.child_of(task, root) for task in tasks]
    grandchild = rows.child_of(rows.task(children[0]), root)
    await store.commit(Batch(new_executions=[root, *children, grandchild], new_tasks=tasks))

    assert await store.children_of_tasks([task.id for task in reversed(tasks)], ANYONE) == children
    assert await store.children_of_tasks([tasks[0].id], Caller(project_id="other")) == []


async def test_mean_duration_is_of_successful_executions_of_the_workflow(store: Store) -> None:
    def ended(seconds: int, **given: Any) -> ExecutionRecord:
        return rows.execution(created_at=0, finished_at=seconds * 1_000_000, **{"state": "SUCCESS", **given})

    await store.commit(
        Batch(new_executions=[ended(2), ended(4), ended(60, state="ERROR"), ended(60, workflow_id="other")])
    )
    assert await store.mean_duration("workflow-1", ANYONE) == 3.0
    assert await store.mean_duration("never-run", ANYONE) is None


async def test_counts_are_of_what_is_unfinished(store: Store) -> None:
    root, done = rows.execution(state="PAUSED"), rows.execution(state="SUCCESS")
    tasks = [rows.task(root), rows.task(root, state="IDLE"), rows.done_task(root), rows.done_task(done)]
    actions = [rows.action(tasks[0], root), rows.action(tasks[2], root, state="ERROR")]
    await store.commit(Batch(new_executions=[root, done], new_tasks=tasks, new_actions=actions))

    assert await store.counts() == {
        "executions": {"PAUSED": 1},
        "tasks": {"RUNNING": 1, "IDLE": 1},
        "actions": {"RUNNING": 1},
    }
