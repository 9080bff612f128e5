"""Looking for what was written: who asks while others are being answered shares the next read."""

import asyncio
from collections.abc import Sequence
from typing import Any

from ostro.engine.looks import Looks
from ostro.model.errors import StoreError


class SlowStore:
    """Answers a read only when it is told to."""

    def __init__(self, *ids: str) -> None:
        self._stored = set(ids)
        self.reads: list[list[str]] = []
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.fails = False

    async def look(self, ids: Sequence[str]) -> tuple[int, set[str]]:
        self.reads.append(sorted(ids))
        self.asked.set()
        await self.gate.wait()
        if self.fails:
            raise StoreError("The database is away.")
        return len(self.reads), self._stored & set(ids)


async def test_those_who_ask_while_the_store_is_read_share_the_next_read() -> None:
    store: Any = SlowStore("a", "c")
    versions: list[int] = []
    looks = Looks(store, versions.append)
    first = asyncio.create_task(looks.look("a"))
    await store.asked.wait()
    others = [asyncio.create_task(looks.look(id)) for id in ("b", "c", "d", "c")]
    await asyncio.sleep(0)
    store.gate.set()

    assert await first
    assert await asyncio.gather(*others) == [False, True, False, True]
    assert store.reads == [["a"], ["b", "c", "d"]]
    assert versions == [1, 2]


async def test_a_question_is_never_answered_by_an_older_read() -> None:
    store: Any = SlowStore("a")
    store.gate.set()
    versions: list[int] = []
    looks = Looks(store, versions.append)
    assert await looks.look("a")
    assert await looks.look("a")
    assert not await looks.look(None)
    assert store.reads == [["a"], ["a"], []]
    assert versions == [1, 2, 3]


async def test_a_read_that_fails_is_told_to_all_who_wait_and_forgotten() -> None:
    store: Any = SlowStore("a")
    store.gate.set()
    store.fails = True
    versions: list[int] = []
    looks = Looks(store, versions.append)
    answers = await asyncio.gather(looks.look("a"), looks.look("b"), return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreError, StoreError]

    store.fails = False
    assert await looks.look("a")
