"""A fresh Ostro server in a folder of its own, and what its process uses."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

import aiohttp

_TICKS = os.sysconf("SC_CLK_TCK")


def _spawn(command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdout=log, stderr=log)


class Server:
    """Started by `start`; talks JSON; counts the CPU of the process and its children."""

    def __init__(self, folder: Path, database: str = "", *options: str) -> None:
        """`database`: a URL; empty: a SQLite file in the folder."""
        self._folder = folder
        self._database = database or f"sqlite:///{folder}/bench.sqlite3"
        self._options = options
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}/v2"
        self._process: subprocess.Popen[bytes] | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> float:
        """Returns the seconds until the API answered."""
        command = [
            str(Path(sys.executable).parent / "ostro"),
            "serve",
            "--port",
            str(self.port),
            "--database",
            self._database,
            *self._options,
        ]
        started = time.perf_counter()
        with (self._folder / "server.log").open("wb") as log:
            self._process = _spawn(command, log)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        while True:
            try:
                await self.call("GET", "/")
                return time.perf_counter() - started
            except aiohttp.ClientError:
                if self._process.poll() is not None or time.perf_counter() - started > 30:
                    raise
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)

    async def call(self, method: str, path: str, body: Any = None, text: str | None = None) -> Any:
        assert self._session is not None
        headers = {"Content-Type": "text/plain"} if text is not None else None
        async with self._session.request(method, self.base + path, json=body, data=text, headers=headers) as response:
            if response.status >= 400:
                raise RuntimeError(f"{method} {path}: {response.status} {(await response.text())[:300]}")
            return await response.json() if response.content_length else None

    async def upload(self, text: str) -> None:
        await self.call("POST", "/workflows", text=text)

    async def begin(self, workflow: str, given: dict[str, Any] | None = None) -> str:
        started = await self.call("POST", "/executions", {"workflow_name": workflow, "input": given or {}})
        return str(started["id"])

    async def finish(self, execution_id: str, nap: float = 0.002) -> None:
        """Poll until SUCCESS; anything else that is final is an error."""
        while True:
            state = (await self.call("GET", f"/executions/{execution_id}?fields=id,state"))["state"]
            if state == "SUCCESS":
                return
            if state in ("ERROR", "CANCELLED"):
                raise RuntimeError(f"execution {execution_id} ended {state}")
            await asyncio.sleep(nap)

    async def run(self, workflow: str, given: dict[str, Any] | None = None) -> float:
        """Seconds from POST to the GET that shows SUCCESS."""
        started = time.perf_counter()
        await self.finish(await self.begin(workflow, given))
        return time.perf_counter() - started

    def cpu(self) -> float:
        """CPU seconds used by the process so far."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(int(field) for field in fields[11:15]) / _TICKS

    def memory(self) -> float:
        """MiB (proportional set size)."""
        assert self._process is not None
        for line in Path(f"/proc/{self._process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
        return 0.0
