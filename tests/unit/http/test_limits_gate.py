"""The gate: short waits inside, long ones told; breakers in a file."""

import asyncio

import pytest

from ostro.http.limits import HostRule
from ostro.http.limits_gate import FileMemory, Gate, Limited

HOST = "a.example:80"


async def through(gate: Gate, ended: str = "good", patience: float = 1.0) -> None:
    async with gate.passing(HOST, "t", patience) as passing:
        passing.ended = ended


async def test_without_rules_everything_passes():
    gate = Gate()
    for _ in range(100):
        await through(gate, "bad")
    await gate.close()


async def test_a_short_wait_is_waited_and_a_long_one_is_told():
    gate = Gate([HostRule(pattern="*", rate=50)])
    await through(gate)
    await through(gate)  # 20 ms
    with pytest.raises(
        Limited, match=r"rate of requests to a\.example:80 is limited; the next try is possible in 0\.0"
    ) as told:
        await through(gate, patience=0.0)
    assert 0 < told.value.seconds < 0.05
    assert not told.value.is_broken
    assert gate.refused == {"limit": 1, "breaker": 0}


async def test_open_breakers_are_counted():
    gate = Gate([HostRule(pattern="*", failures=1)])
    assert gate.open_breakers == 0
    await through(gate, "bad")
    with pytest.raises(Limited):
        await through(gate)
    assert (gate.open_breakers, gate.refused["breaker"]) == (1, 1)


async def test_a_place_is_freed_whatever_happens_inside():
    gate = Gate([HostRule(pattern="*", in_flight=1)])
    with pytest.raises(RuntimeError):
        async with gate.passing(HOST):
            raise RuntimeError
    holding = asyncio.Event()

    async def hold() -> None:
        async with gate.passing(HOST):
            holding.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    await holding.wait()
    with pytest.raises(Limited, match="in flight"):
        await through(gate, patience=0.0)
    task.cancel()
    await asyncio.wait([task])
    await through(gate, patience=0.0)


async def test_a_place_is_taken_the_moment_it_is_free():
    now = 0.0
    gate = Gate([HostRule(pattern="*", in_flight=1)], now=lambda: now)
    async with gate.passing(HOST) as passing:
        passing.ended = "good"
        now = 5000.0  # a host that is known for long answers
    order = []
    held, release = asyncio.Event(), asyncio.Event()

    async def go(name: str) -> None:
        async with gate.passing(HOST, patience=1_000_000):
            order.append(name)
            held.set()
            await release.wait()

    tasks = [asyncio.create_task(go("a"))]
    await held.wait()
    tasks += [asyncio.create_task(go(name)) for name in "bcd"]
    await asyncio.sleep(0)
    tasks[1].cancel()
    release.set()
    await asyncio.wait(tasks)
    assert order == ["a", "c", "d"]


async def test_an_open_breaker_refuses_at_once_also_after_a_restart(tmp_path):
    rules = [HostRule(pattern="*", failures=2, open=60)]
    file = tmp_path / "data" / "breakers.json"
    gate = Gate(rules, FileMemory(file))
    await through(gate, "bad")
    await through(gate, "bad")
    with pytest.raises(Limited, match="circuit breaker") as told:
        await through(gate, patience=1000)
    assert told.value.is_broken
    await gate.close()
    again = Gate(rules, FileMemory(file))
    with pytest.raises(Limited, match="circuit breaker"):
        await through(again)


async def test_a_breaker_that_closed_is_not_kept(tmp_path):
    now = 0.0
    file = tmp_path / "breakers.json"
    gate = Gate([HostRule(pattern="*", failures=1, open=60)], FileMemory(file), now=lambda: now)
    await through(gate, "bad")
    now = 60.0
    await through(gate, "good")
    await gate.close()
    assert FileMemory(file).load() == {}


def test_the_file_tells_the_time_by_the_wall_clock(tmp_path):
    from ostro.http.limits import BreakerState

    clock = [1000.0]
    memory = FileMemory(tmp_path / "breakers.json", wall=lambda: clock[0])
    memory.save({HOST: BreakerState(left=20.0, length=30.0)})
    clock[0] = 1015.0
    assert memory.load() == {HOST: BreakerState(left=5.0, length=30.0)}
    clock[0] = 10.0
    assert memory.load() == {HOST: BreakerState(left=30.0, length=30.0)}, "a clock that was set back lengthens nothing"


@pytest.mark.parametrize("content", ["", "{", '[{"host": 1}]'])
def test_a_broken_file_means_that_all_are_closed(tmp_path, content):
    file = tmp_path / "breakers.json"
    file.write_text(content)
    assert FileMemory(file).load() == {}
