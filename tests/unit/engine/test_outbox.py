"""Notifications are delivered over HTTP to a real receiver, over failures and restarts."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from ostro.adapters.clock import SystemClock
from ostro.adapters.sql import open_store
from ostro.engine.outbox import Outbox
from ostro.engine.outbox_publishers import Publishers
from ostro.http.egress import EgressPolicy
from ostro.model.commands import StartExecution
from ostro.model.records import Batch
from ostro.model.triggers import OutboxRecord
from ostro.testing import rows
from tests.unit.engine.conftest import Engine
from tests.unit.engine.waiting import until, until_not


class Receiver:
    """An HTTP server that remembers; `answers[path]` are its next statuses, then 200."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.answers: dict[str, list[int]] = defaultdict(list)
        self.came = asyncio.Event()
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append((request.path, dict(request.headers), await request.json()))
        self.came.set()
        left = self.answers[request.path]
        return web.Response(status=left.pop(0) if left else 200)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.requests) < count:
                self.came.clear()
                await self.came.wait()


async def served(receiver: Receiver, port: int) -> web.AppRunner:
    app = web.Application()
    app.router.add_post("/{name}", receiver.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    runner = await served(found, 0)
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Any]:
    async with await open_store(f"sqlite:///{tmp_path}/o.db") as opened:
        yield opened


@asynccontextmanager
async def outbox(store: Any, retry_for: float = 900.0, *, allow: bool = True) -> AsyncIterator[Outbox]:
    async with Outbox(store, Publishers(EgressPolicy(allow_loopback=allow)), SystemClock(), retry_for) as running:
        yield running


async def stored(
    store: Any, publisher: str, *bodies: str, root: str = "r", created_at: int | None = None
) -> list[OutboxRecord]:
    now = SystemClock().now() if created_at is None else created_at
    destination = json.loads(publisher).get("url", "x")
    told = [
        OutboxRecord(
            id=rows.new_id(), destination=destination, root_id=root, created_at=now, publisher=publisher, body=b
        )
        for b in bodies
    ]
    await store.commit(Batch(outbox=told))
    return told


async def until_empty(store: Any) -> None:
    await until_not(lambda: store.pending_notifications("", 1))


def hook(url: str, **more: Any) -> str:
    return json.dumps({"type": "webhook", "url": url, **more})


async def test_a_webhook_gets_the_body_and_the_asked_headers(store: Any, receiver: Receiver) -> None:
    (told,) = await stored(store, hook(f"{receiver.url}/a", headers={"X-Key": "k"}), '{"event":"E"}')
    async with outbox(store) as running:
        running.take([told])
        await until_empty(store)
        assert running.counters == {"sent": 1, "retries": 0, "dropped": 0}
    ((path, headers, body),) = receiver.requests
    assert (path, headers["X-Key"], headers["Content-Type"], body) == ("/a", "k", "application/json", {"event": "E"})
    assert headers["Ostro-Notification-Id"] == told.id


async def test_notifications_of_one_execution_come_in_order(store: Any, receiver: Receiver) -> None:
    receiver.answers["/a"] = [503, 200, 500]
    await stored(store, hook(f"{receiver.url}/a"), *(f'{{"n":{n}}}' for n in range(6)))
    async with outbox(store) as running:
        await until_empty(store)
        assert running.counters == {"sent": 6, "retries": 2, "dropped": 0}
    accepted = [body["n"] for _, _, body in receiver.requests]
    assert accepted == [0, 0, 1, 1, 2, 3, 4, 5]


async def test_what_a_former_process_left_is_delivered_at_the_start(store: Any, receiver: Receiver) -> None:
    await stored(store, hook(f"{receiver.url}/a"), '{"n":1}', '{"n":2}')
    async with outbox(store):
        await receiver.until(2)
        await until_empty(store)


async def test_a_receiver_that_restarts_gets_what_it_missed(store: Any) -> None:
    """On the same port: connections that were kept open lead nowhere any more."""
    found = Receiver()
    runner = await served(found, 0)
    port = runner.addresses[0][1]
    await stored(store, hook(f"http://127.0.0.1:{port}/a"), '{"n":1}')
    async with outbox(store) as running:
        await found.until(1)
        await until_empty(store)
        await runner.cleanup()
        running.take(await stored(store, hook(f"http://127.0.0.1:{port}/a"), '{"n":2}', '{"n":3}'))

        async def has_failed() -> bool:
            return running.counters["retries"] > 0

        await until(has_failed)
        runner = await served(found, port)
        await until_empty(store)
    await runner.cleanup()
    assert [body["n"] for _, _, body in found.requests] == [1, 2, 3]


