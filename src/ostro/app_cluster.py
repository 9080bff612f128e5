"""The composition of installations on PostgreSQL: one process alone (with others standing by), or any number of
processes with any roles, joined by NATS."""

import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ostro
from ostro.app_core import Core, Services, closing, process_name
from ostro.app_duties import duty_settings, open_duties
from ostro.app_parts import egress_policy, engine_settings, executor_settings, installation_key, load_actions
from ostro.config import Settings

if TYPE_CHECKING:
    from ostro.adapters.nats.connection import Connection
    from ostro.adapters.nats.options import NatsOptions
    from ostro.adapters.nats.presence import Presence
    from ostro.engine import Owner
    from ostro.engine.live import LiveHub
    from ostro.engine.remote_duties import DutyHolder, SignalBus
    from ostro.executor import Executor
    from ostro.model.actions import ActionInfo
    from ostro.ports.clock import Clock
    from ostro.ports.engine import Engine
    from ostro.ports.secrets import Sealer
    from ostro.ports.store import Store
    from ostro.ports.triggers import Duties
    from ostro.ports.work import WorkQueue


@dataclass(frozen=True)
class Worker:
    """A process that only executes: it has no database. `is_connected`: whether NATS can be reached now."""

    settings: Settings
    executor: "Executor"
    actions: "dict[str, ActionInfo]"
    is_connected: Callable[[], bool]

    async def check(self) -> Mapping[str, Any]:
        """For health: {"ok": bool}."""
        return {"ok": self.is_connected()}

    async def counts(self) -> dict[str, dict[str, int]]:
        """Only the database knows what is unfinished."""
        return {}


@asynccontextmanager
async def open_worker(settings: Settings) -> AsyncIterator[Worker]:
    """An executor whose engines are elsewhere. Raises ConfigError, Unavailable."""
    from ostro.adapters.clock import SystemClock
    from ostro.adapters.nats.queue import NatsQueue
    from ostro.adapters.nats.remote import RemoteEngine

    clock = SystemClock()
    registry, actions = load_actions(settings)
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(_connection(settings))
        await stack.enter_async_context(_presence(settings, connection, clock))
        queue = NatsQueue(connection, targets=(settings.name, *settings.labels), shared=settings.shared)
        await stack.enter_async_context(queue)
        remote = RemoteEngine(
            connection, clock=clock, epoch_of=queue.epoch_of, project_of=queue.project_of, reports_only=True
        )
        engine = await stack.enter_async_context(remote)
        executor = await stack.enter_async_context(_executor(settings, queue, engine, registry, clock))
        yield Worker(settings, executor, actions, lambda: connection.is_connected)


@asynccontextmanager
async def open_cluster(settings: Settings) -> AsyncIterator[Core]:
    """What is below the API of a process with a database. Raises ConfigError, StoreError, Unavailable."""
    from ostro.adapters.clock import DatabaseClock
    from ostro.adapters.sql import open_store

    registry, actions = load_actions(settings)
    async with AsyncExitStack() as stack:
        store: Any = await open_store(settings.database, durability=settings.durability)
        await stack.enter_async_context(closing(store))
        clock = await stack.enter_async_context(DatabaseClock(store.clock_offset))
        parts = _Parts(settings, store, clock, actions, stack)
        await (parts.join() if settings.nats else parts.stay_alone())
        executor = None
        if "executor" in settings.roles:
            executor = _executor(settings, parts.queue, parts.engine, registry, clock)
            await stack.enter_async_context(executor)
        yield Core(
            settings, store, parts.engine, parts.owner, executor, parts.queue, registry, actions, clock,
            parts.services(), await parts.duties(), parts.duty_counters, parts.live,
        )  # fmt: skip


