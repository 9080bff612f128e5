"""A real Ostro server in a process of its own, for tests. Waits for facts: the line that says it is ready, its end."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

READY = re.compile(r"is ready at (http://[^\s\"]+)")
PATIENCE = 60  # seconds; only a hang takes that long


def environment(folder: Path, **more: str) -> dict[str, str]:
    """This process's environment without settings of Ostro, with homes in a folder of the test's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OSTRO_", "XDG_"))}
    return kept | {"HOME": str(folder), "PYTHONUNBUFFERED": "1"} | more


class Server:
    """`with Server(tmp_path) as server: httpx.get(server.url)`. Can be killed and started again on the same data."""

    def __init__(self, folder: Path, *options: str, **variables: str) -> None:
        self.database = folder / "ostro.sqlite3"
        self.port = 0
        self.lines: list[str] = []
        self._folder = folder
        self._options = options
        self._variables = variables
        self._process: subprocess.Popen[str] | None = None

    @property
    def arguments(self) -> list[str]:
        """Of `ostro serve`, before the options."""
        return ["--port", str(self.port), "--database", str(self.database)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.kill()
        if error is not None:
            print("".join(self.lines[-60:]))

    def start(self) -> None:
        """Start and wait until it is ready; later starts use the same port and database."""
        command = [sys.executable, "-m", "ostro", "serve", *self.arguments]
        self._process = subprocess.Popen(
            [*command, *self._options],
            stderr=subprocess.PIPE,
            text=True,
            env=environment(self._folder, **self._variables),
        )
        self._new_lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read_log, args=(self._process,), daemon=True)
        self._reader.start()
        ready = self.wait_for_line(READY)
        self.port = int(ready[1].rpartition(":")[2])

    def _read_log(self, process: "subprocess.Popen[str]") -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                self.lines.append(line)
                self._new_lines.put(line)
        self._new_lines.put(None)

    def wait_for_line(self, pattern: re.Pattern[str]) -> re.Match[str]:
        """The next log line that matches. AssertionError if the server ends before."""
        while (line := self._new_lines.get(timeout=PATIENCE)) is not None:
            if match := pattern.search(line):
                return match
        raise AssertionError(f"The server ended without a line like {pattern.pattern!r}:\n{''.join(self.lines)}")

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait(self) -> int:
        """The exit status, when it has ended by itself. All its log lines are there then."""
        assert self._process is not None
        status = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        self._process = None
        return status

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self.wait()
