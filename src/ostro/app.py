"""The composition root: the only place that knows every part and puts them together.

Guarantees that parts end in the reverse order of their start: requests first, then actions, then the engine, then
the store. Heavy parts are imported here and late, so that commands which need none of them start quickly.
"""

import ipaddress
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ostro
from ostro.app_duties import open_duties, read_event_secret, read_publishers
from ostro.app_ext import open_extensions
from ostro.config import ConfigError, Settings, database_folder, key_file

if TYPE_CHECKING:
    from ostro.adapters.clock import SystemClock
    from ostro.adapters.memory import MemoryQueue
    from ostro.adapters.telemetry import Metrics
    from ostro.api.policy import Policy
    from ostro.api.traffic import Traffic
    from ostro.engine import Owner
    from ostro.engine.duties import RunningDuties
    from ostro.executor import Executor
    from ostro.executor.registry import Registry
    from ostro.model.actions import ActionInfo
    from ostro.ports.identity import Authenticator
    from ostro.ports.store import Store

_LOCAL_EXECUTOR = "local"


@dataclass(frozen=True)
class Core:
    """A running engine with its executor, without an API."""

    settings: Settings
    store: "Store"
    engine: "Owner"
    executor: "Executor"
    queue: "MemoryQueue"
    registry: "Registry"
    actions: "dict[str, ActionInfo]"
    clock: "SystemClock"


@asynccontextmanager
async def closing(store: "Store") -> AsyncIterator["Store"]:
    """Close the store when it is not needed any more."""
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def open_core(settings: Settings) -> AsyncIterator[Core]:
    """Store, engine and executor of one process. Recovers what was unfinished. Raises ConfigError, StoreError."""
    from ostro.adapters.clock import SystemClock
    from ostro.adapters.code import CodeQueue
    from ostro.adapters.memory import MemoryQueue
    from ostro.adapters.sql import open_store
    from ostro.adapters.telemetry import open_tracing
    from ostro.adapters.vault import open_vault
    from ostro.core.actions import BUILTINS
    from ostro.engine import Owner
    from ostro.executor import Executor
    from ostro.executor.registry import is_listed, load_registry

    egress = _egress(settings)
    registry = load_registry(
        plugins=settings.plugins,
        allow=settings.action_allowlist,
        deny=settings.action_denylist,
        code=settings.code_sources,
    )
    listed = {
        name: info
        for name, info in BUILTINS.items()
        if is_listed(name, settings.action_allowlist, settings.action_denylist)
    }
    actions = {**registry.infos, **listed}
    clock = SystemClock()
    queue = MemoryQueue(_LOCAL_EXECUTOR)
    make_folder(settings)
    async with (
        closing(await open_store(settings.database, durability=settings.durability)) as store,
        Owner(
            store=store,
            queue=CodeQueue(queue, store),
            actions=actions,
            clock=clock,
            settings=_engine_settings(settings),
            tracing=open_tracing(ostro.__version__),
        ) as engine,
        Executor(
            queue,
            engine,
            registry,
            name=_LOCAL_EXECUTOR,
            egress=egress,
            clock=clock,
            settings=_executor_settings(settings),
            vault=open_vault(settings.secret_key_file, os.environ),
        ) as executor,
    ):
        yield Core(settings, store, engine, executor, queue, registry, actions, clock)


@asynccontextmanager
async def open_identity(core: Core) -> "AsyncIterator[Authenticator | None]":
    """How callers prove who they are; None: they need not. Raises ConfigError."""
    settings = core.settings
    if settings.auth == "none":
        yield None
        return
    identity: Authenticator
    if settings.auth == "token":
        from ostro.adapters.identity.tokens import TokenAuthenticator

        identity = TokenAuthenticator(core.store, core.clock)
    elif settings.auth == "oidc":
        from ostro.adapters.identity.oidc import OidcAuthenticator, OidcSettings

        identity = OidcAuthenticator(
            OidcSettings(
                issuer=_needed(settings, "oidc_issuer"),
                audience=settings.oidc_audience,
                project_claim=settings.oidc_project_claim,
                roles_claim=settings.oidc_roles_claim,
                cafile=settings.auth_cafile,
            ),
            core.clock,
        )
    else:
        from ostro.adapters.identity.keystone import KeystoneAuthenticator

        identity = KeystoneAuthenticator(_needed(settings, "keystone_url"), core.clock, cafile=settings.auth_cafile)
    try:
        yield identity
    finally:
        await identity.close()


