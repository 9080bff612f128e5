"""The four examples of the reference (section 9), with their hosts on this machine, and the site that they call."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple, Self

from aiohttp import web

Answer = tuple[int, Any]  # status and JSON

PUBLISH = """
name: Publish posts
scope: workspace
default_retry: {total: 3, status_forcelist: [500, 502, 503], backoff_factor: 0.5}
steps:
  - name: auth
    concurrency: 1
    apispec:
      url: "{{ SYSTEM_APIS.credentials }}/token"
      method: POST
      headers: {Authorization: "Bearer {{ USER.token }}"}
      json_body: {workspace_id: "{{ USER.workspace_id }}"}
      timeout: 10
    output: auth
  - name: publish
    concurrency: 4
    input: "{{ INPUT.posts }}"
    apispec:
      url: SITE/api/posts
      method: POST
      headers: {Authorization: "Bearer {{ auth.access_token }}", Idempotency-Key: "{{ CURRENT_STEP.input.id }}"}
      json_body: "{{ CURRENT_STEP.input }}"
      timeout: 30
    retry: {total: 5, allowed_methods: [POST], status_forcelist: [429, 500, 503], backoff_factor: 1.0}
    output: published
"""

DISABLE = """
name: Disable stale users
steps:
  - name: list users
    apispec:
      url: "{{ SYSTEM_APIS.users }}"
      params: {workspace: "{{ USER.workspace_id }}", limit: 500}
      headers: {Authorization: "Bearer {{ USER.token }}"}
    output: >-
      {{ {'stale': CURRENT_STEP.response.json.users | selectattr('inactive_days', 'gt', 90) | list,
          'seen': CURRENT_STEP.response.json.users | length} }}
  - name: disable
    input: stale
    concurrency: 8
    apispec:
      url: "{{ SYSTEM_APIS.users }}/{{ CURRENT_STEP.input.id }}"
      method: PATCH
      json_body: {enabled: false}
    retry: {total: 2, connect: 2, allowed_methods: [PATCH], status_forcelist: [503]}
    output: disabled
  - name: report
    apispec:
      url: SITE/hooks/T0/B0
      method: POST
      json_body: {text: "Disabled {{ disabled | length }} of {{ seen }} users"}
"""

EXPORT = """
{"name": "Nightly export", "scope": "workspace",
 "default_retry": {"total": 2, "backoff_factor": 0.2},
 "steps": [
  {"name": "start", "concurrency": 1,
   "apispec": {"url": "SITE/jobs", "method": "POST",
               "json_body": {"kind": "full", "since": "{{ INPUT.since }}"}, "timeout": 20},
   "output": "job"},
  {"name": "wait", "concurrency": 1,
   "apispec": {"url": "SITE/jobs/{{ job.id }}/result", "method": "GET", "timeout": 15},
   "retry": {"total": 60, "status": 60, "connect": 3, "read": 3, "status_forcelist": [404, 425, 503],
             "backoff_factor": 2.0, "respect_retry_after_header": true},
   "output": "result"},
  {"name": "hand over", "concurrency": 1,
   "apispec": {"url": "{{ INPUT.callback }}", "method": "PUT", "headers": "{{ INPUT.callback_headers }}",
               "data": {"url": "{{ result.download_url }}", "rows": "{{ result.rows }}"}, "timeout": 30}}]}
"""

WARM = """
{"name": "Warm caches", "scope": "global",
 "steps": [
  {"name": "regions", "concurrency": 1,
   "apispec": {"url": "SITE/regions", "method": "GET", "timeout": 10}, "output": "regions"},
  {"name": "purge", "concurrency": 16, "input": "regions['items']",
   "apispec": {"url": "http://{{ CURRENT_STEP.input.host }}/purge", "method": "DELETE",
               "params": {"prefix": "{{ INPUT.prefix }}"}, "timeout": 5},
   "retry": {"total": 1, "raise_on_status": false, "raise_on_redirect": false, "redirect": 0},
   "output": "purged"},
  {"name": "summary", "concurrency": 1,
   "apispec": {"url": "SITE/events", "method": "POST",
               "json_body": {"regions": "{{ regions['items'] | length }}",
                             "codes": "{{ STEPS['purge'].response | map(attribute='status') | list }}"},
               "timeout": 10}}]}
