"""A private nats-server with JetStream for a test: on a free port, in a folder of its own."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.ports import free_port

_PATHS = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin")
_START = 30.0  # seconds


def _binary() -> str | None:
    return shutil.which("nats-server", path=os.pathsep.join([os.environ.get("PATH", ""), *_PATHS]))


def missing() -> str | None:
    """Why no server can be started here; None: it can."""
    return None if _binary() else "nats-server is not installed (Debian: apt-get install nats-server)"


class NatsServer:
    """`with NatsServer(folder) as server:`. `settings`: lines for its configuration file, such as `authorization {}`;
    `variables`: of its environment, which the settings may name."""

    def __init__(self, folder: Path, settings: str = "", variables: Mapping[str, str] | None = None) -> None:
        self._variables = dict(variables or {})
        self.folder = folder
        self.settings = settings
        self.jetstream = True
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        return self._process is not None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """On the same port as before; returns when it answers."""
        config = self._configure()
        with (self.folder / "nats.log").open("ab") as log:
            self._process = subprocess.Popen(
                [_binary() or "nats-server", "-c", str(config)],
                env={**os.environ, **self._variables},
                cwd=config.parent,  # 2.9 writes into it at times when a consumer is removed
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _START
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"nats-server did not start:\n{self.log()}")
            time.sleep(0.02)

    def reload(self) -> None:
        """Read the settings again while it runs."""
        self._configure()
        os.kill(self.pid, signal.SIGHUP)

    def stop(self) -> None:
        """In an orderly way."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def wipe(self) -> None:
        """Throw its storage away; it must not run."""
        assert self._process is None
        shutil.rmtree(self.folder / "store", ignore_errors=True)

    def log(self) -> str:
        return (self.folder / "nats.log").read_text("utf-8", "replace")

    def _configure(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "nats.conf"
        jetstream = f'jetstream {{ store_dir: "{self.folder}/store" }}\n' if self.jetstream else ""
        config.write_text(f"host: 127.0.0.1\nport: {self.port}\n{jetstream}{self.settings}\n")
        return config

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.send_signal(number)
        process.wait()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as stream:
                return stream.recv(4) == b"INFO"
        except OSError:
            return False
