"""HTTP automations: calls a second, CPU per call, memory of a large fan-out.

    python -m bench.automation [--calls 6000] [--in-flight 200] [--items 10000]

The engine, its executor and the SQLite store run in this process, as in `ostro serve`; the server that is called is a
process of its own that answers after 50 ms. CPU is this process's (all threads). Each call is two durable records: the
attempt handed out, and its result.
"""

import argparse
import asyncio
import gc
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import uvloop

from ostro.app import Core, open_core
from ostro.config import load
from ostro.lang.automation import generated_definition, parse_automation
from ostro.model.commands import StartExecution
from ostro.testing import rows

MIB = 1024 * 1024
BODY = b'{"ok":true,"id":12345}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)


class Slow(asyncio.Protocol):
    """Answers every request after a while, and does nothing else."""

    wait = 0.05

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        for _ in range(data.count(b"\r\n\r\n")):
            asyncio.get_running_loop().call_later(self.wait, self.answer)

    def answer(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(HEAD + BODY)


async def serve(wait: float) -> None:
    Slow.wait = wait
    server = await asyncio.get_running_loop().create_server(Slow, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def automation(url: str, in_flight: int) -> dict[str, object]:
    spec = {"url": url, "headers": {"X-Item": "{{ CURRENT_STEP.input }}"}, "timeout": 30}
    return {
        "name": "fan out",
        "steps": [{"name": "call", "input": "INPUT.numbers", "concurrency": in_flight, "apispec": spec}],
    }


async def fan_out(core: Core, url: str, calls: int, in_flight: int) -> None:
    """One run to its end. Fails if it was no success."""
    spec = parse_automation(automation(url, in_flight), max_concurrency=10_000)
    record = rows.workflow(spec.workflow_name, definition=generated_definition(spec), namespace="automation")
    await core.store.save_workflows([record], [], [rows.revision(record)])
    id = core.engine.new_id()
    items = {"INPUT": {"numbers": list(range(calls))}}
    await core.engine.submit(
        StartExecution(root_id=id, workflow=spec.workflow_name, namespace="automation", input=items)
    )
    await core.engine.wait_finished(id, id, 600)
    [stored] = await core.store.load_executions([id])
    assert stored.record.state == "SUCCESS", stored.record.state_info


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident() -> float:
    gc.collect()
    return float(psutil.Process().memory_info().rss)


async def throughput(core: Core, url: str, calls: int, in_flight: int) -> None:
    await fan_out(core, url, in_flight * 2, in_flight)  # connections, caches
    began, used = time.perf_counter(), cpu()
    await fan_out(core, url, calls, in_flight)
    seconds, used = time.perf_counter() - began, cpu() - used
    print(f"{in_flight} in flight: {calls / seconds:8.0f} calls/s   {used / calls * 1000:6.3f} ms CPU per call")


async def memory(core: Core, url: str, items: int, in_flight: int) -> None:
    await fan_out(core, url, 1000, in_flight)
    before, most = resident(), 0.0
    task = asyncio.create_task(fan_out(core, url, items, in_flight))
    while not task.done():
        most = max(most, psutil.Process().memory_info().rss)
        await asyncio.wait([task], timeout=0.1)
    await task
    print(
        f"{items} items: at most {(most - before) / MIB:6.1f} MiB more while it runs, "
        f"{(resident() - before) / MIB:6.1f} MiB more after it"
    )


async def measure(port: int, options: argparse.Namespace) -> None:
    url = f"http://127.0.0.1:{port}/x"
    with tempfile.TemporaryDirectory(prefix="ostro-bench-") as folder:
        settings = load({"database": str(Path(folder) / "ostro.sqlite3"), "action_concurrency": options.in_flight})
        async with open_core(settings) as core:
            await throughput(core, url, options.calls, options.in_flight)
            await memory(core, url, options.items, options.in_flight)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=6000)
    parser.add_argument("--in-flight", type=int, default=200)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--serve", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        uvloop.run(serve(options.serve))
        return
    command = [sys.executable, "-m", "bench.automation", "--serve", "0.05"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as server:
        assert server.stdout is not None
        try:
            uvloop.run(measure(int(server.stdout.readline()), options))
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
