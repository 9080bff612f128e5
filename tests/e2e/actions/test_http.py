"""std.http and std.mistral_http against an HTTP server."""

import asyncio
import contextlib
import gzip
import socket

import pytest
from aiohttp import web

from ostro.http.egress import EgressPolicy


async def echo(request: web.Request) -> web.Response:
    return web.json_response(
        {
            "method": request.method,
            "query": dict(request.query),
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "cookies": dict(request.cookies),
            "body": await request.text(),
            "url": str(request.url),
        }
    )


async def answer(request: web.Request) -> web.StreamResponse:
    match request.match_info["what"]:
        case "text":
            return web.Response(text="hello")
        case "latin":
            return web.Response(body="é".encode("latin-1"), headers={"Content-Type": "text/plain; charset=iso-8859-1"})
        case "empty":
            return web.Response(status=204)
        case "cookie":
            reply = web.json_response({"a": 1})
            reply.set_cookie("session", "abc")
            reply.headers.add("X-Many", "1")
            reply.headers.add("X-Many", "2")
            return reply
        case "bomb":
            body = gzip.compress(b"0" * 6_000_000)
            return web.Response(body=body, headers={"Content-Encoding": "gzip", "Content-Type": "text/plain"})
        case "stream":
            stream = web.StreamResponse()
            await stream.prepare(request)
            with contextlib.suppress(ConnectionError):  # the client stops reading
                for _ in range(100):
                    await stream.write(b"0" * 100_000)
            return stream
        case "huge":
            return web.Response(body=b"0" * 6_000_000)
        case "never":
            await asyncio.Event().wait()
    raise web.HTTPNotFound


async def status(request: web.Request) -> web.Response:
    return web.json_response({"status": int(request.match_info["code"])}, status=int(request.match_info["code"]))


async def turn(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "/turn"})


async def redirect(request: web.Request) -> web.Response:
    reply = web.Response(status=302, headers={"Location": request.query["to"]})
    reply.set_cookie("left", "behind")
    return reply


@pytest.fixture
async def server():
    app = web.Application()
    app.router.add_route("*", "/echo", echo)
    app.router.add_get("/answer/{what}", answer)
    app.router.add_get("/status/{code}", status)
    app.router.add_route("*", "/redirect", redirect)
    app.router.add_get("/turn", turn)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


async def test_the_result_map_of_a_json_document(run, server):
    outcome = await run("std.http", url=f"{server}/answer/cookie")
    assert outcome.state == "SUCCESS"
    result = outcome.result
    assert set(result) == {
        "content",
        "status",
        "headers",
        "url",
        "history",
        "encoding",
        "reason",
        "cookies",
        "elapsed",
    }
    assert (result["content"], result["status"], result["reason"]) == ({"a": 1}, 200, "OK")
    assert result["url"] == f"{server}/answer/cookie"
    assert (result["history"], result["encoding"], result["cookies"]) == ([], "utf-8", {"session": "abc"})
    assert result["headers"]["X-Many"] == "1, 2"
    assert 0 < result["elapsed"] < 60


async def test_everything_that_is_sent(run, server):
    outcome = await run(
        "std.http",
        url=f"{server}/echo?z=1",
        method="put",
        params={"q": "x y", "k": 3},
        body={"n": [1, None]},
        headers={"X-Num": 5, "X-None": None},
        cookies={"c": "v"},
        auth="bob:secret",
        timeout="5",
    )
    got = outcome.result["content"]
    assert (got["method"], got["query"], got["body"]) == ("PUT", {"z": "1", "q": "x y", "k": "3"}, '{"n": [1, null]}')
    assert (got["headers"]["x-num"], got["cookies"]) == ("5", {"c": "v"})
    assert got["headers"]["authorization"] == "Basic Ym9iOnNlY3JldA=="
    assert got["headers"]["content-type"] == "application/json"
    assert "x-none" not in got["headers"]