def _needed(settings: Settings, name: str) -> str:
    value = str(getattr(settings, name))
    if not value:
        raise ConfigError(f"--auth {settings.auth} needs --{name.replace('_', '-')}.")
    return value


def _policy(settings: Settings) -> "Policy":
    from ostro.api.policy import Policy, read_policy

    authenticated = settings.auth != "none"
    if not settings.policy_file:
        return Policy(authenticated=authenticated)
    try:
        return read_policy(Path(settings.policy_file).read_text("utf-8"), authenticated=authenticated)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"--policy-file {settings.policy_file} cannot be read: {error}") from error


def create_api(core: Core, identity: "Authenticator | None" = None, duties: "RunningDuties | None" = None) -> Any:
    """The ASGI application of a running core."""
    from ostro.api import create_app
    from ostro.api.page import BUILT as PAGE
    from ostro.api.settings import ApiSettings
    from ostro.api.traffic import Traffic
    from ostro.ports.code import ACTION as CODE_ACTION

    settings = core.settings
    traffic = Traffic()
    return create_app(
        extensions=open_extensions(core, identity),
        engine=core.engine,
        store=core.store,
        actions={name: info for name, info in core.actions.items() if name != CODE_ACTION},
        identity=identity,
        policy=_policy(settings),
        triggers=core.store,
        automations=core.store,
        duties=duties,
        settings=ApiSettings(
            event_secret=read_event_secret(settings),
            public_hosts=settings.public_hosts,
            allowed_origins=settings.allowed_origins,
            # A page that reaches the server by a foreign name cannot act for anybody who has to show a token.
            insecure=settings.insecure or identity is not None,
            code_sources=settings.code_sources,
            audit=settings.audit == "on" or (settings.audit == "auto" and identity is not None),
            max_limit=settings.max_limit,
            max_body_bytes=settings.max_body_mb << 20,
            max_wait_seconds=settings.max_wait,
            allow_action_execution_deletion=settings.allow_action_execution_deletion,
            info_file=settings.info_file or None,
            page=PAGE,
            validation_mode=settings.validation_mode,
            services=_services,
            metrics=_metrics(core, traffic, duties).render,
            traffic=traffic,
            now=core.clock.now,
            system_apis=system_apis(settings),
            max_step_concurrency=settings.automation_concurrency,
            max_automation_bytes=settings.automation_max_body_mb << 20,
            version=ostro.__version__,
        ),
    )


def _services() -> list[dict[str, str]]:
    """This process plays all parts."""
    name = f"{socket.gethostname()}_{os.getpid()}"
    return [{"name": name, "type": f"{part}_group"} for part in ("api", "engine", "executor")]


def _metrics(core: Core, traffic: "Traffic", duties: "RunningDuties | None") -> "Metrics":
    from ostro.adapters.telemetry import Metrics, Reading
    from ostro.expr.budget import Refusals

    engine, executor = core.engine, core.executor

    def read() -> dict[str, Reading]:
        tally = engine.tally
        return {
            "started": {(kind,): count for kind, count in tally.started.items()},
            "ended": tally.ended,
            "commit_seconds": tally.commit_seconds,
            "commit_trees": tally.commit_trees,
            "commit_rows": tally.commit_rows,
            "commit_retries": engine.counters["retries"],
            "steps": engine.counters["steps"],
            "timer_lag_seconds": tally.timer_lag,
            "timers_ahead": engine.timers_ahead,
            "resident_executions": engine.resident_trees,
            "ready_executions": engine.ready_trees,
            "open_commands": engine.door.open,
            "refused_commands": engine.door.refused,
            "queued_actions": len(core.queue),
            "running_actions": executor.running,
            "put_off_requests": executor.refused_requests,
            "open_breakers": executor.open_breakers,
            "expression_refusals": Refusals.total,
            "expression_fallbacks": engine.expression_fallbacks,
            "http_requests": traffic.requests,
            "http_request_seconds": traffic.seconds,
            "duty": {} if duties is None else {(name,): value for name, value in duties.counters.items()},
        }

    return Metrics(read, core.store.counts)


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[tuple[Core, Any]]:
    """A core and the ASGI application on top of it."""
    check_exposure(settings)
    async with (
        open_core(settings) as core,
        open_identity(core) as identity,
        open_duties(settings, core.store, core.engine, core.clock, _egress(settings), owner=core.engine) as duties,
    ):
        yield core, create_api(core, identity, duties)


