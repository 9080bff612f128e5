"""Requests of one project wait for each other, and never for those of another."""

import asyncio
from typing import Any

import httpx
import pytest

from ostro.api.settings import ApiSettings
from ostro.api.turns import Turns
from ostro.model.errors import TooMany
from tests.unit.api.fakes import FakeEngine, execution


async def entered(turns: Turns, project: str) -> "asyncio.Task[None]":
    task = asyncio.create_task(turns.enter(project))
    await asyncio.sleep(0)
    return task


async def test_alone_a_project_has_as_many_as_it_likes() -> None:
    turns = Turns(2)
    tasks = [await entered(turns, "a") for _ in range(50)]
    assert all(task.done() for task in tasks)
    assert turns.waiting == 0


@pytest.fixture
async def shared(monkeypatch: pytest.MonkeyPatch) -> Turns:
    """Two projects have sent something, one of them a lot; nothing of it is under way."""
    now = [100.0]
    monkeypatch.setattr("ostro.api.turns.monotonic", lambda: now[0])
    turns = Turns(2, most_waiting=20)
    for project in ("few", *["flood"] * 100):
        await turns.enter(project)
        turns.leave(project)
    now[0] += 0.1
    await turns.enter("few")
    turns.leave("few")
    now[0] += 0.01
    return turns


async def test_beside_another_it_has_a_few_and_the_rest_waits_in_order(shared: Turns) -> None:
    tasks = [await entered(shared, "flood") for _ in range(5)]
    assert [task.done() for task in tasks] == [True, True, False, False, False]
    assert shared.waiting == 3
    for done in range(3, 6):
        shared.leave("flood")
        await asyncio.sleep(0)
        assert [task.done() for task in tasks] == [True] * done + [False] * (5 - done)
    assert shared.waiting == 0


async def test_the_other_waits_for_nobody(shared: Turns) -> None:
    for _ in range(20):
        await entered(shared, "flood")
    others = [await entered(shared, "few") for _ in range(10)]
    assert all(task.done() for task in others)


async def test_one_that_goes_away_while_it_waits_takes_no_turn(shared: Turns) -> None:
    tasks = [await entered(shared, "flood") for _ in range(4)]
    tasks[2].cancel()
    await asyncio.sleep(0)
    shared.leave("flood")
    await asyncio.sleep(0)
    assert tasks[3].done()


async def test_one_that_goes_away_as_it_gets_its_turn_gives_it_on(shared: Turns) -> None:
    tasks = [await entered(shared, "flood") for _ in range(4)]
    shared.leave("flood")  # the third has its turn, and does not know it
    tasks[2].cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert tasks[3].done()


async def test_only_so_many_may_wait(shared: Turns) -> None:
    tasks = [await entered(shared, "flood") for _ in range(23)]
    with pytest.raises(TooMany, match="20 requests of this project are waiting already"):
        await tasks[22]
    assert (shared.waiting, shared.refused) == (20, 1)
    back = asyncio.create_task(shared.enter("flood", is_back=True))
    for _ in range(21):
        await asyncio.sleep(0)
        shared.leave("flood")
    await back
    assert shared.waiting == 0


async def test_when_the_other_has_been_quiet_for_long_all_may_go_on(
    shared: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = [await entered(shared, "flood") for _ in range(9)]
    monkeypatch.setattr("ostro.api.turns.monotonic", lambda: 1000.0)
    last = await entered(shared, "flood")
    shared.leave("flood")
    await asyncio.sleep(0)
    assert all(task.done() for task in [*tasks, last])


class OneAtATime(Turns):
    def _has_room(self, project: str) -> bool:
        return not self._active[project]


class TestRequests:
    @pytest.fixture
    def settings(self) -> ApiSettings:
        return ApiSettings(turns=OneAtATime())

    async def test_who_waits_for_an_execution_holds_nobody_up(
        self, client: httpx.AsyncClient, engine: FakeEngine, settings: ApiSettings
    ) -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def wait(*_: object, **__: object) -> Any:
            await ended.wait()
            return execution(state="SUCCESS")

        engine.replies = [(execution(), True)]
        engine.on_submit = begun.set
        engine.wait_finished = wait  # type: ignore[method-assign]
        waiting = asyncio.create_task(
            client.post("/v2/executions", json={"workflow_name": "w"}, headers={"Prefer": "wait=10"})
        )
        await begun.wait()
        async with asyncio.timeout(5):
            assert (await client.get("/v2/executions/another")).status_code == 404
        ended.set()
        assert (await waiting).json()["state"] == "SUCCESS"
        assert settings.turns.waiting == 0

    async def test_whatever_a_request_ends_with_the_next_has_its_turn(self, client: httpx.AsyncClient) -> None:
        async with asyncio.timeout(5):
            for _ in range(3):
                assert (await client.post("/v2/executions", json={"colour": "red"})).status_code == 400
            assert (await client.get("/v2/executions")).status_code == 200
