"""A server to call, and an engine with an executor to call it: real HTTP, a real store, all in this process."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from ostro.adapters.clock import SystemClock
from ostro.adapters.memory import MemoryQueue
from ostro.adapters.sql import open_store
from ostro.core.actions import BUILTINS
from ostro.engine import EngineSettings, Owner
from ostro.executor import Executor, ExecutorSettings, load_registry
from ostro.http.egress import EgressPolicy
from ostro.http.limits import parse_rule
from ostro.lang.automation import generated_definition, parse_automation
from ostro.model.commands import StartExecution
from ostro.testing import rows

PATIENCE = 30.0  # seconds; only a hang takes that long
EXAMPLES = Path(__file__).parents[3] / "examples" / "automations"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """An HTTP server on a free port. `calls`: (method, path with query, JSON or form or None) in order of arrival."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[tuple[str, str, Any]] = []
        self.headers: list[Mapping[str, str]] = []

    def to(self, method: str, path: str) -> list[Any]:
        """Bodies sent there."""
        return [body for verb, where, body in self.calls if (verb, where.partition("?")[0]) == (method, path)]


@asynccontextmanager
async def site(routes: Mapping[str, Handler]) -> AsyncIterator[Site]:
    """`routes`: `GET /users` -> handler."""
    here = Site()

    @web.middleware
    async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
        body: Any = None
        if request.content_type == "application/json" and request.can_read_body:
            body = await request.json()
        elif request.can_read_body:
            body = dict(await request.post())
        here.calls.append((request.method, request.path_qs, body))
        here.headers.append(dict(request.headers))
        return await handler(request)

    app = web.Application(middlewares=[note])
    for where, handler in routes.items():
        method, path = where.split()
        app.router.add_route(method, path, handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    host, port = runner.addresses[0][:2]
    here.url = f"http://{host}:{port}"
    try:
        yield here
    finally:
        await runner.cleanup()


class Run:
    """How a run ended. `output`: the fields that its steps wrote."""

    def __init__(self, state: str, info: str | None, output: Any) -> None:
        self.state, self.info, self.output = state, info, output


@asynccontextmanager
async def running(
    folder: Path, apis: Mapping[str, str] | None = None, executor: ExecutorSettings | None = None
) -> AsyncIterator[Owner]:
    """An engine with an executor; the same folder again is a restart."""
    queue, clock = MemoryQueue("local"), SystemClock()
    registry = load_registry(plugins=False)
    store = await open_store(f"sqlite:///{folder}/ostro.sqlite3", durability="normal")
    try:
        settings = EngineSettings(system_apis=dict(apis or {}), key_file=str(folder / "key"))
        actions = {**registry.infos, **BUILTINS}
        egress = EgressPolicy(allow_loopback=True)
        async with (
            Owner(store=store, queue=queue, actions=actions, clock=clock, settings=settings) as engine,
            Executor(
                queue,
                engine,
                registry,
                name="local",
                egress=egress,
                clock=clock,
                settings=executor or ExecutorSettings(drain=1.0),
            ),
        ):
            engine.test_store = store  # type: ignore[attr-defined]
            yield engine
    finally:
        await store.close()


async def start(engine: Owner, automation: str | Mapping[str, Any], input: Mapping[str, Any], **user: Any) -> str:
    """Store an automation and start it; the execution's id."""
    spec = parse_automation(automation)
    definition = generated_definition(spec)
    record = rows.workflow(spec.workflow_name, definition=definition, namespace="automation")
    await engine.test_store.save_workflows([record], [], [rows.revision(record)])  # type: ignore[attr-defined]
    root = engine.new_id()
    await engine.submit(
        StartExecution(
            root_id=root, workflow=spec.workflow_name, namespace="automation", input={"INPUT": dict(input)}, user=user
        )
    )
    return root


async def end_of(engine: Owner, id: str) -> Run:
    """Wait until a run has ended."""
    await engine.wait_finished(id, id, PATIENCE)
    [stored] = await engine.test_store.load_executions([id])  # type: ignore[attr-defined]
    record = stored.record
    return Run(record.state, record.state_info, json.loads(record.output or "null"))


def limited(*rules: str, breakers: Path | None = None) -> ExecutorSettings:
    """An executor that spares hosts, by rules as an operator writes them."""
    file = None if breakers is None else str(breakers)
    return ExecutorSettings(drain=1.0, http_limits=tuple(map(parse_rule, rules)), http_breakers_file=file)


async def run(
    folder: Path,
    automation: str | Mapping[str, Any],
    input: Mapping[str, Any] | None = None,
    apis: Mapping[str, str] | None = None,
    executor: ExecutorSettings | None = None,
    **user: Any,
) -> Run:
    """Run an automation (its text, its data, or the name of an example) from its start to its end."""
    if isinstance(automation, str) and "\n" not in automation:
        automation = (EXAMPLES / f"{automation}.yaml").read_text()
    async with running(folder, apis, executor) as engine:
        return await end_of(engine, await start(engine, automation, input or {}, **user))
