"""What this machine can do at best, measured in the same run: the figures beside which Ostro's are read."""

import asyncio
import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import aiohttp

_APP = """
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b"{}"})
"""


def commits_per_second(folder: Path, seconds: float = 1.5) -> float:
    """Durable SQLite commits of one row each (WAL, synchronous=FULL)."""
    connection = _database(folder / "commits.db")
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        connection.execute("INSERT INTO rows VALUES (?, ?)", (str(count), "x"))
        connection.commit()
        count += 1
    return count / (time.perf_counter() - start)


def rows_per_second(folder: Path, count: int = 60_000) -> float:
    """Rows of 400 bytes with a text key, 300 in each durable commit."""
    connection = _database(folder / "rows.db")
    payload = json.dumps({"x": "y" * 380})
    start = time.perf_counter()
    for first in range(0, count, 300):
        rows = [(f"{number:036d}", payload) for number in range(first, first + 300)]
        connection.executemany("INSERT INTO rows VALUES (?, ?)", rows)
        connection.commit()
    return count / (time.perf_counter() - start)


def _database(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE rows (id TEXT PRIMARY KEY, data TEXT) WITHOUT ROWID")
    return connection


async def requests_per_second(folder: Path, seconds: float = 1.5, clients: int = 20) -> float:
    """Requests to an application that does nothing, on the same server program that Ostro uses."""
    (folder / "empty_app.py").write_text(_APP)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "empty_app:app", "--port", str(port), "--log-level", "error"]
    process = _spawn(command, folder)
    try:
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{port}/"
            await _until_up(session, url)
            count = 0
            end = time.perf_counter() + seconds

            async def client() -> None:
                nonlocal count
                while time.perf_counter() < end:
                    async with session.get(url) as response:
                        await response.read()
                    count += 1

            await asyncio.gather(*(client() for _ in range(clients)))
            return count / seconds
    finally:
        process.terminate()
        process.wait()


def _spawn(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)})


async def _until_up(session: aiohttp.ClientSession, url: str) -> None:
    for _ in range(200):
        try:
            async with session.get(url):
                return
        except aiohttp.ClientError:
            await asyncio.sleep(0.05)
    raise RuntimeError(f"{url} does not answer")