async def test_json_text_and_credentials_of_the_url(run, server):
    sent = await run("std.http", url=f"{server}/echo", method="POST", json=[1])
    assert sent.result["content"]["body"] == "[1]"
    sent = await run("std.http", url=f"{server}/echo", method="POST", body="plain")
    assert sent.result["content"]["body"] == "plain"
    sent = await run("std.http", url=f"{server}/echo".replace("//", "//bob:secret@"))
    assert sent.result["content"]["headers"]["authorization"] == "Basic Ym9iOnNlY3JldA=="
    assert sent.result["url"] == f"{server}/echo"


async def test_text_and_encodings(run, server):
    assert (await run("std.http", url=f"{server}/answer/text")).result["content"] == "hello"
    latin = (await run("std.http", url=f"{server}/answer/latin")).result
    assert (latin["content"], latin["encoding"]) == ("é", "iso-8859-1")
    assert (await run("std.http", url=f"{server}/answer/empty")).result["content"] == ""


async def test_headers_that_are_no_utf8_are_still_json(run):
    async def speak(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nX-Odd: caf\xe9\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as raw:
        port = raw.sockets[0].getsockname()[1]
        outcome = await run("std.http", url=f"http://127.0.0.1:{port}/")
    assert outcome.result["headers"]["X-Odd"] == "café"


@pytest.mark.parametrize(
    ("code", "state"),
    [(200, "SUCCESS"), (302, "SUCCESS"), (306, "SUCCESS"), (307, "ERROR"), (404, "ERROR"), (500, "ERROR")],
)
async def test_the_status_decides_and_the_map_is_always_there(run, server, code, state):
    outcome = await run("std.http", url=f"{server}/status/{code}")
    assert (outcome.state, outcome.result["status"]) == (state, code)
    assert outcome.result["content"] == {"status": code}


async def test_redirects_only_if_allowed(run, server):
    url = f"{server}/redirect?to=/echo"
    assert (await run("std.http", url=url)).result["status"] == 302
    followed = (await run("std.http", url=url, allow_redirects=True)).result
    assert (followed["status"], followed["url"], followed["history"]) == (200, f"{server}/echo", [url])
    assert followed["content"]["cookies"] == {}


async def test_a_redirect_to_itself_ends(run, server):
    outcome = await run("std.http", url=f"{server}/turn", allow_redirects=True)
    assert "Failed to send HTTP request: More than 30 redirects" in outcome.result


@pytest.mark.parametrize("what", ["huge", "stream", "bomb"])
async def test_large_responses_are_refused_however_they_come(run, server, what):
    outcome = await run("std.http", url=f"{server}/answer/{what}")
    assert outcome.state == "ERROR"
    assert "Failed to send HTTP request: The response is larger than 5242880 bytes" in outcome.result


async def test_no_answer_in_time(run, server):
    outcome = await run("std.http", url=f"{server}/answer/never", timeout=0.05)
    assert "Failed to send HTTP request: No complete response within 0.05 seconds" in outcome.result


async def test_nobody_listens(run):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    outcome = await run("std.http", url=f"http://127.0.0.1:{port}/x", headers={"Authorization": "Bearer s3cret"})
    assert outcome.state == "ERROR"
    assert "Failed to send HTTP request" in outcome.result
    assert "s3cret" not in outcome.result


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://127.0.0.1:9/x", "URL host '127.0.0.1' resolves to a blocked address (127.0.0.1)."),
        (
            "http://169.254.169.254/latest",
            "URL host '169.254.169.254' resolves to a blocked address (169.254.169.254).",
        ),
        ("ftp://127.0.0.1/x", "URL scheme 'ftp' is not allowed (only http and https are)."),
        ("/relative", "URL scheme '' is not allowed (only http and https are)."),
    ],
)
async def test_what_the_policy_refuses(runner, url, message):
    outcome = await runner(EgressPolicy())("std.http", url=url)
    assert outcome.state == "ERROR"
    assert outcome.result.startswith("The action raised an exception [action")
    assert message in outcome.result


