"""A private PostgreSQL for tests: its own folder, port and process, started once and gone with the tests.

    with PostgresServer() as server:
        url = server.new_database()

The binaries must be installed (Debian: `postgresql`); `missing()` says what is not. PostgreSQL refuses to run as root,
so a root user starts it as `postgres` or `nobody`.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from tests.ports import free_port

_PLACES = "/usr/lib/postgresql/*/bin"
_PROGRAMS = ("initdb", "postgres", "pg_basebackup")
_START_SECONDS = 60
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "autovacuum_naptime": "10s",
    "log_min_messages": "warning",
    "log_statement": "none",
    "max_wal_size": "512MB",
    "wal_level": "replica",
}


def binary(name: str) -> str | None:
    """The path of one of PostgreSQL's programs, the newest there is."""
    found = sorted(Path("/").glob(f"{_PLACES[1:]}/{name}"), key=lambda path: int(path.parts[4].split(".")[0]))
    return str(found[-1]) if found else shutil.which(name)


def missing() -> str | None:
    """Why PostgreSQL cannot be started here, or None."""
    for name in _PROGRAMS:
        if binary(name) is None:
            return f"PostgreSQL's {name} is not installed (Debian: apt-get install postgresql)"
    return None


def _other_user() -> pwd.struct_passwd | None:
    """Who runs the server; None: this user can."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("root cannot run PostgreSQL, and there is no user postgres or nobody")


class PostgresServer:
    """One cluster with one process. `durable`: commits wait for the disk, as in production. `superuser`: trusted on
    loopback.

    `folder`: not below pytest's temporary folders, which nobody but root may enter when root runs the tests. Without
    one it is a temporary folder that goes with the server.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        durable: bool = False,
        port: int | None = None,
        superuser: str = "postgres",
        **settings: str,
    ) -> None:
        self._own_folder = (
            None if folder else tempfile.TemporaryDirectory(prefix="ostro-pg-", ignore_cleanup_errors=True)
        )
        self.folder = folder or Path(self._own_folder.name)  # type: ignore[union-attr]
        self.data = self.folder / "data"
        self.log = self.folder / "postgres.log"
        self.port = port or free_port()
        self.superuser = superuser
        self._user = _other_user()
        disk = "on" if durable else "off"  # off: what is committed outlives the process, not the machine
        self._settings = {**_SETTINGS, "fsync": disk, "full_page_writes": disk, **settings}
        self._process: subprocess.Popen[bytes] | None = None
        self._count = 0
        self._template = ""

    def __enter__(self) -> Self:
        self.create()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(signal.SIGQUIT)
        if self._own_folder is not None:
            self._own_folder.cleanup()

    # ------------------------------------------------------------------ its life

    def run_as(self, program: str, *options: str) -> None:
        """Run one of PostgreSQL's programs to its end, as the server's user."""
        path = binary(program)
        assert path is not None
        command = [path, *options]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", **self._identity())  # type: ignore[call-overload]
        assert done.returncode == 0, done.stderr + done.stdout

    def create(self) -> None:
        """Make the cluster."""
        self._hand_over()
        self.run_as("initdb", "-D", str(self.data), "-U", self.superuser, "-A", "trust", "-E", "UTF8", "--locale=C",
                    "--no-sync", "--no-instructions")  # fmt: skip

    def create_standby(self, primary: "PostgresServer") -> None:
        """Make the cluster as a copy of one that runs, whose changes it then takes over."""
        self._hand_over()
        self.run_as("pg_basebackup", "-D", str(self.data), "-R", "-c", "fast", "-h", "127.0.0.1", "-p",
                    str(primary.port), "-U", self.superuser, "--no-sync")  # fmt: skip

    def _hand_over(self) -> None:
        """Make the folder, and let the server's user reach and own it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
            for above in self.folder.parents:
                mode = above.stat().st_mode
                if above.owner() == "root" and not mode & 0o001:
                    above.chmod(mode | 0o011)

    def _identity(self) -> dict[str, int | list[int]]:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def start(self, **settings: str) -> None:
        """Start the process and wait until it answers. `settings`: of this start."""
        postgres = binary("postgres")
        assert postgres is not None
        options = [text for name, value in {**self._settings, **settings}.items() for text in ("-c", f"{name}={value}")]
        command = [postgres, "-D", str(self.data), "-p", str(self.port), *options]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **self._identity())  # type: ignore[call-overload]
        end = time.monotonic() + _START_SECONDS
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(self.log.read_text(errors="replace")[-2000:])
            time.sleep(0.05)

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    @property
    def is_started(self) -> bool:
        """It was started and not stopped; it may have ended by itself."""
        return self._process is not None

    def has_ended(self) -> bool:
        """By itself, or by a signal of somebody else's."""
        return self._process is not None and self._process.poll() is not None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        """SIGSTOP, SIGCONT, SIGHUP and the like."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: end connections, write everything down. SIGQUIT: at once, with recovery at the next start."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGCONT)
                self._process.send_signal(number)
            self._process.wait(_START_SECONDS)
            self._process = None

    def restart(self, number: signal.Signals = signal.SIGINT) -> None:
        self.stop(number)
        self.start()

    # ------------------------------------------------------------------ databases

    def url(self, database: str, port: int | None = None) -> str:
        """Through another port, if one is given (a cable's)."""
        return f"postgresql://{self.superuser}@127.0.0.1:{port or self.port}/{database}"

    def execute(self, sql: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement as superuser, outside of a transaction."""
        with psycopg.connect(self.url(database), autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(sql)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def new_database(self, template: str = "template1") -> str:
        """The URL of a new database, a copy of the template."""
        self._count += 1
        name = f"d{os.getpid()}_{self._count}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def template(self) -> str:
        """The name of a database with Ostro's schema, made once: a copy of it is made faster than the schema."""
        if not self._template:
            from ostro.adapters.sql.postgres.schema import ensure_schema

            url = self.new_database()
            ensure_schema(url)
            self._template = url.rpartition("/")[2]
        return self._template

    def drop(self, url: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")
