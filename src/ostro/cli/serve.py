"""`ostro serve`: the server's life from the socket to the last commit.

Guarantees: the address is refused before anything is opened; connections are taken only when Ostro is ready; the
first Ctrl-C or SIGTERM stops cleanly (requests, then actions, then the engine), a second one at once. What is
unfinished then goes on at the next start.
"""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
import uvloop

import ostro
from ostro.api.page import BUILT as PAGE
from ostro.api.page import is_built
from ostro.app import Core, Worker, build, check_exposure
from ostro.cli.connections import bounded_protocol
from ostro.cli.logs import redact
from ostro.config import ROLES, ConfigError, Settings

log = logging.getLogger("ostro.serve")

_REQUESTS_DRAIN = 10  # seconds that requests under way get when the server stops
_REPORT_EVERY = 1.0  # seconds between lines about a shutdown that takes long


def serve(settings: Settings) -> None:
    """Run until a signal. Raises OstroError if it cannot start."""
    check_exposure(settings)
    with _listening_socket(settings) as sock, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, sock))


async def _serve(settings: Settings, sock: socket.socket) -> None:
    stopping = _Stopping()
    reporter = asyncio.create_task(_report_shutdown(stopping))
    try:
        with contextlib.suppress(asyncio.CancelledError), stopping.on_signals():
            async with build(settings) as (core, api):
                announcement = _announcement(settings, sock, core)
                server = _Server(
                    _uvicorn_config(settings, api), stopping, announcement, missing_page(settings), api.end_streams
                )
                stopping.waits_for = lambda: f"{len(server.server_state.tasks)} requests"
                sys.setswitchinterval(0.0005)  # the writer thread must not wait 5 ms for each of its few statements
                gc.set_threshold(50_000, 20, 100)  # states of executions are many small objects that live for a while
                warming = asyncio.create_task(_warm_up())
                gc.freeze()  # what lives as long as the server need not be looked at by every collection
                await server.serve(sockets=[sock])
                warming.cancel()
                stopping.waits_for = lambda: _unfinished(core)
    finally:
        reporter.cancel()
    log.info("Stopped")


async def _warm_up() -> None:
    """What the first expression needs takes a third of a second to import: soon, but not while the start is watched."""
    from ostro.expr import warm_up

    await asyncio.sleep(1)
    await asyncio.to_thread(warm_up)


def _unfinished(core: Core | Worker) -> str:
    running = 0 if core.executor is None else core.executor.running
    return f"{running} running actions (at most {core.settings.drain:g} s)" if running else "the last commits"


class _Stopping:
    """Whether and how the server was asked to stop."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.waits_for: Callable[[], str] = lambda: "the start"
        self._main = asyncio.current_task()
        self.can_drain = False  # the server is up: stop it in order

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal, number)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _on_signal(self, number: int) -> None:
        if self.can_drain and not self.asked.is_set():
            log.info("%s: stopping; once more to stop at once", signal.Signals(number).name)
            self.asked.set()
        else:
            log.warning("%s: stopping at once", signal.Signals(number).name)
            self.asked.set()
            assert self._main is not None
            self._main.cancel()


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handling, and without waking up ten times a second."""

    def __init__(
        self,
        config: uvicorn.Config,
        stopping: _Stopping,
        announcement: str,
        warning: str,
        end_streams: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._end_streams = end_streams
        self._stopping = stopping
        self._announcement = announcement
        self._warning = warning

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._stopping.can_drain = True
        log.info(self._announcement)
        if self._warning:
            log.warning(self._warning)

    async def main_loop(self) -> None:
        asked = self._stopping.asked
        while not asked.is_set():
            await self.on_tick(0)  # renews the Date header
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asked.wait(), 1.0)
        self._end_streams()


def _uvicorn_config(settings: Settings, api: Any) -> uvicorn.Config:
    return uvicorn.Config(
        api,
        http=bounded_protocol(),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=settings.access_log,
        server_header=False,
        timeout_graceful_shutdown=_REQUESTS_DRAIN,
        timeout_keep_alive=75,
        backlog=2048,
    )


def _listening_socket(settings: Settings) -> socket.socket:
    """Bound, but not listening yet: a taken port is known at once, and nobody connects before Ostro is ready."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(address)
        except OSError:
            sock.close()
            raise
    except OSError as error:
        raise ConfigError(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror or error}. "
            "Another port: --port N (0 takes a free one)."
        ) from error
    return sock


def _announcement(settings: Settings, sock: socket.socket, core: Core | Worker) -> str:
    host, port = sock.getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    parts = [f"Ostro {ostro.__version__} is ready at http://{host}:{port}", f"{len(core.actions)} actions"]
    if len(settings.roles) < len(ROLES):
        parts.append(f"roles {', '.join(settings.roles)}")
    if isinstance(core, Core):
        database = redact(settings.database.removeprefix("sqlite:///"))
        parts.append(f"data in {database} (durability {settings.durability})")
    return " · ".join(parts)


def missing_page(settings: Settings) -> str:
    """What to tell where the page should be and is not; "" if it is there, or if this process serves no page."""
    if "api" not in settings.roles or is_built(PAGE):
        return ""
    return "The web page was not built, the API works without it. `make install` builds it."


async def _report_shutdown(stopping: _Stopping) -> None:
    """While a shutdown takes long, says every second what it waits for."""
    await stopping.asked.wait()
    while True:
        await asyncio.sleep(_REPORT_EVERY)
        log.info("Waiting for %s", stopping.waits_for())
