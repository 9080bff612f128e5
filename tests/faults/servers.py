"""A PostgreSQL and a NATS server of a test's own, which it may kill, restart, empty, fail over."""

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests import servers_nats, servers_postgres
from tests.servers_nats import NatsServer
from tests.servers_postgres import PostgresServer

PATIENCE = 60.0  # seconds; only a hang takes that long


def until(holds: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """The value of a condition once it is true. AssertionError if it never is."""
    end = time.monotonic() + patience
    while not (value := holds()):
        assert time.monotonic() < end, f"{what}: not within {patience:g} s"
        time.sleep(0.02)
    return value


def missing() -> str:
    """What is not on this machine, or ""."""
    return servers_postgres.missing() or servers_nats.missing() or ""


_OPTIONS = {
    "full_page_writes": "on",
    "autovacuum_naptime": "1min",
    "max_wal_size": "1GB",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "max_wal_senders": "4",
    "hot_standby": "on",
    "max_prepared_transactions": "0",
    "wal_sender_timeout": "2s",
}


class Postgres:
    """A server in `folder` on a port that stays the same. `primary`: be a streaming standby of that one."""

    def __init__(self, folder: Path, *, primary: "Postgres | None" = None) -> None:
        # Without waiting for the disk: the machine stays up, and what a killed server must keep, the kernel keeps.
        self._server = PostgresServer(folder, superuser="ostro", unix_socket_directories=str(folder), **_OPTIONS)
        self.port = self._server.port
        self.log = self._server.log
        if primary is None:
            self._server.create()
        else:
            self._server.create_standby(primary._server)

    def url(self, port: int | None = None, database: str = "ostro") -> str:
        """Through another port, if one is given (a cable's)."""
        return self._server.url(database, port)

    def start(self, **options: str) -> None:
        self._server.start(**options)

    def query(self, text: str, database: str = "ostro") -> list[tuple[Any, ...]]:
        """Rows, in a connection of its own that goes around all cables."""
        return self._server.execute(text, database)

    def stop(self) -> None:
        """Cleanly; connections are ended."""
        self._server.stop()

    def crash(self) -> None:
        """At once, without a checkpoint: it has to recover from its log."""
        self._server.stop(signal.SIGQUIT)

    def kill(self) -> None:
        """kill -9 of the postmaster; its children find out and go."""
        self._server.stop(signal.SIGKILL)
        until(lambda: not self._children(), "PostgreSQL's children are gone")

    def pids(self) -> list[int]:
        """Of the postmaster and its children."""
        return [self._server.pid, *map(int, self._children())]

    def _children(self) -> list[str]:
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if path.read_bytes().startswith(b"postgres:"):
                    folder = os.readlink(path.parent / "cwd")
                    if folder == str(self._server.data):
                        found.append(path.parent.name)
        return found

    def revive(self) -> None:
        """Start it if it has ended by itself; returns when it answers."""
        if self._server.has_ended():
            self._server.stop()
            until(lambda: not self._children(), "PostgreSQL's children are gone")
        if not self._server.is_started:
            self._server.start()
        until(self._server.answers, "PostgreSQL")

    def promote(self) -> None:
        """Make the standby a primary; returns when it takes writes."""
        self.query("SELECT pg_promote(true, 60)", database="postgres")

    def close(self) -> None:
        self.crash()


class Nats(NatsServer):
    """With the words that a `Postgres` has too."""

    def empty(self) -> None:
        """Forget everything that was on the disk."""
        self.wipe()

    def close(self) -> None:
        self.kill()


def new_folder(prefix: str) -> Path:
    """A folder that other users may go through, unlike pytest's."""
    path = Path(tempfile.mkdtemp(prefix=prefix))
    path.chmod(0o755)
    return path
