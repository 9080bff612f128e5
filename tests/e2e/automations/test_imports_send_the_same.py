"""A step made from a curl command sends what curl itself sends."""

import asyncio
import shutil
import time
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl

import msgspec
import pytest
from aiohttp import web

from ostro.executor.actions.http_step import build
from ostro.expr.calls import CallTemplate
from ostro.expr.scope import ContextView, Scope
from ostro.http.client import HttpClient
from ostro.http.egress import EgressPolicy
from ostro.lang.automation import parse_automation
from ostro.lang.automation.imports import from_curl

COMMANDS = [
    "curl URL/plain",
    "curl 'URL/query?a=1&b=x%20y&c=%2F&a=2&flag'",
    "curl 'URL/query?a=1&b=x%20y&b=z'",
    "curl URL/form -d name=Ada -d 'note=a b&c=1' -d 'x=%41'",
    "curl URL/form --data-urlencode 'note=a b&c=é' --data-urlencode '=plain +'",
    "curl URL/text -H 'Content-Type: text/plain' --data-binary $'one\\ntwo\\u00e9'",
    'curl URL/json --json \'{"a": [1, 2.5, null], "b": "{{ x }}"}\'',
    "curl -X PATCH URL/json -H 'content-type: application/json; charset=utf-8' -d '{\"a\": \"é\"}'",
    "curl -G URL/get -d a=1 --data-urlencode 'b=x y'",
    "curl -u ann:s3cret -A tester -e http://ref.example/ URL/auth",
    "curl URL/headers -H 'X-One: 1' -H 'X-Empty;' -H 'Accept: text/csv' -b 'a=1; b=2'",
    "curl -XDELETE URL/gone/%7Bid%7D",
    "curl -X POST URL/nothing",
    "curl URL/no-type -H 'Content-Type:' -d 'raw {% text'",
]
# What each client adds by itself, and how it writes lengths.
OWN = {"host", "user-agent", "accept", "accept-encoding", "content-length", "connection"}


@asynccontextmanager
async def recorder():
    """(address, requests as they came)"""
    seen = []

    async def note(request: web.Request) -> web.Response:
        body = await request.read()
        headers = {n.lower(): v for n, v in request.headers.items()}
        kept = {n: v for n, v in headers.items() if n not in OWN or v in ("tester", "text/csv", "application/json")}
        if request.content_type == "application/json":
            body = msgspec.json.decode(body)
        elif request.content_type == "application/x-www-form-urlencoded":
            body = parse_qsl(body.decode(), keep_blank_values=True)  # as every server reads it
        seen.append((request.method, request.rel_url.raw_path, list(request.query.items()), kept, body))
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", note)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield "http://{}:{}".format(*runner.addresses[0][:2]), seen
    finally:
        await runner.cleanup()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl and bash")
@pytest.mark.parametrize("command", COMMANDS)
async def test_the_step_sends_what_curl_sends(command):
    async with recorder() as (url, seen), HttpClient(EgressPolicy(allow_loopback=True)) as client:
        command = command.replace("URL", url)
        process = await asyncio.create_subprocess_exec("bash", "-c", command.replace("curl ", "curl -q -s ", 1))
        assert await process.wait() == 0
        spec = parse_automation({"name": "x", "steps": [from_curl(command)]})
        call = CallTemplate(spec.steps[0].calls[0]).render(Scope(ContextView(({},)), None, time.monotonic))
        await client.send(build(call))
    by_curl, by_us = seen
    assert by_us == by_curl
