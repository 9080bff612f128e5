"""What every kind of installation has in common, and the smallest: one process, SQLite, nothing to talk to."""

import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sized
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ostro
from ostro.app_duties import open_duties
from ostro.app_parts import egress_policy, engine_settings, executor_settings, load_actions, make_folder
from ostro.config import Settings
from ostro.model.errors import OstroError

if TYPE_CHECKING:
    from ostro.engine import Owner
    from ostro.engine.live import LiveHub
    from ostro.executor import Executor
    from ostro.executor.registry import Registry
    from ostro.model.actions import ActionInfo
    from ostro.ports.clock import Clock
    from ostro.ports.engine import Engine
    from ostro.ports.store import Store
    from ostro.ports.triggers import Duties

Services = Callable[[], Awaitable[list[dict[str, str]]]]


@dataclass(frozen=True)
class Core:
    """What is below the API. `engine` reaches all executions; `owner` and `executor` are this process's own, if it has
    these roles. `queue`: as long as actions wait. `services`: the living processes. `duties`: None until `open_duties`
    gives them."""

    settings: Settings
    store: "Store"
    engine: "Engine"
    owner: "Owner | None"
    executor: "Executor | None"
    queue: Sized
    registry: "Registry"
    actions: "dict[str, ActionInfo]"
    clock: "Clock"
    services: Services
    duties: "Duties | None" = None
    duty_counters: Callable[[], Mapping[str, float]] = field(default=dict)
    live: "LiveHub | None" = None  # if other processes take part in it

    async def check(self) -> Mapping[str, Any]:
        """For health: {"ok": bool, ...}."""
        try:
            return await self.store.check()
        except OstroError as error:
            return {"ok": False, "error": error.code}

    async def counts(self) -> dict[str, dict[str, int]]:
        """Unfinished things, by kind and state."""
        return await self.store.counts()


@asynccontextmanager
async def closing(store: "Store") -> AsyncIterator["Store"]:
    """Close the store when it is not needed any more."""
    try:
        yield store
    finally:
        await store.close()


def process_name() -> str:
    """What tells this process from all others that run now."""
    return f"{socket.gethostname()}_{os.getpid()}"


@asynccontextmanager
async def open_core(settings: Settings) -> AsyncIterator[Core]:
    """Store, engine and executor of one process. Recovers what was unfinished. Raises ConfigError, StoreError."""
    from ostro.adapters.clock import SystemClock
    from ostro.adapters.code import CodeQueue
    from ostro.adapters.memory import MemoryQueue
    from ostro.adapters.sql import open_store
    from ostro.adapters.telemetry import open_tracing
    from ostro.adapters.vault import open_vault
    from ostro.engine import Owner
    from ostro.executor import Executor

    egress = egress_policy(settings)
    registry, actions = load_actions(settings)
    clock = SystemClock()
    queue = MemoryQueue(settings.name)
    make_folder(settings)
    async with (
        closing(await open_store(settings.database, durability=settings.durability)) as store,
        Owner(
            store=store,
            queue=CodeQueue(queue, store),
            actions=actions,
            clock=clock,
            settings=engine_settings(settings),
            tracing=open_tracing(ostro.__version__),
        ) as owner,
        Executor(
            queue,
            owner,
            registry,
            name=settings.name,
            egress=egress,
            clock=clock,
            settings=executor_settings(settings),
            vault=open_vault(settings.secret_key_file, os.environ),
        ) as executor,
    ):
        yield Core(settings, store, owner, owner, executor, queue, registry, actions, clock, _all_roles)


async def _all_roles() -> list[dict[str, str]]:
    """This process plays all parts."""
    return [{"name": process_name(), "type": f"{part}_group"} for part in ("api", "engine", "executor")]


@asynccontextmanager
async def open_local(settings: Settings) -> AsyncIterator[Core]:
    """As `open_core`, with the duties."""
    from dataclasses import replace

    async with open_core(settings) as core:
        assert core.owner is not None
        egress = egress_policy(settings)
        async with open_duties(settings, core.store, core.engine, core.clock, egress, owner=core.owner) as duties:
            yield replace(core, duties=duties, duty_counters=lambda: duties.counters)