async def test_a_dead_receiver_holds_up_nobody_else_and_is_given_up(store: Any, receiver: Receiver) -> None:
    receiver.answers["/dead"] = [500] * 100
    old = SystemClock().now() - 10_000_000
    dead = await stored(store, hook(f"{receiver.url}/dead"), *(f'{{"n":{n}}}' for n in range(50)), created_at=old)
    live = await stored(store, hook(f"{receiver.url}/live"), '{"n":1}')
    async with outbox(store, retry_for=5.0) as running:
        running.take([*dead, *live])
        await until_empty(store)
        assert running.counters["sent"] == 1
        assert running.counters["dropped"] == 50
    tries = [path for path, *_ in receiver.requests]
    assert tries.count("/dead") == 1  # one try shows that it is down; the rest were too old to wait for it
    assert tries.count("/live") == 1


async def test_what_waits_for_one_receiver_is_bounded(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ostro.engine.outbox._MOST_IN_LANE", 3)
    told = await stored(store, hook("http://127.0.0.1:1/"), *(f'{{"n":{n}}}' for n in range(10)))
    async with outbox(store) as running:
        running.take(told)
        assert running.counters["dropped"] == 7

        async def is_cut() -> bool:
            return len(await store.pending_notifications("", 100)) == 3

        await until(is_cut)
        left = [record.id for record in await store.pending_notifications("", 100)]
    assert left == [told[0].id, told[8].id, told[9].id]  # the first is on its way, the newest stay


async def test_what_is_delivered_while_the_store_is_read_is_not_sent_again(
    store: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = await stored(store, hook(f"{receiver.url}/a"), "{}")
    read = store.pending_notifications
    was_read, may_return, has_returned = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slowly(after: str, limit: int) -> Any:
        page = await read(after, limit)
        was_read.set()
        await may_return.wait()
        has_returned.set()
        return page

    monkeypatch.setattr(store, "pending_notifications", slowly)
    async with outbox(store) as running:
        await was_read.wait()
        running.take(told)

        async def is_over() -> bool:
            return not running.pending

        await until(is_over)
        may_return.set()
        await has_returned.wait()
        await asyncio.sleep(0.01)
        assert not running.pending
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("publisher", "allow"),
    [
        ('{"type": "unknown"}', True),
        ('{"type": "webhook"}', True),
        ('{"type": "webhook", "url": "ftp://x/"}', True),
        ('{"type": "webhook", "url": "http://127.0.0.1:1/"}', False),
        ('{"type": "webhook", "url": "http://127.0.0.1:1/", "headers": {"a": "b\\r\\nc: d"}}', True),
    ],
)
async def test_what_can_never_be_delivered_is_dropped_at_once(store: Any, publisher: str, allow: bool) -> None:
    await stored(store, publisher, "{}")
    async with outbox(store, allow=allow) as running:
        await until_empty(store)
        assert running.counters == {"sent": 0, "retries": 0, "dropped": 1}


async def test_a_refusal_is_not_repeated(store: Any, receiver: Receiver) -> None:
    receiver.answers["/a"] = [404]
    await stored(store, hook(f"{receiver.url}/a"), "{}")
    async with outbox(store) as running:
        await until_empty(store)
        assert running.counters == {"sent": 0, "retries": 0, "dropped": 1}


async def test_an_execution_of_the_engine_tells_its_receiver(engine: Engine, receiver: Receiver) -> None:
    await engine.upload("version: '2.0'\nw: {tasks: {t: {action: std.noop}}}")
    async with outbox(engine.store) as running:
        engine.owner.on_notifications = running.take
        notify = [{"type": "webhook", "url": f"{receiver.url}/a", "event_types": ["WORKFLOW_SUCCEEDED"]}]
        id = engine.owner.new_id()
        await engine.owner.submit(StartExecution(root_id=id, workflow="w", params={"notify": notify}))
        await receiver.until(1)
        await until_empty(engine.store)
    ((_, _, body),) = receiver.requests
    assert (body["event"], body["id"], body["state"]) == ("WORKFLOW_SUCCEEDED", id, "SUCCESS")
