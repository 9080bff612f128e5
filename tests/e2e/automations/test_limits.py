"""Limits per host and circuit breakers, with real calls."""

import asyncio

import pytest
from aiohttp import web
from yarl import URL

from ostro.http.client import HttpClient, HttpFailed
from ostro.http.egress import EgressPolicy
from ostro.http.limits import parse_rule
from ostro.http.limits_gate import Gate, Limited
from ostro.http.message import Request
from tests.e2e.automations.local import end_of, limited, run, running, site, start

FAN_OUT = """
name: fan out
steps:
  - name: call
    input: INPUT.urls
    concurrency: 16
    apispec: {url: "{{ CURRENT_STEP.input }}", headers: {X-Attempt: "{{ CURRENT_STEP.attempt }}"}}
    retry: %s
    output: answers
"""


async def ok(request: web.Request) -> web.Response:
    return web.json_response({})


async def test_never_more_calls_in_flight_than_the_host_takes(tmp_path):
    flying = [0, 0]  # now, at most

    async def slow(request: web.Request) -> web.Response:
        flying[0] += 1
        flying[1] = max(flying)
        await asyncio.sleep(0.01)
        flying[0] -= 1
        return web.json_response({})

    async with site({"GET /": slow}) as here:
        input = {"urls": [f"{here.url}/?n={number}" for number in range(40)]}
        done = await run(tmp_path, FAN_OUT % "{total: 0}", input, executor=limited("127.0.0.1;in-flight=2"))
    assert (done.state, done.info) == ("SUCCESS", None)
    assert len(here.calls) == 40
    assert flying[1] == 2


async def test_a_long_wait_is_the_engine_s_and_costs_no_retry(tmp_path):
    async with site({"GET /": ok}) as here:
        rules = limited("127.0.0.1;rate=0.9")  # 1.1 seconds: longer than an executor waits
        done = await run(tmp_path, FAN_OUT % "{total: 0}", {"urls": [here.url] * 2}, executor=rules)
    assert (done.state, done.info) == ("SUCCESS", None)
    assert [headers["X-Attempt"] for headers in here.headers] == ["1", "1"]


async def test_an_open_breaker_keeps_calls_away_until_a_probe_is_fine(tmp_path):
    answers = [503, 503, 200, 200]

    async def recovering(request: web.Request) -> web.Response:
        return web.json_response({}, status=answers.pop(0))

    async with site({"GET /": recovering}) as here:
        rules = limited("127.0.0.1;failures=2;open=0.5")
        retry = "{total: 4, status_forcelist: [503]}"
        done = await run(tmp_path, FAN_OUT % retry, {"urls": [here.url]}, executor=rules)
    assert (done.state, done.info) == ("SUCCESS", None)
    assert len(here.calls) == 3, "two bad ones and the probe"


async def test_a_call_to_a_broken_host_fails_when_its_retries_are_used_up(tmp_path):
    async def broken(request: web.Request) -> web.Response:
        return web.json_response({}, status=500)

    async with site({"GET /": broken}) as here:
        rules = limited("127.0.0.1;failures=1;open=60")
        retry = "{total: 0, status_forcelist: [500]}"
        one_by_one = (FAN_OUT % retry).replace("concurrency: 16", "concurrency: 1")
        done = await run(tmp_path, one_by_one, {"urls": [here.url] * 3}, executor=rules)
    assert done.state == "ERROR"
    assert len(here.calls) == 1
    assert "circuit breaker of 127.0.0.1" in done.info


async def test_breakers_are_open_after_a_restart(tmp_path):
    async def broken(request: web.Request) -> web.Response:
        return web.json_response({}, status=500)

    retry = FAN_OUT % "{total: 0, status_forcelist: [500]}"
    async with site({"GET /": broken}) as here:
        for _ in range(2):
            rules = limited("*;failures=1;open=60", breakers=tmp_path / "breakers.json")
            async with running(tmp_path, executor=rules) as engine:
                done = await end_of(engine, await start(engine, retry, {"urls": [here.url]}))
                assert done.state == "ERROR"
        assert len(here.calls) == 1


async def test_actions_without_durable_retries_wait_or_fail_with_a_reason():
    async with site({"GET /": ok}) as here:
        gate = Gate([parse_rule("127.0.0.1;rate=20")])
        async with HttpClient(EgressPolicy(allow_loopback=True), gate=gate) as client:
            request = Request(method="GET", url=URL(here.url))
            for _ in range(3):
                assert (await client.send(request)).status == 200
            request.patience = 0.0
            with pytest.raises(Limited, match="rate of requests"):
                await client.send(request)


async def test_a_time_limit_counts_as_a_failure_of_the_host():
    enough = asyncio.Event()

    async def hangs(request: web.Request) -> web.Response:
        await enough.wait()
        return web.json_response({})

    async with site({"GET /": hangs}) as here:
        gate = Gate([parse_rule("*;failures=1;open=60")])
        async with HttpClient(EgressPolicy(allow_loopback=True), gate=gate) as client:
            request = Request(method="GET", url=URL(here.url), timeout=0.1)
            with pytest.raises(HttpFailed, match="No complete response"):
                await client.send(request)
            with pytest.raises(Limited, match="breaker"):
                await client.send(request)
        enough.set()
