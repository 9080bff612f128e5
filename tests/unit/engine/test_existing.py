"""Looking for executions by id: who asks while others are being answered shares the next read."""

import asyncio
from collections.abc import Sequence
from typing import Any

from ostro.engine.existing import Existing
from ostro.model.errors import StoreError
from ostro.model.records import StoredExecution
from ostro.testing.rows import execution


class SlowStore:
    """Answers a read only when it is told to."""

    def __init__(self, *ids: str) -> None:
        self._stored = set(ids)
        self.reads: list[list[str]] = []
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.fails = False

    async def load_executions(self, ids: Sequence[str]) -> list[StoredExecution]:
        self.reads.append(sorted(ids))
        self.asked.set()
        await self.gate.wait()
        if self.fails:
            raise StoreError("The database is away.")
        return [StoredExecution(execution(id=id), [], [], [], [], [], 0) for id in ids if id in self._stored]


async def test_those_who_ask_while_the_store_is_read_share_the_next_read() -> None:
    store: Any = SlowStore("a", "c")
    existing = Existing(store)
    first = asyncio.create_task(existing.has("a"))
    await store.asked.wait()
    others = [asyncio.create_task(existing.has(id)) for id in ("b", "c", "d", "c")]
    await asyncio.sleep(0)
    store.gate.set()

    assert await first
    assert await asyncio.gather(*others) == [False, True, False, True]
    assert store.reads == [["a"], ["b", "c", "d"]]


async def test_a_question_is_never_answered_by_an_older_read() -> None:
    store: Any = SlowStore("a")
    store.gate.set()
    existing = Existing(store)
    assert await existing.has("a")
    assert await existing.has("a")
    assert len(store.reads) == 2


async def test_a_read_that_fails_is_told_to_all_who_wait_and_forgotten() -> None:
    store: Any = SlowStore("a")
    store.gate.set()
    store.fails = True
    existing = Existing(store)
    answers = await asyncio.gather(existing.has("a"), existing.has("b"), return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreError, StoreError]

    store.fails = False
    assert await existing.has("a")