def check_exposure(settings: Settings) -> None:
    """Without authentication only loopback addresses are listened on. Raises ConfigError."""
    if settings.auth == "none" and not settings.insecure and not _is_loopback(settings.host):
        raise ConfigError(
            f"--host {settings.host}: without authentication Ostro listens on loopback addresses only. "
            "Add --auth token (see `ostro token create`). Anybody who reaches the port could run anything; if that is "
            "what you want, add --insecure."
        )


def make_folder(settings: Settings) -> None:
    """The folder of a database file, readable by its owner only if it is made here."""
    folder = database_folder(settings)
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(f"--database: the folder {folder} cannot be made: {error.strerror}.") from error


def _is_loopback(host: str) -> bool:
    try:
        addresses = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except OSError as error:
        raise ConfigError(f"--host {host}: not an address of this machine ({error}).") from error
    return all(ipaddress.ip_address(str(address).partition("%")[0]).is_loopback for address in addresses)


def _egress(settings: Settings) -> Any:
    from ostro.http.egress import EgressPolicy

    try:
        return EgressPolicy(
            settings.denied_cidrs,
            settings.allowed_cidrs,
            settings.allowed_hosts,
            allow_loopback=settings.auth == "none" and not settings.insecure and _is_loopback(settings.host),
        )
    except ValueError as error:
        raise ConfigError(f"--denied-cidrs or --allowed-cidrs: {error}") from error


def _engine_settings(settings: Settings) -> Any:
    from ostro.engine import EngineSettings

    return EngineSettings(
        field_size_limit_kb=settings.field_size_limit_kb,
        items_in_flight=settings.items_in_flight,
        open_commands=settings.open_requests,
        open_commands_of_project=settings.open_requests // 2,
        expression_budget_ms=settings.expression_budget_ms,
        publishers=read_publishers(settings),
        system_apis=system_apis(settings),
        key_file=str(key_file(settings)),
    )


def system_apis(settings: Settings) -> dict[str, str]:
    """Name -> URL. Raises ConfigError."""
    found = {}
    for text in settings.system_apis:
        name, equals, url = text.partition("=")
        if not equals or not name.strip() or not url.startswith(("http://", "https://")):
            raise ConfigError(f"--system-apis {text}: give NAME=URL, such as users=https://users.example.com/api.")
        found[name] = url
    return found


def _host_rules(settings: Settings) -> Any:
    from ostro.http.limits import parse_rule

    try:
        return tuple(parse_rule(text) for text in settings.http_limits)
    except ValueError as error:
        raise ConfigError(f"--http-limits: {error}") from error


def _executor_settings(settings: Settings) -> Any:
    from ostro.executor.settings import MIB, ExecutorSettings

    return ExecutorSettings(
        concurrency=settings.action_concurrency,
        threads=settings.action_threads,
        heartbeat=settings.heartbeat,
        drain=settings.drain,
        http_timeout=settings.http_timeout,
        http_max_response_bytes=settings.http_max_response_mb * MIB,
        http_limits=_host_rules(settings),
        http_breakers_file=settings.http_breakers,
        ssh_keys_folder=settings.ssh_keys_folder or None,
        ssh_known_hosts=settings.ssh_known_hosts,
    )
