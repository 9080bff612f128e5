"""kill -9 at random moments: everything that was answered goes on, nothing is done twice.

OSTRO_TEST_SEED repeats a run, OSTRO_TEST_KILLS and OSTRO_TEST_EXECUTIONS make it longer.
"""

import asyncio
import contextlib
import json
import os
import random
import threading
from collections import Counter
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.server import Server

EXECUTIONS = int(os.environ.get("OSTRO_TEST_EXECUTIONS", "300"))
KILLS = int(os.environ.get("OSTRO_TEST_KILLS", "4"))
SEED = int(os.environ.get("OSTRO_TEST_SEED", "0")) or random.randrange(1, 10**9)
POSTERS = 8

STEPS = "".join(
    f"""
    s{n}:
      action: std.echo output=<% $.count + 1 %>{" delay=0.1" if n % 3 == 0 else ""}
      publish: {{count: <% task().result %>}}
      on-success: {f"s{n + 1}" if n < 10 else "[left, right]"}"""
    for n in range(1, 11)
)

MIXED = f"""
version: '2.0'
mixed:
  input: [peer, key]
  vars: {{count: 0}}
  output:
    count: <% $.count %>
    items: <% $.items %>
    heard: <% $.heard %>
  tasks:{STEPS}
    left:
      with-items: i in <% range(5) %>
      action: std.echo output=<% $.i * $.i %> delay=0.05
      publish: {{items: <% task().result %>}}
      on-success: both
    right:
      action: std.http
      safe-rerun: true
      input: {{url: "<% $.peer %>/<% $.key %>"}}
      publish: {{heard: <% task().result.content.key %>}}
      on-success: both
    both:
      join: all
"""
TASKS = Counter([*(f"s{n}" for n in range(1, 11)), "left", "right", "both"])
ACTIONS_PER_EXECUTION = 10 + 5 + 1 + 1


class Peer:
    """What actions talk to; counts what it heard."""

    def __init__(self) -> None:
        self.heard: Counter[str] = Counter()
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                key = self.path.rpartition("/")[2]
                peer.heard[key] += 1
                body = json.dumps({"key": key}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *parts: object) -> None:
                pass

        class Patient(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """Who asked has been killed: no need to tell."""

        self._server = Patient(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Killer:
    """Kills the server when as many answers as drawn have been given, and starts it again."""

    def __init__(self, server: Server, moments: list[int]) -> None:
        self._server = server
        self._moments = sorted(moments)
        self._answers = 0

    @property
    def is_done(self) -> bool:
        return not self._moments

    def answered(self) -> None:
        """Blocks while the server starts: the requests under way are lost meanwhile, as they are for any client."""
        self._answers += 1
        if self._moments and self._answers >= self._moments[0]:
            self._moments.pop(0)
            self._server.kill()
            self._server.start()


async def request(client: httpx.AsyncClient, method: str, path: str, **more: Any) -> httpx.Response:
    """Asks again and again until there is an answer."""
    while True:
        with contextlib.suppress(httpx.TransportError):  # the server was killed; it is up again
            return await client.request(method, path, **more)


@pytest.mark.timeout(600)
async def test_killed_again_and_again_all_executions_finish_and_nothing_happens_twice(tmp_path: Path) -> None:
    print(f"OSTRO_TEST_SEED={SEED}")
    chance = random.Random(SEED)
    peer = Peer()
    with Server(tmp_path) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as client:
            sent = await client.post("/v2/workflows", content=MIXED, headers={"Content-Type": "text/plain"})
            assert sent.status_code == 201, sent.text
            while_posting = chance.sample(range(1, EXECUTIONS), KILLS // 2)
            while_running = [EXECUTIONS + chance.randrange(EXECUTIONS) for _ in range(KILLS - KILLS // 2)]
            killer = Killer(server, while_posting + while_running)
            ids = await post_all(client, killer, peer)
            await finish_all(client, killer, ids)
            assert killer.is_done, "every kill has happened"
            await check(client, ids, peer)
        peer.close()


async def post_all(client: httpx.AsyncClient, killer: Killer, peer: Peer) -> dict[str, str]:
    """Start all executions, several at a time. Key -> id, as answered."""
    keys = [f"k{n}" for n in range(EXECUTIONS)]
    ids: dict[str, str] = {}

    async def post() -> None:
        while keys:
            key = keys.pop()
            body = {"workflow_name": "mixed", "input": {"peer": peer.url, "key": key}}
            answer = await request(client, "POST", "/v2/executions", json=body, headers={"Idempotency-Key": key})
            assert answer.status_code == 201, answer.text
            ids[key] = answer.json()["id"]
            killer.answered()

    async with asyncio.TaskGroup() as group:
        for _ in range(POSTERS):
            group.create_task(post())
    return ids


async def finish_all(client: httpx.AsyncClient, killer: Killer, ids: dict[str, str]) -> None:
    """Wait for all executions, several at a time: each look at one counts as an answer."""
    left = list(ids.values())

    async def wait() -> None:
        while left:
            id = left.pop()
            state = "RUNNING"
            while state == "RUNNING":
                answer = await request(client, "GET", f"/v2/executions/{id}")
                assert answer.status_code == 200, f"an answered request was lost: {answer.text}"
                state = answer.json()["state"]
                killer.answered()
            assert state == "SUCCESS", answer.json()["state_info"]

    async with asyncio.TaskGroup() as group:
        for _ in range(POSTERS):
            group.create_task(wait())


async def check(client: httpx.AsyncClient, ids: dict[str, str], peer: Peer) -> None:
    executions = {e["id"]: e async for e in pages(client, "/v2/executions?include_output=true", "executions")}
    assert set(executions) == set(ids.values()), "each request made exactly one execution"
    for key, id in ids.items():
        output = json.loads(executions[id]["output"])
        assert output == {"count": 10, "items": [0, 1, 4, 9, 16], "heard": key}
    tasks: dict[str, Counter[str]] = {}
    async for task in pages(client, "/v2/tasks?fields=name,state,workflow_execution_id", "tasks"):
        tasks.setdefault(task["workflow_execution_id"], Counter())[task["name"]] += 1
        assert task["state"] == "SUCCESS"
    assert all(tasks[id] == TASKS for id in executions), "every task is there once"
    path = "/v2/action_executions?fields=state,accepted,task_execution_id"
    actions = [action async for action in pages(client, path, "action_executions")]
    assert len(actions) == ACTIONS_PER_EXECUTION * len(ids), "every action is there once"
    assert {action["state"] for action in actions} == {"SUCCESS"}
    assert set(peer.heard) == set(ids), "every action that goes outside did"


async def pages(client: httpx.AsyncClient, path: str, name: str) -> AsyncIterator[dict[str, Any]]:
    """All rows of a collection."""
    url: str | None = f"{path}&limit=500"
    while url:
        answer = await client.get(url)
        assert answer.status_code == 200, answer.text
        for row in answer.json()[name]:
            yield row
        url = answer.json().get("next")