@pytest.mark.parametrize("host", ["localhost", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "0", "127.1"])
async def test_no_spelling_of_loopback_passes(runner, server, host):
    outcome = await runner(EgressPolicy())("std.http", url=server.replace("127.0.0.1", host) + "/echo")
    assert outcome.state == "ERROR"


async def test_redirects_and_proxies_obey_the_policy(runner, server):
    policy = EgressPolicy(denied=["127.0.0.9/32"], allow_loopback=True)
    run = runner(policy)
    outcome = await run("std.http", url=f"{server}/redirect?to=http://127.0.0.9/", allow_redirects=True)
    assert "URL host '127.0.0.9' resolves to a blocked address (127.0.0.9)." in outcome.result
    outcome = await run("std.http", url=f"{server}/echo", proxies={"http": "http://127.0.0.9:3128"})
    assert "'127.0.0.9' resolves to a blocked address (127.0.0.9)." in outcome.result
    outcome = await run("std.http", url="http://127.0.0.9/", proxies={"http": server})
    assert "URL host '127.0.0.9' resolves to a blocked address (127.0.0.9)." in outcome.result


async def test_a_name_that_changes_its_address_is_judged_when_connecting(runner, server, monkeypatch):
    """A name that resolves to a good address when it is looked at and to a bad one when it is used."""
    answers = [("192.0.2.1", 80), ("127.0.0.1", int(server.rsplit(":", 1)[1]))]

    async def rebinding(self, host, port, **_):
        target = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", target)]

    monkeypatch.setattr(type(asyncio.get_running_loop()), "getaddrinfo", rebinding)
    run = runner(EgressPolicy())
    await run("std.http", url=server.replace("127.0.0.1", "evil.example") + "/echo", timeout=0.05)
    outcome = await run("std.http", url=server.replace("127.0.0.1", "evil2.example") + "/echo", timeout=5)
    assert "URL host 'evil2.example' resolves to a blocked address (127.0.0.1)." in outcome.result


async def test_requests_go_through_a_proxy(run, server):
    outcome = await run("std.http", url="http://192.0.2.7/echo", proxies={"http": server})
    assert outcome.result["content"]["headers"]["host"] == "192.0.2.7"


async def test_parameters_that_cannot_go_together(run, server):
    outcome = await run("std.http", url=server, json={"a": 1}, body={"b": 1})
    assert outcome.state == "ERROR"
    assert outcome.result.startswith("Failed to instantiate an action [action_desc=std.http]")
    assert "Only one of the parameters 'json' and 'body' can be passed" in outcome.result


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": -1},
        {"timeout": "soon"},
        {"auth": "nocolon"},
        {"headers": {"A": "x\ny"}},
        {"params": 5},
        {"proxies": "x"},
        {"proxies": {"http": "socks5://h"}},
        {"method": "A B"},
        {"verify": "/no/file"},
    ],
)
async def test_wrong_parameters_are_errors_and_harm_nobody(run, server, wrong):
    outcome = await run("std.http", url=f"{server}/echo", **wrong)
    assert outcome.state == "ERROR"
    assert outcome.result.startswith("The action raised an exception")


async def test_mistral_http_names_itself_and_waits(run, server):
    outcome = await run("std.mistral_http", url=f"{server}/echo", method="POST", body="ping")
    assert outcome.state == "RUNNING"
    failing = await run("std.mistral_http", url=f"{server}/status/500")
    assert (failing.state, failing.result["status"]) == ("ERROR", 500)


async def test_mistral_http_headers(run):
    heard = asyncio.Queue()

    async def hear(request):
        await heard.put(dict(request.headers))
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    await run("std.mistral_http", url=f"http://127.0.0.1:{port}/hook", method="POST")
    headers = await heard.get()
    await runner.cleanup()
    assert {name: value for name, value in headers.items() if name.startswith("Mistral-")} == {
        "Mistral-Workflow-Name": "wf",
        "Mistral-Workflow-Execution-Id": "ex",
        "Mistral-Task-Id": "t",
        "Mistral-Action-Execution-Id": "a1",
        "Mistral-Callback-URL": "/v2/action_executions/a1",
    }
