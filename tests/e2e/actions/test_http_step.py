"""std.http_step against servers on loopback: what is sent, what is reported, how failures are told apart."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from ostro.http.egress import EgressPolicy
from tests.e2e.actions.conftest import Run
from tests.ports import free_port

Reply = Callable[[bytes], bytes | None]
Raw = Callable[[Reply], Awaitable[str]]


async def echo(request: web.Request) -> web.Response:
    return web.json_response(
        {
            "method": request.method,
            "query": [list(pair) for pair in request.query.items()],
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "body": await request.text(),
        }
    )


async def redirect(request: web.Request) -> web.Response:
    headers = {"Location": request.query["to"]}
    if "after" in request.query:
        headers["Retry-After"] = request.query["after"]
    return web.Response(status=int(request.match_info["code"]), headers=headers)


async def loop(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "/loop"})


async def status(request: web.Request) -> web.Response:
    headers = {"Retry-After": request.query["after"]} if "after" in request.query else {}
    return web.Response(status=int(request.match_info["code"]), text="hello", headers=headers)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/echo", echo)
    app.router.add_route("*", "/redirect/{code}", redirect)
    app.router.add_route("*", "/status/{code}", status)
    app.router.add_route("*", "/loop", loop)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def raw() -> AsyncIterator[Raw]:
    """`await raw(reply)` gives the URL of a server that answers each request's head with those bytes, then closes;
    None: it closes at once; b"": it keeps silent."""
    servers: list[asyncio.Server] = []
    silent = asyncio.Event()

    async def make(reply: Reply) -> str:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                answer = reply(await reader.readuntil(b"\r\n\r\n"))
                if answer == b"":
                    await silent.wait()
                elif answer is not None:
                    writer.write(answer)
                    await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"

    yield make
    silent.set()
    for server in servers:
        server.close()


async def call(run: Run, url: str, **request: Any) -> dict[str, Any]:
    options = {name: request.pop(name) for name in ("redirects", "respect_retry_after", "secrets") if name in request}
    outcome = await run("std.http_step", request={"url": url, "method": "GET", **request}, **options)
    assert outcome.state == "SUCCESS", outcome
    report: dict[str, Any] = outcome.result
    return report


# ---------------------------------------------------------------- what is sent


async def test_json_form_and_raw_bodies(run: Run, url: str) -> None:
    json = (await call(run, f"{url}/echo", method="POST", json_body={"a": [1]}))["content"]
    assert (json["body"], json["headers"]["content-type"]) == ('{"a":[1]}', "application/json")
    form = (await call(run, f"{url}/echo", method="POST", data={"a": "ä b", "n": [1, 2]}))["content"]
    assert form["body"] == "a=%C3%A4+b&n=1&n=2"
    assert form["headers"]["content-type"] == "application/x-www-form-urlencoded"
    text = (await call(run, f"{url}/echo", method="PUT", data="as it is", headers={"Content-Type": "text/x"}))[
        "content"
    ]
    assert (text["method"], text["body"], text["headers"]["content-type"]) == ("PUT", "as it is", "text/x")


async def test_params_are_added_to_the_query(run: Run, url: str) -> None:
    found = await call(run, f"{url}/echo?a=1", params={"b": [2, 3], "c": "x y"})
    assert found["content"]["query"] == [["a", "1"], ["b", "2"], ["b", "3"], ["c", "x y"]]
    assert (await call(run, f"{url}/echo", params="d=4&e"))["content"]["query"] == [["d", "4"], ["e", ""]]


# ---------------------------------------------------------------- responses


async def test_the_report_of_a_response(run: Run, url: str) -> None:
    report = await call(run, f"{url}/status/404?after=7")
    assert (report["kind"], report["retry_after"], report["content"]) == ("response", 7.0, "hello")
    response = report["response"]
    assert (response["status"], response["reason"], response["json"]) == (404, "Not Found", False)
    assert response["headers"]["content-type"].startswith("text/plain")
    assert response["url"] == f"{url}/status/404?after=7"
    assert (report["method"], report["redirects"]) == ("GET", 0)


async def test_secrets_do_not_come_back(run: Run, url: str) -> None:
    report = await call(run, f"{url}/echo?q=s3cret", headers={"X-Token": "s3cret"}, secrets=["s3cret"])
    assert "s3cret" not in str(report)
    assert report["content"]["headers"]["x-token"] == "***"


# ---------------------------------------------------------------- redirects


@pytest.mark.parametrize(
    ("code", "method", "body"),
    [(301, "POST", "x"), (302, "POST", "x"), (303, "GET", ""), (307, "POST", "x"), (308, "POST", "x")],
)
async def test_redirects_are_followed(run: Run, url: str, code: int, method: str, body: str) -> None:
    report = await call(run, f"{url}/redirect/{code}?to=/echo", method="POST", data="x")
    assert (report["content"]["method"], report["content"]["body"]) == (method, body)
    assert report["redirects"] == 1
    assert report["response"]["history"] == [f"{url}/redirect/{code}?to=/echo"]
    assert report["reached"] == {"url": f"{url}/echo", "method": method, "no_body": code == 303, "stripped": False}


async def test_credentials_do_not_follow_to_another_host(run: Run, url: str) -> None:
    other = url.replace("127.0.0.1", "localhost")
    headers = {"Authorization": "Bearer x", "Cookie": "a=b", "X-Own": "y"}
    report = await call(run, f"{url}/redirect/302?to={other}/echo", headers=headers)
    seen = report["content"]["headers"]
    assert "authorization" not in seen and "cookie" not in seen and seen["x-own"] == "y"
    assert report["reached"]["stripped"] is True


async def test_no_more_redirects_than_are_left(run: Run, url: str) -> None:
    report = await call(run, f"{url}/loop", redirects=3)
    assert (report["kind"], report["redirects"], report["response"]["status"]) == ("redirect", 3, 302)
    report = await call(run, f"{url}/loop", redirects=0)
    assert (report["kind"], report["redirects"]) == ("redirect", 0)
    report = await call(run, f"{url}/loop", redirects=None)
    assert (report["kind"], report["redirects"]) == ("fatal", 100)


async def test_a_long_retry_after_of_a_redirect_is_left_to_the_engine(run: Run, url: str) -> None:
    report = await call(run, f"{url}/redirect/302?to=/echo&after=60")
    assert (report["kind"], report["retry_after"], report["redirects"]) == ("redirect", 60.0, 0)
    assert report["reached"]["url"] == f"{url}/echo"
    report = await call(run, f"{url}/redirect/302?to=/echo&after=60", respect_retry_after=False)
    assert (report["kind"], report["redirects"]) == ("response", 1)


async def test_a_redirect_to_something_else_is_refused(run: Run, url: str) -> None:
    report = await call(run, f"{url}/redirect/302?to=ftp://127.0.0.1/")
    assert report["kind"] == "fatal" and "not allowed" in report["message"]


# ---------------------------------------------------------------- failures


async def test_refused_and_unknown_hosts_are_connect_errors(run: Run) -> None:
    assert (await call(run, f"http://127.0.0.1:{free_port()}/"))["kind"] == "connect"
    assert (await call(run, "http://no-such-host.invalid/"))["kind"] == "connect"


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (None, "read"),  # closed without a word
        (HEAD + b"\r\nshort", "read"),  # truncated
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "read"),
        (b"this is no HTTP\r\n\r\n", "read"),
        (HEAD + b"Content-Encoding: gzip\r\n\r\n0123456789", "other"),  # undecodable
    ],
)
async def test_broken_responses(run: Run, raw: Raw, reply: bytes | None, kind: str) -> None:
    report = await call(run, await raw(lambda head: reply))
    assert report["kind"] == kind, report


async def test_silence_is_a_read_error(run: Run, raw: Raw) -> None:
    report = await call(run, await raw(lambda head: b""), timeout=0.05)
    assert (report["kind"], report["message"]) == ("read", "Nothing was read for 0.05 seconds")


async def test_tls_errors_are_other_errors(run: Run, url: str) -> None:
    report = await call(run, url.replace("http:", "https:"))
    assert report["kind"] == "other", report
    assert ssl.OPENSSL_VERSION  # the library is there: the error was its own


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ({"url": "ftp://a.test/"}, "not allowed"),
        ({"url": "no url"}, "not allowed"),
        ({"url": "http://"}, "no host"),
        ({"url": "http://127.0.0.1/", "headers": {"X": "a\r\nb"}}, "not allowed"),
    ],
)
async def test_a_request_that_cannot_be_made_is_fatal(run: Run, request_: dict[str, Any], text: str) -> None:
    report = await call(run, request_.pop("url"), **request_)
    assert report["kind"] == "fatal" and text in report["message"]


async def test_a_blocked_address_is_fatal_and_named(runner: Any, url: str) -> None:
    run = runner(EgressPolicy(["10.0.0.0/8"], allow_loopback=True))
    report = await call(run, "http://10.1.2.3/")
    assert report["kind"] == "fatal" and "blocked" in report["message"] and "10.1.2.3" in report["message"]
    report = await call(run, f"{url}/redirect/302?to=http://169.254.169.254/")
    assert report["kind"] == "fatal" and "169.254.169.254" in report["message"]


async def test_a_response_over_the_limit_is_fatal(runner: Any, raw: Raw) -> None:
    run = runner(http_max_response_bytes=1000)
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000
    report = await call(run, await raw(lambda head: body))
    assert (report["kind"], report["message"]) == ("fatal", "The response is larger than 1000 bytes")
