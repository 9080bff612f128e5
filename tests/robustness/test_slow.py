"""Clients that are slow on purpose: they lose their connection, not the server its patience. In this process, with
less patience than a real server has."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from ostro.api.guard import Guard
from ostro.api.settings import ApiSettings
from ostro.cli.connections import PatientProtocol


class Hasty(PatientProtocol):
    patience = 0.1
    most = 3


async def echo(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    while message.get("more_body"):
        message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = Guard(echo, ApiSettings(body_seconds=0.1))
    config = uvicorn.Config(app, port=0, http=Hasty, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield server.servers[0].sockets[0].getsockname()[1]
    await server.shutdown()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


@pytest.mark.parametrize("part", [b"", b"GET / HTTP/1.1\r\nHost: loc"])
async def test_a_head_that_does_not_come_closes_the_connection(port: int, part: bytes) -> None:
    async with connected(port) as (reader, writer):
        writer.write(part)
        assert await reader.read() == b""


async def test_a_body_that_does_not_come_is_answered_with_408(port: int) -> None:
    async with connected(port) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
        assert b" 408 " in await reader.readline()


async def test_a_client_in_time_is_served_again_and_again(port: int) -> None:
    async with connected(port) as (reader, writer):
        for _ in range(3):
            writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n1")
            assert b" 200 " in await reader.readuntil(b"ok")


async def test_one_connection_too_many_is_told_so(port: int) -> None:
    async with connected(port), connected(port), connected(port), connected(port) as (reader, _):
        answer = await reader.read()
        assert b" 503 " in answer
        assert b"retry-after: 1" in answer
