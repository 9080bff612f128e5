"""One `ostro serve` process: started, paused, killed and started again."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.e2e.server import environment
from tests.faults.servers import PATIENCE, until
from tests.ports import free_port

_READY = re.compile(r"is ready at ")
_CLOCK = Path(__file__).with_name("clock.c")


def has_compiler() -> bool:
    return shutil.which("cc") is not None


def wrong_clock(folder: Path, seconds: int) -> dict[str, str]:
    """Variables for a process whose time of day is off by that much."""
    library = folder / "clock.so"
    if not library.exists():
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(_CLOCK)], check=True)
    return {"LD_PRELOAD": str(library), "OSTRO_TEST_CLOCK_OFF": str(seconds)}


class Part:
    """A process with some roles. Its log is a file; `since` marks where the present life began."""

    def __init__(self, folder: Path, name: str, *options: str, **variables: str) -> None:
        self.name = name
        self.port = free_port()
        self.log = folder / f"{name}.log"
        self.kills = 0
        self._options = options
        self._variables = dict(variables)
        self._folder = folder
        self._since = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def use_program(self, path: Path) -> None:
        """From its next start on: the package `ostro` in that folder."""
        self._variables["PYTHONPATH"] = str(path)

    def begin(self) -> None:
        """Start; `await_ready` says when it is up."""
        assert self._process is None, self.name
        command = [sys.executable, "-m", "ostro", "serve", "--port", str(self.port), *self._options]
        self._since = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, env=environment(self._folder, **self._variables)
            )

    def said(self, *, whole: bool = False) -> str:
        """Its log since it was started the last time."""
        text = self.log.read_bytes() if self.log.exists() else b""
        return text[0 if whole else self._since :].decode(errors="replace")

    def await_ready(self) -> None:
        def holds() -> bool:
            assert self.is_running, f"{self.name} ended at its start:\n{self.said()[-3000:]}"
            return _READY.search(self.said()) is not None

        try:
            until(holds, f"{self.name} is ready")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said()[-3000:]}") from None

    def start(self) -> None:
        self.begin()
        self.await_ready()

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE)
        self._process = None
        self.kills += 1

    def pause(self) -> None:
        """SIGSTOP."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self._process is not None
        self._process.terminate()
        try:
            status = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not stop:\n{self.said()[-3000:]}") from None
        self._process = None
        return status

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None
