"""An automation goes on after kill -9: between two attempts, and with calls in flight."""

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

EXECUTION = "6f1d8f5e-3f0e-4c53-9a55-0a5a6a3c1d11"


class Server:
    """Fails each path's first two calls. `reached(n)` returns when n calls have come."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.url = ""
        self._came = asyncio.Condition()

    async def handle(self, request: web.Request) -> web.Response:
        self.calls[request.path] += 1
        async with self._came:
            self._came.notify_all()
        if self.calls[request.path] <= 2:
            return web.json_response({"no": "not yet"}, status=503)
        return web.json_response({"path": request.path})

    async def reached(self, count: int) -> None:
        async with self._came:
            await self._came.wait_for(lambda: self.calls.total() >= count)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


def automation(url: str) -> dict[str, Any]:
    retry = {"total": 5, "status_forcelist": [503], "backoff_factor": 0.1}
    return {
        "name": "w",
        "default_retry": retry,
        "steps": [
            {"name": "one", "apispec": {"url": f"{url}/one"}, "output": "one"},
            {
                "name": "many",
                "input": "INPUT.v",
                "concurrency": 3,
                "apispec": {"url": f"{url}/many/{{{{ CURRENT_STEP.input }}}}"},
                "output": "many",
            },
            {"name": "last", "apispec": {"url": f"{url}/last/{{{{ many | length }}}}"}},
        ],
    }


async def spawn(folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.e2e.automation_child",
        str(folder / "ostro.sqlite3"),
        EXECUTION,
        str(folder / "automation.json"),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )


async def test_killed_again_and_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "automation.json").write_text(json.dumps(automation(server.url)))
    for calls in (1, 4, 12):  # in waits, between attempts, with calls in flight
        child = await spawn(tmp_path)
        await server.reached(calls)
        child.send_signal(signal.SIGKILL)
        await child.wait()
    child = await spawn(tmp_path)
    output, _ = await child.communicate()
    assert output.decode().strip() == "SUCCESS"
    assert set(server.calls) == {"/one", *(f"/many/{n}" for n in range(6)), "/last/6"}
    # Two failures and a success each; a call whose report was lost in a kill is made once more.
    assert all(count >= 3 for count in server.calls.values())
    assert server.calls.total() <= 3 * 8 + 3 * 3
