"""The answer that goes on and on: when it ends, and that nothing of it is left behind."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from msgspec import Raw

from ostro.api.call import Call, Services
from ostro.api.ext import stream
from ostro.api.ext.stream import StreamAnswer
from ostro.api.policy import Policy
from ostro.api.settings import ApiSettings
from ostro.model.commands import Caller
from ostro.model.errors import Unauthenticated
from ostro.ports.live import LiveEvent, LiveLost
from tests.unit.api.fakes import AT, FakeEngine, FakeStore

CALLER = Caller(project_id="shop")


class Feed:
    """Hands out what it is given, then waits for ever."""

    is_resumed = False

    def __init__(self, *news: list[tuple[int, LiveEvent]] | str) -> None:
        self.news = list(news)
        self.is_closed = False

    @property
    def position(self) -> Mapping[str, int]:
        return {"one": 5}

    async def next(self, seconds: float) -> list[tuple[int, LiveEvent]]:
        if not self.news:
            await asyncio.Event().wait()
        found = self.news.pop(0)
        if isinstance(found, str):
            raise LiveLost(found)
        return found

    def close(self) -> None:
        self.is_closed = True


class Identity:
    """Knows the token for so many questions."""

    def __init__(self, times: int) -> None:
        self.times = times

    async def authenticate(self, token: str) -> Caller:
        self.times -= 1
        if self.times < 0:
            raise Unauthenticated("gone")
        return CALLER

    async def close(self) -> None: ...


def event(id: str) -> LiveEvent:
    data = Raw(f'{{"id":"{id}"}}'.encode())
    return LiveEvent(kind="execution", id=id, root_id=id, project_id="shop", is_public=True, data=data)


class Client:
    """What an ASGI server gives: takes parts until it is told to go, or not to take any more."""

    def __init__(self, feed: Feed, identity: Any = None, *, wanted: bool = False) -> None:
        self.parts: list[bytes] = []
        self.gone = asyncio.Event()
        self.is_stuck = False
        self.took: Callable[[], None] = lambda: None
        store: Any = FakeStore()
        services = Services(
            FakeEngine(), store, {}, ApiSettings(now=lambda: AT), Policy(authenticated=True), identity=identity
        )
        scope = {"method": "GET", "headers": [(b"x-auth-token", b"t")]}
        self.answer = StreamAnswer(Call(scope, self._receive, {}, services, "stream:get", CALLER), feed, wanted=wanted)

    async def _receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if self.is_stuck:
            await asyncio.Event().wait()
        self.parts.append(message.get("body", b""))
        self.took()

    async def read(self, *, head: bool = False) -> str:
        async with asyncio.timeout(30):
            await self.answer.send(self._send, head=head)
        return b"".join(self.parts).decode()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_PAUSE_SECONDS", 0)


async def test_events_are_told_with_the_position_at_the_end_of_a_batch() -> None:
    feed = Feed([(4, event("a")), (5, event("b"))], [], "stopping")
    text = await Client(feed).read()
    assert text.startswith("retry: 1000\n\nevent: hello\nid: one:5\ndata: {")
    batch = (
        'event: execution\ndata: {"seq":4,"id":"a"}\n\nevent: execution\nid: one:5\ndata: {"seq":5,"id":"b"}\n\n'
        ': beat\n\nevent: reload\ndata: {"reason":"stopping"}\n\n'
    )
    assert text.endswith(batch)
    assert feed.is_closed


async def test_who_wanted_to_go_on_and_cannot_is_told_before_all_else() -> None:
    text = await Client(Feed("slow"), wanted=True).read()
    assert text.index('event: reload\ndata: {"reason":"gap"}') < text.index("event: hello")


async def test_it_ends_when_the_client_has_gone() -> None:
    feed = Feed()
    client = Client(feed)
    client.took = client.gone.set
    await client.read()
    assert feed.is_closed


async def test_it_ends_when_the_client_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_SEND_SECONDS", 0.01)
    feed = Feed([(1, event("a"))])
    client = Client(feed)

    def stuck() -> None:
        client.is_stuck = len(client.parts) > 1

    client.took = stuck
    await client.read()
    assert feed.is_closed


@pytest.mark.parametrize(("times", "batches"), [(0, 1), (2, 3)])
async def test_it_ends_with_its_token(monkeypatch: pytest.MonkeyPatch, times: int, batches: int) -> None:
    monkeypatch.setattr(stream, "_CHECK_SECONDS", -1)
    feed = Feed(*([(n, event(str(n)))] for n in range(10)))
    text = await Client(feed, Identity(times)).read()
    assert text.count("event: execution") == batches
    assert feed.is_closed


async def test_to_head_it_answers_without_events() -> None:
    feed = Feed()
    assert await Client(feed).read(head=True) == ""
    assert feed.is_closed


async def test_nothing_is_left_running_behind_it() -> None:
    before = asyncio.all_tasks()
    client = Client(Feed())
    client.took = client.gone.set
    await client.read()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
