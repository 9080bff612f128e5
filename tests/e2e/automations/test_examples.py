"""The automations in examples/automations do what they say, against a server on this machine."""

import re

import pytest
from aiohttp import web

from ostro.cli.lint import findings
from tests.e2e.automations.local import EXAMPLES, run, site


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_linter_has_nothing_to_say(file):
    assert findings(file.read_text(), verbose=True) == []


def answer(content, status=200, headers=None):
    async def handler(request: web.Request) -> web.Response:
        return web.json_response(content, status=status, headers=headers)

    return handler


def one_after_another(*responses):
    """A handler with a response per call; the last one again and again."""
    left = list(responses)

    async def handler(request: web.Request) -> web.Response:
        status, content = left.pop(0) if len(left) > 1 else left[0]
        return web.json_response(content, status=status, headers={"Retry-After": "0"})

    return handler


def without_waits(name: str) -> str:
    """An example whose retries follow at once."""
    return re.sub(r"backoff_factor: [\d.]+", "backoff_factor: 0", (EXAMPLES / f"{name}.yaml").read_text())


async def test_publish_posts(tmp_path):
    tried: list[str] = []

    async def publish(request: web.Request) -> web.Response:
        key = request.headers["Idempotency-Key"]
        tried.append(key)
        if key == "p2" and tried.count("p2") == 1:
            return web.json_response({}, status=503, headers={"Retry-After": "0"})
        return web.json_response({"url": f"/posts/{key}"})

    posts = [{"id": f"p{number}", "title": f"Post {number}"} for number in range(6)]
    async with site({"POST /token": answer({"access_token": "cms-1"}), "POST /posts": publish}) as here:
        done = await run(tmp_path, "publish_posts", {"posts": posts}, {"cms": here.url})
    assert (done.state, done.info) == ("SUCCESS", None)
    assert done.output["published"] == [f"/posts/p{number}" for number in range(6)], "in the order of the input"
    assert sorted(tried) == ["p0", "p1", "p2", "p2", "p3", "p4", "p5"]
    assert here.to("POST", "/token") == [{"workspace_id": "<default-project>"}]
    assert {h.get("Authorization") for h in here.headers[1:]} == {"Bearer cms-1"}


async def test_nightly_export(tmp_path):
    result = one_after_another(
        (404, {}), (425, {}), (503, {}), (200, {"download_url": "https://d.example/1", "rows": 7})
    )
    routes = {"POST /jobs": answer({"id": "j1"}, 202), "GET /jobs/j1/result": result, "PUT /loads": answer({})}
    async with site(routes) as here:
        input = {"since": "2026-11-20", "callback": f"{here.url}/loads", "callback_headers": {"X-Load": "nightly"}}
        text = without_waits("nightly_export")
        done = await run(tmp_path, text, input, {"export": here.url})
    assert (done.state, done.info) == ("SUCCESS", None)
    assert [f"{method} {path}" for method, path, _ in here.calls] == [
        "POST /jobs",
        *["GET /jobs/j1/result"] * 4,
        "PUT /loads",
    ]
    assert here.to("POST", "/jobs") == [{"kind": "full", "since": "2026-11-20"}]
    assert here.to("PUT", "/loads") == [{"url": "https://d.example/1", "rows": "7"}]
    assert here.headers[-1]["X-Load"] == "nightly"


async def test_disable_stale_users(tmp_path):
    users = [{"id": number, "inactive_days": number * 50} for number in range(4)]
    routes = {
        "GET /users": answer({"users": users}),
        "PATCH /users/{id}": one_after_another((503, {}), (200, {"ok": True})),
        "POST /chat": answer({}),
    }
    async with site(routes) as here:
        apis = {"users": f"{here.url}/users", "chat": f"{here.url}/chat"}
        done = await run(tmp_path, "disable_stale_users", {"days": 90}, apis)
    assert (done.state, done.info) == ("SUCCESS", None)
    assert [user["id"] for user in done.output["stale"]] == [2, 3]
    assert here.calls[0][1] == "/users?workspace=%3Cdefault-project%3E&limit=500"
    assert sorted({path for method, path, _ in here.calls if method == "PATCH"}) == ["/users/2", "/users/3"]
    assert here.to("POST", "/chat") == [{"text": "Disabled 2 of 4 users"}]


