"""A PostgreSQL and a NATS server of a test's own, which it may kill, restart, empty, fail over.

PostgreSQL refuses to run as root: then it runs as `postgres` (or `nobody`), in a folder of that user.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from tests.faults.net import free_port

PATIENCE = 60.0  # seconds; only a hang takes that long


def until(holds: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """The value of a condition once it is true. AssertionError if it never is."""
    end = time.monotonic() + patience
    while not (value := holds()):
        assert time.monotonic() < end, f"{what}: not within {patience:g} s"
        time.sleep(0.02)
    return value


def program(name: str) -> str | None:
    """The path of a program of PostgreSQL, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(found[-1]) if found else None)


def missing() -> str:
    """What is not on this machine, or ""."""
    names = [name for name in ("initdb", "postgres", "pg_basebackup") if program(name) is None]
    return ", ".join(names + ([] if shutil.which("nats-server") else ["nats-server"]))


def _user() -> dict[str, Any]:
    """Options for subprocess: who PostgreSQL runs as."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise AssertionError("no user that PostgreSQL could run as")


def _run(name: str, *options: str) -> None:
    path = program(name)
    assert path is not None
    done = subprocess.run([path, *options], capture_output=True, text=True, cwd="/", **_user())
    assert done.returncode == 0, done.stderr + done.stdout


_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",  # the machine stays up; what a killed server must keep, the kernel keeps
    "max_connections": "60",
    "shared_buffers": "32MB",
    "wal_level": "replica",
    "max_wal_senders": "4",
    "hot_standby": "on",
    "max_prepared_transactions": "0",
    "log_min_messages": "warning",
    "wal_sender_timeout": "2s",
}


class Postgres:
    """A server in `folder` on a port that stays the same. `primary`: be a streaming standby of that one."""

    def __init__(self, folder: Path, *, primary: "Postgres | None" = None) -> None:
        self.port = free_port()
        self.data = folder / "data"
        self.log = folder / "postgres.log"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        who = _user()
        if who:
            os.chown(folder, who["user"], who["group"])
        if primary is None:
            _run("initdb", "-D", str(self.data), "-U", "ostro", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        else:
            _run("pg_basebackup", "-D", str(self.data), "-R", "-c", "fast", "-h", "127.0.0.1", "-p", str(primary.port),
                 "-U", "ostro", "--no-sync")  # fmt: skip

    def url(self, port: int | None = None, database: str = "ostro") -> str:
        """Through another port, if one is given (a cable's)."""
        return f"postgresql://ostro@127.0.0.1:{port or self.port}/{database}"

    def start(self, **options: str) -> None:
        path = program("postgres")
        assert path is not None
        given = {**_OPTIONS, **options, "port": str(self.port), "unix_socket_directories": str(self._folder)}
        settings = [word for name, value in given.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [path, "-D", str(self.data), *settings], stdout=log, stderr=log, cwd="/", **_user()
            )
        until(self._answers, f"PostgreSQL\n{self.log.read_text(errors='replace')[-2000:]}")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text(errors="replace")[-2000:]
        try:
            self.query("SELECT 1", database="postgres")
        except psycopg.OperationalError:
            return False
        return True

    def query(self, text: str, database: str = "ostro") -> list[tuple[Any, ...]]:
        """Rows, in a connection of its own that goes around all cables."""
        with psycopg.connect(self.url(database=database), autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(text.encode())
            return cursor.fetchall() if cursor.description else []

    def stop(self) -> None:
        """Cleanly; connections are ended."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """At once, without a checkpoint: it has to recover from its log."""
        self._end(signal.SIGQUIT)

    def kill(self) -> None:
        """kill -9 of the postmaster; its children find out and go."""
        self._end(signal.SIGKILL)
        until(lambda: not self._children(), "PostgreSQL's children are gone")

    def pids(self) -> list[int]:
        """Of the postmaster and its children."""
        assert self._process is not None
        return [self._process.pid, *map(int, self._children())]

    def _children(self) -> list[str]:
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if path.read_bytes().startswith(b"postgres:"):
                    folder = os.readlink(path.parent / "cwd")
                    if folder == str(self.data):
                        found.append(path.parent.name)
        return found

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE)
            self._process = None

    def revive(self) -> None:
        """Start it if it has ended by itself; returns when it takes writes."""
        if self._process is not None and self._process.poll() is not None:
            self._process = None
            until(lambda: not self._children(), "PostgreSQL's children are gone")
        if self._process is None:
            self.start()
        until(self._answers, "PostgreSQL")

    def promote(self) -> None:
        """Make the standby a primary; returns when it takes writes."""
        self.query("SELECT pg_promote(true, 60)", database="postgres")

    def close(self) -> None:
        if self._process is not None:
            self.crash()


class Nats:
    """nats-server with JetStream, on a port that stays the same."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.log = folder / "nats.log"
        self._store = folder / "nats"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._store.mkdir(parents=True, exist_ok=True)
        command = ["nats-server", "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self._store)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until(self._answers, "nats-server")

    def _answers(self) -> bool:
        import socket

        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.settimeout(1)
                return connection.recv(4) == b"INFO"
        except OSError:
            return False

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None

    def empty(self) -> None:
        """Forget everything that was on the disk."""
        assert self._process is None
        shutil.rmtree(self._store)

    def close(self) -> None:
        self.kill()


def new_folder(prefix: str) -> Path:
    """A folder that other users may go through, unlike pytest's."""
    path = Path(tempfile.mkdtemp(prefix=prefix))
    path.chmod(0o755)
    return path
