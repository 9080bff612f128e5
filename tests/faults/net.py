"""Cables between two parties that can be cut, slowed down or plugged elsewhere while they are in use.

A cable is a TCP proxy. All cables of a test run in one thread with an event loop of its own, so that a test that waits
for something does not hold up the traffic.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Protocol, Self

PASS, BLACKHOLE, DEAF, CUT = "pass", "blackhole", "deaf", "cut"
_CHUNK = 65536


class Filter(Protocol):
    """Sees one direction of one connection. What it gives to `send` goes on, in that order."""

    async def pass_on(self, data: bytes, send: Callable[[bytes], None]) -> None: ...


class _Plain:
    async def pass_on(self, data: bytes, send: Callable[[bytes], None]) -> None:
        send(data)


class Cable:
    """`await`-free handle: methods may be called from any thread and have happened when they return."""

    def __init__(self, cables: "Cables", target: int, make_filter: Callable[[bool], Filter]) -> None:
        self.port = 0
        self._cables = cables
        self._target = target
        self._make_filter = make_filter
        self._mode = PASS
        self._delay = 0.0
        self._hears = asyncio.Event()  # what comes from the server passes
        self._speaks = asyncio.Event()  # what goes to the server does
        self._writers: set[asyncio.StreamWriter] = set()

    def plug_into(self, port: int) -> None:
        """New connections go to another port; those that are open are closed."""
        self._cables.call(self._plug_into(port))

    def cut(self) -> None:
        """Open connections are reset, new ones refused."""
        self._cables.call(self._set(CUT))

    def blackhole(self) -> None:
        """Connections stay open, and nothing comes through any more; new ones are taken and never answered."""
        self._cables.call(self._set(BLACKHOLE))

    def deafen(self) -> None:
        """What goes to the server arrives, its answers do not."""
        self._cables.call(self._set(DEAF))

    def mend(self) -> None:
        """What was held back goes on; new connections work."""
        self._cables.call(self._set(PASS))

    def slow(self, seconds: float) -> None:
        """Every piece of data is that late, in both directions."""
        self._delay = seconds

    # --- in the cables' thread

    async def open(self) -> None:
        self._hears.set()
        self._speaks.set()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        self._reset()
        self._server.close()

    async def _plug_into(self, port: int) -> None:
        self._target = port
        self._reset()

    async def _set(self, mode: str) -> None:
        self._mode = mode
        for gate, closed in ((self._hears, (BLACKHOLE, DEAF)), (self._speaks, (BLACKHOLE,))):
            if mode in closed:
                gate.clear()
            else:
                gate.set()
        if mode == CUT:
            self._reset()

    def _reset(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._mode == CUT:
            writer.transport.abort()
            return
        self._writers.add(writer)
        await self._speaks.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            self._writers.discard(writer)
            return
        self._writers.add(far_writer)
        both = [
            asyncio.ensure_future(self._pump(reader, far_writer, self._speaks, self._make_filter(True))),
            asyncio.ensure_future(self._pump(far_reader, writer, self._hears, self._make_filter(False))),
        ]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait(both, timeout=0.05)  # a half-closed connection may have something left to say
        for task in both:
            task.cancel()
        for end in (writer, far_writer):
            end.transport.abort()
            self._writers.discard(end)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event, passing: Filter
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self._delay:
                    await asyncio.sleep(self._delay)
                await gate.wait()
                await passing.pass_on(data, writer.write)
                await writer.drain()


class Cables:
    """`with Cables() as cables: cable = cables.to(4222)`."""

    def __enter__(self) -> Self:
        self._cables: list[Cable] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cables", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def to(self, port: int, make_filter: Callable[[bool], Filter] = lambda _: _Plain()) -> Cable:
        """A new cable to a port. `make_filter(to_server)` gives what sees a direction of a connection."""
        cable = Cable(self, port, make_filter)
        self.call(cable.open())
        self._cables.append(cable)
        return cable

    def call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _end(self) -> None:
        for cable in self._cables:
            cable.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