"""

TOKEN = "a-token-of-ann"
POSTS = [{"id": f"p{n}", "title": f"Post {n}"} for n in range(6)]
USERS = [{"id": n, "inactive_days": n * 50} for n in range(4)]
RETRY_AFTER = "3"


class Example(NamedTuple):
    """`shy`: the call whose first answers send it away. `calls`: how often each must succeed in all."""

    name: str
    text: str
    shy: str
    refusal: int
    calls: dict[str, int]

    def input(self, url: str) -> dict[str, Any]:
        inputs: dict[str, dict[str, Any]] = {
            "publish": {"posts": POSTS},
            "export": {"since": "2026-11-20", "callback": f"{url}/loads", "callback_headers": {"X-Load": "nightly"}},
            "warm": {"prefix": "/img"},
        }
        return inputs.get(self.name, {})

    def source(self, url: str) -> str:
        return self.text.replace("SITE", url)


EXAMPLES = (
    Example("publish", PUBLISH, "POST /api/posts p3", 503,
            {"POST /token": 1, **{f"POST /api/posts p{n}": 1 for n in range(6)}}),
    Example("disable", DISABLE, "PATCH /users/3", 503,
            {"GET /users": 1, "PATCH /users/2": 1, "PATCH /users/3": 1, "POST /hooks/T0/B0": 1}),
    Example("export", EXPORT, "GET /jobs/j1/result", 404,
            {"POST /jobs": 1, "GET /jobs/j1/result": 1, "PUT /loads": 1}),
    Example("warm", WARM, "GET /regions", 503,
            {"GET /regions": 1, "DELETE /eu/purge": 1, "DELETE /us/purge": 1, "DELETE /ap/purge": 1,
             "POST /events": 1}),
)  # fmt: skip


def system_apis(url: str) -> str:
    return f"credentials={url},users={url}/users"


class Site:
    """What the examples call, on a free port. `sends_away`: the shy call is refused, to be tried again later."""

    def __init__(self, example: Example, *, refusals: int) -> None:
        self.url = ""
        self.served: Counter[str] = Counter()
        self.refused = 0
        self.bodies: dict[str, Any] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self._example = example
        self._refusals = refusals  # how many at first; -1: until `opened`
        self._opened = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def open(self) -> None:
        self._opened.set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._runner = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def _handle(self, request: web.Request) -> web.Response:
        call = f"{request.method} {request.path}"
        if request.path == "/api/posts":
            call += f" {request.headers['Idempotency-Key']}"
        body: Any = None
        if request.content_type == "application/json" and request.can_read_body:
            body = await request.json()
        elif request.can_read_body:
            body = dict(await request.post())
        if call == self._example.shy and not self._opened.is_set() and self.refused != self._refusals:
            self.refused += 1
            return web.json_response({}, status=self._example.refusal, headers={"Retry-After": self._wait()})
        self.served[call] += 1
        self.bodies[call], self.headers[call] = body, dict(request.headers)
        status, answer = self._answers()[request.path](body)
        where = {"Location": "/elsewhere"} if status == 302 else {}
        return web.json_response(answer, status=status, headers=where)

    def _wait(self) -> str:
        return "0" if self._refusals >= 0 else RETRY_AFTER

    def _answers(self) -> dict[str, Callable[[Any], Answer]]:
        host = self.url.removeprefix("http://")
        return {
            "/token": lambda body: (200, {"access_token": "cms-1"}),
            "/api/posts": lambda body: (200, {"url": f"/posts/{body['id']}"}),
            "/users": lambda body: (200, {"users": USERS}),
            "/users/2": lambda body: (200, {"id": 2, **body}),
            "/users/3": lambda body: (200, {"id": 3, **body}),
            "/hooks/T0/B0": lambda body: (200, {"ok": True}),
            "/jobs": lambda body: (202, {"id": "j1"}),
            "/jobs/j1/result": lambda body: (200, {"download_url": "https://d.example/1", "rows": 7}),
            "/loads": lambda body: (200, {}),
            "/regions": lambda body: (200, {"items": [{"host": f"{host}/{name}"} for name in ("eu", "us", "ap")]}),
            "/eu/purge": lambda body: (200, {"purged": 3}),
            "/us/purge": lambda body: (404, {"purged": 0}),
            "/ap/purge": lambda body: (302, {"purged": 1}),
            "/events": lambda body: (201, {}),
        }


def check(site: Site, example: Example, output: Any) -> None:
    """What the example has done, whichever way it was run."""
    assert site.served == example.calls, "each call counts once"
    if example.name == "publish":
        assert output["auth"] == {"access_token": "cms-1"}
        assert output["published"] == [{"url": f"/posts/p{n}"} for n in range(6)]
        assert site.bodies["POST /token"] == {"workspace_id": "<default-project>"}
        assert site.headers["POST /token"]["Authorization"] == f"Bearer {TOKEN}"
        assert site.headers["POST /api/posts p5"]["Authorization"] == "Bearer cms-1"
    elif example.name == "disable":
        assert (output["seen"], [user["id"] for user in output["stale"]]) == (4, [2, 3])
        assert output["disabled"] == [{"id": 2, "enabled": False}, {"id": 3, "enabled": False}]
        assert site.bodies["POST /hooks/T0/B0"] == {"text": "Disabled 2 of 4 users"}
        assert site.headers["GET /users"]["Authorization"] == f"Bearer {TOKEN}"
    elif example.name == "export":
        assert output == {"job": {"id": "j1"}, "result": {"download_url": "https://d.example/1", "rows": 7}}
        assert site.bodies["POST /jobs"] == {"kind": "full", "since": "2026-11-20"}
        assert site.bodies["PUT /loads"] == {"url": "https://d.example/1", "rows": "7"}
        assert site.headers["PUT /loads"]["X-Load"] == "nightly"
    else:
        assert output["purged"] == [{"purged": 3}, {"purged": 0}, {"purged": 1}]
        assert site.bodies["POST /events"] == {"regions": 3, "codes": [200, 404, 302]}
