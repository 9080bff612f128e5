"""People at work while things break: starts executions and sends events through the API, each until it is answered.

Every request may be repeated: an execution has an id that its starter chose, or an Idempotency-Key; so does an event.
What was answered has been accepted, and the checker wants to see its end.
"""

import asyncio
import contextlib
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.faults.peer import Peer
from tests.faults.servers import PATIENCE
from tests.faults.workflows import TEXT, WEIGHTS

_AGAIN = {429, 502, 503, 504}


class Api:
    """Asks one of several API processes, again and again until one answers."""

    def __init__(self, urls: Callable[[], list[str]]) -> None:
        self._urls = urls
        self._turn = 0
        self._session: aiohttp.ClientSession | None = None
        self.repeats = 0
        self.unexpected: list[str] = []

    async def __aenter__(self) -> "Api":
        timeout = aiohttp.ClientTimeout(total=8)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()

    async def call(self, method: str, path: str, body: Any = None, *, key: str = "", patience: float = PATIENCE) -> Any:
        """The JSON of a good answer. Refusals of a moment and lost connections are asked again; what is left is a
        failure of the test."""
        assert self._session is not None
        headers = {"Idempotency-Key": key} if key else {}
        end = time.monotonic() + patience
        last = ""
        while time.monotonic() < end:
            urls = self._urls()
            self._turn += 1
            try:
                async with self._session.request(
                    method,
                    urls[self._turn % len(urls)] + path,
                    json=None if isinstance(body, str) else body,
                    data=body if isinstance(body, str) else None,
                    headers=headers | ({"Content-Type": "text/plain"} if isinstance(body, str) else {}),
                ) as answer:
                    if answer.status < 400:
                        return await answer.json() if answer.status != 204 else None
                    last = f"{method} {path}: {answer.status} {(await answer.text())[:300]}"
                    if answer.status not in _AGAIN:
                        self.unexpected.append(last)
                        raise AssertionError(last)
            except (aiohttp.ClientError, TimeoutError) as error:
                last = f"{method} {path}: {type(error).__name__} {error}"
            self.repeats += 1
            await asyncio.sleep(0.05)
        raise AssertionError(f"not answered within {patience:g} s; last: {last}")


@dataclass
class Workload:
    """`await load.prepare()`, then `load.post(n)` as often as one likes, then `await load.finish()`.

    `accepted`: execution id -> (kind, key).
    """

    api: Api
    peer: Peer
    seed: int
    weights: dict[str, int] = field(default_factory=lambda: dict(WEIGHTS))
    accepted: dict[str, tuple[str, str]] = field(default_factory=dict)
    events: dict[str, list[str]] = field(default_factory=dict)  # key of an event -> executions, as answered
    finished_at: dict[str, float] = field(default_factory=dict)  # monotonic
    ticks: int = 0  # how often the cron trigger must have fired
    _count: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    async def prepare(self) -> None:
        """Definitions and the trigger of events."""
        await self.api.call("POST", "/v2/workflows", TEXT)
        workflow = await self.api.call("GET", "/v2/workflows/triggered")
        trigger = {
            "name": "orders", "workflow_id": workflow["id"], "exchange": "shop", "topic": "orders", "event": "paid",
            "workflow_input": {"key": "<% $.payload.key %>", "peer": "none"},
        }  # fmt: skip
        await self.api.call("POST", "/v2/event_triggers", trigger)

    async def post(self, count: int, *, kind: str = "", width: int = 8) -> list[str]:
        """Start that many executions and every tenth time send an event; returns when all are accepted."""
        numbers = list(range(self._count, self._count + count))
        self._count += count
        drawn = [(n, kind or self._draw(), self.chance.random()) for n in numbers]
        ids: list[str] = []

        async def starter() -> None:
            while drawn:
                ids.append(await self._start(*drawn.pop(0)))

        await asyncio.gather(*(starter() for _ in range(width)))
        return ids

    def _draw(self) -> str:
        return self.chance.choices(list(self.weights), list(self.weights.values()))[0]

    async def _start(self, number: int, kind: str, luck: float) -> str:
        key = f"k{self.seed}-{number}"
        if luck < 0.1:
            await self._send_event(f"e{self.seed}-{number}")
        body: dict[str, Any] = {"workflow_name": kind, "input": {"key": key, "peer": self.peer.url}}
        if luck < 0.5:
            body["id"] = str(uuid.UUID(int=random.Random(f"{self.seed}/{number}").getrandbits(128), version=4))
        answer = await self.api.call("POST", "/v2/executions", body, key=key if luck >= 0.5 else "")
        self.accepted[answer["id"]] = (kind, key)
        return str(answer["id"])

    async def _send_event(self, key: str) -> None:
        answer = await self.api.call("POST", "/v2/events/shop/orders/paid", {"key": key}, key=key)
        self.events[key] = answer["executions"]
        for id in answer["executions"]:
            self.accepted[id] = ("triggered", key)

    async def keep_posting(self, stop: asyncio.Event, *, each: int = 4, pause: float = 0.05) -> None:
        """Start some again and again until told to stop."""
        while not stop.is_set():
            await self.post(each, width=each)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)

    async def start_ticking(self) -> float:
        """A cron trigger that fires every minute. Returns when it was made (seconds since the epoch)."""
        trigger = {"name": "tick", "workflow_name": "ticked", "pattern": "* * * * *"}
        await self.api.call("POST", "/v2/cron_triggers", trigger)
        return time.time()

    async def stop_ticking(self, since: float) -> None:
        """Delete it, not while it may just be firing; notes how often it must have fired."""
        await asyncio.sleep(max(0, 8 - time.time() % 60) or (68 - time.time() % 60) * (time.time() % 60 > 50))
        self.ticks = int(time.time() // 60) - int(since // 60)
        while sum(row["workflow_name"] == "ticked" for row in await self.roots()) < self.ticks:
            await asyncio.sleep(0.5)
            assert 4 < time.time() % 60 < 58, f"{self.ticks} ticks were due"
        await self.api.call("DELETE", "/v2/cron_triggers/tick")

    async def roots(self) -> list[dict[str, Any]]:
        found = await self.api.call("GET", "/v2/executions?fields=id,state,workflow_name&limit=20000")
        rows: list[dict[str, Any]] = found["executions"]
        return rows

    def unfinished(self) -> list[str]:
        return [id for id in self.accepted if id not in self.finished_at]

    async def look(self) -> int:
        """Find out what has finished; how many have not."""
        rows = await self.roots()
        now = time.monotonic()
        for row in rows:
            if row["state"] in ("SUCCESS", "ERROR", "CANCELLED") and row["id"] in self.accepted:
                self.finished_at.setdefault(row["id"], now)
        return len(self.unfinished())

    async def progress(self) -> float:
        """Seconds until eight new executions, so some of every engine, have been accepted and have finished."""
        began = time.monotonic()
        new = await self.post(8, kind="chain")
        while any(id not in self.finished_at for id in new):
            assert time.monotonic() < began + PATIENCE, f"nothing has finished for {PATIENCE:g} s"
            await asyncio.sleep(0.05)
            await self.look()
        return time.monotonic() - began

    async def finish(self, patience: float = 90) -> None:
        """Wait until all accepted executions have finished."""
        end = time.monotonic() + patience
        while await self.look():
            assert time.monotonic() < end, (
                f"still unfinished: {[(id, self.accepted[id]) for id in self.unfinished()][:20]}"
            )
            await asyncio.sleep(0.1)
