"""`ostro run FILE`: the examples run from the command line; an engine that was stopped between two attempts goes on."""

import asyncio
import json
import sys
from pathlib import Path

from aiohttp import web

from tests.e2e.automations.local import EXAMPLES, end_of, running, site, start
from tests.e2e.server import PATIENCE, environment


async def ostro_run(folder: Path, name: str, *arguments: str, apis: str) -> tuple[int, dict]:
    """The exit status and the document that `ostro run --json` prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ostro", "run", str(EXAMPLES / f"{name}.yaml"), "--json", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(folder, OSTRO_SYSTEM_APIS=apis),
    )
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert out, err.decode()
    return process.returncode or 0, json.loads(out)


async def test_publish_posts_from_the_command_line(tmp_path):
    async def token(request: web.Request) -> web.Response:
        return web.json_response({"access_token": "cms-1"})

    async def publish(request: web.Request) -> web.Response:
        return web.json_response({"url": f"/posts/{request.headers['Idempotency-Key']}"})

    async with site({"POST /token": token, "POST /posts": publish}) as here:
        status, shown = await ostro_run(
            tmp_path, "publish_posts", "-i", 'posts=[{"id": "a"}, {"id": "b"}]', apis=f"cms={here.url}"
        )
    assert status == 0, shown
    assert shown["output"]["published"] == ["/posts/a", "/posts/b"]
    assert [(task["name"], task["state"]) for task in shown["tasks"]] == [("auth", "SUCCESS"), ("publish", "SUCCESS")]


async def test_a_failed_call_is_status_1_and_names_step_and_cause(tmp_path):
    async def refuses(request: web.Request) -> web.Response:
        return web.json_response({}, status=403)

    async with site({"POST /token": refuses}) as here:
        status, shown = await ostro_run(tmp_path, "publish_posts", "-i", "posts=[]", apis=f"cms={here.url}")
    assert status == 1
    assert "Step 'auth'" in shown["state_info"]
    assert "403" in shown["state_info"]


POLL = """
name: poll
steps:
  - name: wait
    apispec: {url: "{{ INPUT.url }}", headers: {X-Attempt: "{{ CURRENT_STEP.attempt }}"}}
    retry: {total: 5, status_forcelist: [404], respect_retry_after_header: true}
    output: result
"""


async def test_a_run_goes_on_where_it_was_when_the_engine_stopped_between_two_attempts(tmp_path):
    asked, answered = asyncio.Event(), asyncio.Event()

    async def later(request: web.Request) -> web.Response:
        asked.set()
        if request.headers["X-Attempt"] == "3":
            answered.set()
            return web.json_response({"rows": 7})
        return web.json_response({}, status=404)

    retry_later = POLL.replace("respect_retry_after_header: true", "backoff_factor: 0.5")
    async with site({"GET /": later}) as here:
        async with running(tmp_path) as engine:
            id = await start(engine, retry_later, {"url": here.url})
            await asyncio.wait_for(asked.wait(), PATIENCE)
        async with running(tmp_path) as engine:
            await asyncio.wait_for(answered.wait(), PATIENCE)
            done = await end_of(engine, id)
    assert (done.state, done.output) == ("SUCCESS", {"result": {"rows": 7}})
    attempts = [headers["X-Attempt"] for headers in here.headers]
    assert attempts in (["1", "2", "3"], ["1", "1", "2", "3"]), "an attempt may be repeated, none may be lost"
