"""Values that not every database takes: one rule for all of them."""

import msgspec
import pytest

from ostro.model.commands import ANYONE
from ostro.model.errors import InvalidInput
from ostro.model.records import Batch, BlobRecord
from ostro.ports.store import Filter, ListQuery, Store
from ostro.testing import rows

replace = msgspec.structs.replace
LONE = "a\ud800b"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\0b\0", "a\u2400b\u2400"),
        (LONE, "a?b"),
        (f"{LONE}\0", "a?b\u2400"),
        ("é\U0001f600\uffff", "é\U0001f600\uffff"),
    ],
)
async def test_texts_are_kept_by_one_rule(store: Store, text: str, kept: str) -> None:
    root = rows.execution(description=text, state_info=text)
    await store.commit(Batch(new_executions=[rows.execution(), root, rows.execution()]))
    found = await store.get_execution(root.id, ANYONE)
    assert found == replace(root, description=kept, state_info=kept)

    await store.commit(Batch(executions=[replace(root, state_info=f"again {text}")]))
    found = await store.get_execution(root.id, ANYONE)
    assert found is not None and found.state_info == f"again {kept}"

    for op, value in (("eq", text), ("in", (text,)), ("has", text)):
        query = ListQuery(filters=(Filter("description", op, value),))
        assert [record.id for record in await store.list_executions(query, ANYONE)] == [root.id]
    await store.write_note("n", text)
    assert await store.read_note("n") == kept
    assert await store.get_execution(text, ANYONE) is None


async def test_after_an_untidy_text_all_goes_on(store: Store) -> None:
    for _ in range(3):
        await store.commit(Batch(new_executions=[rows.execution(description="\0")]))
        await store.commit(Batch(new_executions=[rows.execution(description="plain")]))
        query = ListQuery(filters=(Filter("description", "eq", "\0"),))
        assert await store.list_executions(query, ANYONE)
    assert len(await store.list_executions(ListQuery(), ANYONE)) == 6


async def test_json_with_escapes_is_kept_as_it_is(store: Store) -> None:
    text = '{"nul":"\\u0000","lone":"\\ud800","big":123456789012345678901234567890.5e400,"quote":"\'\\"\\\\{},NULL"}'
    root = rows.execution(input=text, output=text)
    await store.commit(Batch(new_executions=[root], blobs=[BlobRecord(id="b", root_id=root.id, text=text)]))
    assert await store.get_execution(root.id, ANYONE) == root
    assert await store.blobs(["b"]) == {"b": text}


@pytest.mark.parametrize("id", [" ", "{a,b}", "{}", ",", '"', "\\", "NULL", "null", "a'b", "%", "$1", "?", "{", "\n\t"])
async def test_ids_of_any_text_are_found(store: Store, id: str) -> None:
    root = rows.execution(id=id, root_id=id)
    await store.commit(Batch(new_executions=[root]))
    assert await store.get_execution(id, ANYONE) == root
    assert [one.record for one in await store.load_executions([id, "other"])] == [root]
    await store.commit(Batch(deleted_executions=[id]))
    assert await store.load_executions([id]) == []


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 0])
async def test_whole_numbers_have_64_bits(store: Store, number: int) -> None:
    root = rows.execution(created_at=number, finished_at=number)
    await store.commit(Batch(new_executions=[root]))
    assert await store.get_execution(root.id, ANYONE) == root
    query = ListQuery(filters=(Filter("created_at", "eq", number),))
    assert await store.list_executions(query, ANYONE) == [root]


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30])
async def test_larger_numbers_are_refused(store: Store, number: int) -> None:
    root = rows.execution()
    task = rows.task(root)
    for batch in (
        Batch(new_executions=[replace(root, created_at=number)]),
        Batch(new_executions=[replace(root, finished_at=number), rows.execution(finished_at=None)]),
        Batch(new_executions=[root], new_tasks=[task], timers=[rows.timer(task, number)]),
    ):
        with pytest.raises(InvalidInput, match="number is too large"):
            await store.commit(batch)
    assert await store.list_executions(ListQuery(), ANYONE) == []
    with pytest.raises(InvalidInput, match="number is too large"):
        await store.list_executions(ListQuery(filters=(Filter("created_at", "gt", number),)), ANYONE)
    with pytest.raises(InvalidInput, match="number is too large"):
        await store.due_timers(number, (0, "", ""), 1)


@pytest.mark.parametrize("size", [4095, 4096, 300_000])
async def test_long_texts_and_missing_ones_are_kept_side_by_side(store: Store, size: int) -> None:
    long = "é" * size
    roots = [
        rows.execution(description=long, state_info=info, finished_at=at) for info, at in ((long, 1), (None, None))
    ]
    await store.commit(Batch(new_executions=roots))
    assert [await store.get_execution(root.id, ANYONE) for root in roots] == roots