async def test_webhook_fan_out(tmp_path):
    routes = {
        "GET /subscribers": answer([{"url": "/good"}, {"url": "/bad"}, {"url": "/shaky"}]),
        "POST /good": answer({}),
        "POST /bad": one_after_another((500, {})),
        "POST /shaky": one_after_another((502, {}), (200, {})),
        "PUT /events/e1": answer({}),
    }
    async with site(routes) as here:
        text = (
            (EXAMPLES / "webhook_fanout.yaml")
            .read_text()
            .replace('"{{ CURRENT_STEP.input.url }}"', '"{{ SYSTEM_APIS.hub }}{{ CURRENT_STEP.input.url }}"')
        )
        event = {"id": "e1", "type": "order.paid"}
        done = await run(tmp_path, text, {"event": event}, {"hub": here.url})
    assert (done.state, done.info) == ("SUCCESS", None)
    assert here.calls[0][1] == "/subscribers?event=order.paid"
    assert [len(here.to("POST", path)) for path in ("/good", "/bad", "/shaky")] == [1, 3, 2]
    attempts = [h["X-Attempt"] for h, call in zip(here.headers, here.calls, strict=True) if call[1] == "/bad"]
    assert attempts == ["1", "2", "3"]
    assert here.to("PUT", "/events/e1") == [{"delivered": 2, "refused": [f"{here.url}/bad"]}]


async def test_health_check_alerts_for_the_ill(tmp_path):
    routes = {
        "GET /shop": answer({}),
        "GET /blog": one_after_another((503, {})),
        "GET /mail": answer({}, 404),
        "POST /alerts": answer({}),
    }
    async with site(routes) as here:
        services = [f"{here.url}/{name}" for name in ("shop", "blog", "mail")]
        done = await run(tmp_path, "health_check", {"services": services}, {"pager": here.url})
    assert (done.state, done.info) == ("SUCCESS", None)
    assert [len(here.to("GET", f"/{name}")) for name in ("shop", "blog", "mail")] == [1, 2, 1]
    assert here.to("POST", "/alerts") == [{"summary": "2 of 3 services are ill", "services": services[1:]}]


async def test_health_check_leaves_people_in_peace_if_all_is_well(tmp_path):
    async with site({"GET /shop": answer({}), "POST /alerts": answer({})}) as here:
        done = await run(tmp_path, "health_check", {"services": [f"{here.url}/shop"]}, {"pager": here.url})
    assert (done.state, done.output["ill"]) == ("SUCCESS", [])
    assert here.to("POST", "/alerts") == []


async def test_paginated_sync(tmp_path):
    async def contacts(request: web.Request) -> web.Response:
        page = int(request.query.get("page", 0))
        data = [{"id": f"c{page}{n}", "email": f"c{page}{n}@example.com" if n else ""} for n in range(3)]
        return web.json_response({"data": data, "meta": {"next": f"/contacts?page={page + 1}" if page < 3 else None}})

    routes = {"GET /contacts": contacts, "PUT /subscribers/{id}": answer({}), "POST /syncs": answer({})}
    async with site(routes) as here:
        done = await run(tmp_path, "paginated_sync", {}, {"crm": here.url, "newsletter": here.url})
    assert (done.state, done.info) == ("SUCCESS", None)
    assert [path for method, path, _ in here.calls if method == "GET"] == [
        "/contacts?limit=100",
        "/contacts?page=1",
        "/contacts?page=2",
        "/contacts?page=3",
    ]
    assert here.to("POST", "/syncs") == [{"read": 12, "copied": 8}]
    assert here.to("PUT", "/subscribers/c31") == [{"email": "c31@example.com", "name": ""}]
