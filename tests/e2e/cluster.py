"""A cluster of real processes on one machine, for tests: PostgreSQL, NATS, and Ostro in any roles."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import httpx

from tests.e2e.server import PATIENCE, Server
from tests.servers_nats import NatsServer

TEXT = """
version: '2.0'
quick: {tasks: {a: {action: std.echo output=1, on-success: b}, b: {action: std.noop}}}
waits: {tasks: {a: {action: std.noop, wait-before: 2}}}
slow:
  tasks:
    a: {action: std.javascript script='return 20 + 1', on-success: b}
    b: {action: std.noop, wait-before: 2, on-success: c}
    c: {action: std.javascript script='return 20 + 1'}
"""


class Process(Server):
    """One process of the cluster."""

    def __init__(self, folder: Path, name: str, *options: str, **variables: str) -> None:
        (folder / name).mkdir(exist_ok=True)
        super().__init__(folder / name, *options, **variables)

    @property
    def arguments(self) -> list[str]:
        return ["--port", str(self.port)]

    @property
    def name(self) -> str:
        """As /v2/services shows it."""
        return f"{socket.gethostname()}_{self.pid}"


class Cluster:
    """`with Cluster(folder, url, nats) as cluster: api = cluster.start("api")`."""

    def __init__(self, folder: Path, database: str, nats: NatsServer | None) -> None:
        self.database = database
        self.nats = nats
        self.processes: list[Process] = []
        self._folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while Api.open:
            Api.open.pop().close()
        for process in self.processes:
            process.__exit__(kind, error, trace)

    def start(self, roles: str, *options: str) -> Process:
        """Start a process and wait until it is ready."""
        given = ["--roles", roles, *options]
        if self.nats is not None:
            given += ["--nats", self.nats.url]
        if roles != "executor":
            given += ["--database", self.database]
        process = Process(self._folder, f"p{len(self.processes)}", *given)
        process.start()
        self.processes.append(process)
        return process


class Api:
    """What a client does through one API process."""

    open: ClassVar[list[httpx.Client]] = []  # closed with the cluster

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=60, trust_env=False)
        self.open.append(self.http)

    def upload(self, text: str, method: str = "POST") -> None:
        answer = self.http.request(method, "/v2/workflows", content=text)
        assert answer.status_code in (200, 201), answer.text

    def begin(self, workflow: str, **more: Any) -> str:
        """The new execution's id; asked again while the engine cannot be reached."""
        end = time.monotonic() + PATIENCE
        while True:
            answer = self.http.post("/v2/executions", json={"workflow_name": workflow, **more})
            if answer.status_code == 201:
                return str(answer.json()["id"])
            assert answer.status_code == 503, answer.text
            assert time.monotonic() < end, answer.text
            time.sleep(0.2)

    def execution(self, id: str) -> dict[str, Any]:
        answer = self.http.get(f"/v2/executions/{id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def ended(self, id: str) -> str:
        """Its final state."""
        until(lambda: self.execution(id)["state"] not in ("RUNNING", "IDLE", "PAUSED"), f"the end of {id}")
        return str(self.execution(id)["state"])

    def services(self) -> list[tuple[str, str]]:
        found = self.http.get("/v2/services").json()["services"]
        return [(one["name"], one["type"].removesuffix("_group")) for one in found]

    def shards(self) -> int:
        """How many shards the process behind this address owns."""
        text = self.http.get("/metrics").text
        return int(float(next(line.split()[1] for line in text.splitlines() if line.startswith("ostro_shards "))))


def until(happened: Callable[[], bool], what: str) -> None:
    """Wait for something that must come."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)
