"""What can go wrong, as a table: each breaks something of a running cell, waits, and repairs it."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from tests.faults.cell import Cell

Fault = Callable[[Cell, random.Random], Awaitable[str]]


async def kill(cell: Cell, chance: random.Random) -> str:
    """kill -9 of one to all processes, at once; then they are started again."""
    names = chance.sample(list(cell.parts), chance.randint(1, len(cell.parts)))
    for name in names:
        cell.parts[name].kill()
    await asyncio.sleep(chance.choice((0, 0, 0.5, 2)))
    for name in names:
        cell.parts[name].begin()
    for name in names:
        await asyncio.to_thread(cell.parts[name].await_ready)
    return f"killed {' '.join(sorted(names))}"


async def stop(cell: Cell, chance: random.Random) -> str:
    """SIGTERM and a new start, as in a rolling restart."""
    name = chance.choice(list(cell.parts))
    status = await asyncio.to_thread(cell.parts[name].stop)
    assert status == 0, f"{name} ended with {status}:\n{cell.parts[name].said()[-2000:]}"
    await asyncio.to_thread(cell.parts[name].start)
    return f"restarted {name}"


async def pause(cell: Cell, chance: random.Random) -> str:
    """SIGSTOP for longer than leases last, then SIGCONT."""
    part = chance.choice(list(cell.parts.values()))
    seconds = chance.uniform(1, 9)
    part.pause()
    await asyncio.sleep(seconds)
    part.go_on()
    return f"paused {part.name} for {seconds:.0f} s"


async def restart_nats(cell: Cell, chance: random.Random) -> str:
    assert cell.nats is not None
    is_emptied = chance.random() < 0.5
    cell.nats.kill()
    if is_emptied:
        cell.nats.empty()
    await asyncio.sleep(chance.uniform(0, 3))
    await asyncio.to_thread(cell.nats.start)
    return "restarted NATS" + (", empty" if is_emptied else "")


async def restart_postgres(cell: Cell, chance: random.Random) -> str:
    is_crash = chance.random() < 0.7
    await asyncio.to_thread(cell.postgres.kill if is_crash else cell.postgres.stop)
    await asyncio.sleep(chance.uniform(0, 3))
    await asyncio.to_thread(cell.postgres.start)
    return "crashed PostgreSQL" if is_crash else "restarted PostgreSQL"


async def fail_over(cell: Cell, _: random.Random) -> str:
    await asyncio.to_thread(cell.add_standby)
    await asyncio.sleep(1)
    await asyncio.to_thread(cell.fail_over)
    return "failed over to a standby"


async def end_sessions(cell: Cell, _: random.Random) -> str:
    await asyncio.to_thread(
        cell.postgres.query,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'ostro' AND pid <> pg_backend_pid()",
    )
    return "ended all sessions"


async def break_cable(cell: Cell, chance: random.Random) -> str:
    kind = chance.choice(("database", "bus"))
    name = chance.choice(list(getattr(cell, kind)))
    cable = getattr(cell, kind)[name]
    how = chance.choice(("cut", "blackhole", "deafen"))
    seconds = chance.uniform(0.2, 8)
    getattr(cable, how)()
    await asyncio.sleep(seconds)
    cable.mend()
    return f"{how} of the {kind} of {name} for {seconds:.1f} s"


async def slow_down(cell: Cell, chance: random.Random) -> str:
    cables = [*cell.database.values(), *cell.bus.values()]
    for cable in cables:
        cable.slow(chance.uniform(0, 0.05))
    await asyncio.sleep(2)
    for cable in cables:
        cable.slow(0)
    return "slowed all cables down"


# How often each is drawn.
FAULTS: dict[Fault, int] = {
    kill: 30,
    stop: 2,
    pause: 1,
    restart_nats: 2,
    restart_postgres: 2,
    fail_over: 1,
    end_sessions: 1,
    break_cable: 3,
    slow_down: 1,
}


def draw(chance: random.Random) -> Fault:
    return chance.choices(list(FAULTS), list(FAULTS.values()))[0]