class _Parts:
    """Puts together what lies between the store and the API. Everything that has a life is entered into `stack`."""

    engine: "Engine"
    queue: Any  # a WorkQueue with a length
    live: "LiveHub | None" = None
    signals: "SignalBus"

    def __init__(
        self,
        settings: Settings,
        store: "Store",
        clock: "Clock",
        actions: "dict[str, ActionInfo]",
        stack: AsyncExitStack,
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._actions = actions
        self._stack = stack
        self._presence: Presence | None = None
        self._holder: DutyHolder | None = None
        self._duties: Any = None
        self.owner: Owner | None = None

    async def stay_alone(self) -> None:
        """The only process that works; others with the same database stand by."""
        from ostro.adapters.memory import MemoryQueue
        from ostro.engine.remote_duties import LocalSignals
        from ostro.engine.router import Patient

        self.signals = LocalSignals()
        self.queue = MemoryQueue(self._settings.name)
        self.owner = await self._open_owner()
        self.engine = Patient(self.owner, self._clock)
        await self._take_part(self.owner, [], is_alone=True)

    async def join(self) -> None:
        """One process of many."""
        from ostro.adapters.nats.queue import NatsQueue
        from ostro.adapters.nats.remote import RemoteEngine
        from ostro.adapters.nats.server import EngineServer
        from ostro.adapters.nats.signals import Signals
        from ostro.adapters.sql.postgres.quotas import PostgresQuotas
        from ostro.engine.router import Router

        settings, enter = self._settings, self._stack.enter_async_context
        is_engine = "engine" in settings.roles
        connection = await enter(_connection(settings))
        self._presence = await enter(_presence(settings, connection, self._clock))
        self.signals = Signals(connection)
        self.queue = NatsQueue(
            connection,
            epoch=(lambda: self._epoch) if is_engine else None,
            targets=(settings.name, *settings.labels) if "executor" in settings.roles else None,
            shared=settings.shared,
        )
        await enter(self.queue)
        sealer = _sealer(settings)
        origins = {"epoch_of": self.queue.epoch_of, "project_of": self.queue.project_of}
        remote = RemoteEngine(connection, clock=self._clock, sealer=sealer, **origins)
        await enter(remote)
        self.engine = remote
        await self._open_live(connection)
        if is_engine:
            self.owner = await self._open_owner()
            assert self.live is not None
            self.owner.tell_commits(self.live.committed)
            self.engine = Router(self.owner, remote)
            server = await enter(EngineServer(connection, self.owner, jobs=self.queue, sealer=sealer))
            await self._take_part(self.owner, [server], is_alone=False)
            quotas = PostgresQuotas(settings.database)
            self._stack.push_async_callback(quotas.close)
            await enter(self.owner.settling(quotas, self.signals))

    async def _open_live(self, connection: "Connection") -> None:
        """Live streams: engines tell, processes with an API hear."""
        from ostro.adapters.nats.live import NatsLive
        from ostro.engine.live import LiveHub

        roles = self._settings.roles
        elsewhere = NatsLive(connection, sends="engine" in roles, hears="api" in roles)
        self.live = LiveHub(self._clock, elsewhere)
        elsewhere.on_commit, elsewhere.on_lost = self.live.publish, self.live.lost
        await self._stack.enter_async_context(elsewhere)

    async def _open_owner(self) -> "Owner":
        from ostro.adapters.code import CodeQueue
        from ostro.adapters.telemetry import open_tracing
        from ostro.engine import Owner
        from ostro.engine.remote_duties import tell_outbox

        owner = Owner(
            store=self._store,
            queue=CodeQueue(self.queue, self._store),
            actions=self._actions,
            clock=self._clock,
            settings=engine_settings(self._settings),
            tracing=open_tracing(ostro.__version__),
            shards=(),
            has_others=bool(self._settings.nats),
        )
        owner.on_notifications = tell_outbox(self.signals)
        return await self._stack.enter_async_context(owner)

    async def _take_part(self, owner: "Owner", followers: list[Any], *, is_alone: bool) -> None:
        """Get a share of the shards. Followers hear of them before the duties do."""
        from ostro.adapters.sql.postgres.leases import PostgresLeases
        from ostro.engine.remote_duties import DutyHolder
        from ostro.engine.shares import Shares
        from ostro.ports.leases import EngineInfo

        settings = self._settings
        egress = egress_policy(settings)
        self._holder = DutyHolder(
            lambda: open_duties(settings, self._store, self.engine, self._clock, egress, owner=owner), self.signals
        )
        leases = PostgresLeases(settings.database)
        self._stack.push_async_callback(leases.close)
        me = EngineInfo(
            name=settings.name,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=ostro.__version__,
            roles=",".join(settings.roles),
        )
        self._shares = Shares(leases, owner, me, [*followers, self._holder], is_alone=is_alone)
        owner.on_fenced = self._shares.lost
        await self._stack.enter_async_context(self._shares)

    @property
    def _epoch(self) -> int:
        return self._shares.epoch

    async def duties(self) -> "Duties | None":
        """For the API."""
        if "api" not in self._settings.roles:
            return None
        from ostro.engine.remote_duties import RemoteDuties

        own = RemoteDuties(self._store, self._clock, duty_settings(self._settings), self.signals)
        self._duties = await self._stack.enter_async_context(own)
        return own

    def duty_counters(self) -> Mapping[str, float]:
        """Of the duties, if they are in this process, and of the events that its API has taken."""
        running = None if self._holder is None else self._holder.running
        found = {} if running is None else dict(running.counters)
        if self._duties is not None:
            for name, value in self._duties.counters.items():
                found[name] = found.get(name, 0) + value
        return found

    def services(self) -> Services:
        store, clock, presence, roles = self._store, self._clock, self._presence, self._settings.roles

        async def services() -> list[dict[str, str]]:
            found = {(f"{one.host}_{one.pid}", "engine") for one in await store.living_engines(clock.now())}
            if presence is None:
                found |= {(process_name(), role) for role in roles if role != "engine"}
            else:
                living = presence.living()
                found |= {(f"{one.host}_{one.pid}", role) for one in living for role in one.roles if role != "engine"}
            return [{"name": name, "type": f"{role}_group"} for name, role in found]

        return services


def nats_options(settings: Settings) -> "NatsOptions":
    from ostro.adapters.nats.options import NatsOptions

    return NatsOptions(
        servers=settings.nats,
        user=settings.nats_user,
        password_file=settings.nats_password_file,
        token_file=settings.nats_token_file,
        credentials_file=settings.nats_credentials,
        ca_file=settings.nats_ca_file,
        certificate_file=settings.nats_certificate_file,
        key_file=settings.nats_key_file,
        prefix=settings.nats_prefix,
        stream_mb=settings.nats_stream_mb,
        replicas=settings.nats_replicas,
    )


def _connection(settings: Settings) -> "Connection":
    from ostro.adapters.nats.connection import Connection
    from ostro.adapters.nats.permissions import main_role

    role = main_role(settings.roles)
    return Connection(nats_options(settings), role=role, name=settings.name if role == "executor" else process_name())


def _presence(settings: Settings, connection: "Connection", clock: "Clock") -> "Presence":
    from ostro.adapters.nats.presence import Living, Presence

    me = Living(
        roles=settings.roles,
        name=settings.name,
        host=socket.gethostname(),
        pid=os.getpid(),
        version=ostro.__version__,
        labels=settings.labels,
        limit=settings.action_concurrency if "executor" in settings.roles else 0,
        started_at=clock.now(),
    )
    return Presence(connection, me, listen="api" in settings.roles)


def _executor(settings: Settings, queue: "WorkQueue", engine: "Engine", registry: Any, clock: "Clock") -> "Executor":
    from ostro.adapters.vault import open_vault
    from ostro.executor import Executor

    return Executor(
        queue,
        engine,
        registry,
        name=settings.name,
        egress=egress_policy(settings),
        clock=clock,
        settings=executor_settings(settings),
        vault=open_vault(settings.secret_key_file, os.environ),
        # A container that starts again has the host name and process id of the one before.
        process=f"{process_name()}_{secrets.token_hex(4)}",
    )


def _sealer(settings: Settings) -> "Sealer":
    from ostro.adapters.vault.sessions import MESSAGES, SessionSealer

    return SessionSealer(installation_key(settings), MESSAGES)
