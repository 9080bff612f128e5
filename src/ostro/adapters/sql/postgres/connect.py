"""Opens connections to PostgreSQL with the limits that keep a process from hanging on one."""

from typing import Any, Final

import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ostro.adapters.sql.postgres.connection import Connection
from ostro.adapters.sql.postgres.errors import from_state
from ostro.model.errors import OstroError, StoreError

CONNECT_SECONDS: Final = 4
_DEFAULTS: Final[dict[str, Any]] = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # ms that sent data may stay unconfirmed
    "target_session_attrs": "primary",
    "application_name": "ostro",
    "client_encoding": "UTF8",
}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Of a connection, in milliseconds; 0: none."""

    statement_ms: int = 30_000
    lock_ms: int = 5_000
    idle_in_transaction_ms: int = 2_000
    read_only: bool = False
    durable: bool = True


def conninfo(url: str, limits: Limits) -> str:
    """libpq's connection string: what the URL says goes before our defaults. StoreError if it cannot be read."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error as error:
        raise StoreError("--database: the PostgreSQL URL cannot be read. It looks like"
                         " postgresql://USER:PASSWORD@HOST:5432/NAME.") from error  # fmt: skip
    settings: dict[str, int | str] = {
        "statement_timeout": limits.statement_ms,
        "lock_timeout": limits.lock_ms,
        "idle_in_transaction_session_timeout": limits.idle_in_transaction_ms,
    }
    if limits.read_only:
        settings |= {"default_transaction_read_only": "on", "default_transaction_isolation": "repeatable\\ read"}
    else:
        # The plan of a batch of any size: by the keys' indexes. Plans made for the values at hand cost more than they
        # save, and a table that has just grown would be read from end to end.
        settings |= {"plan_cache_mode": "force_generic_plan"}
        # The tables of a new installation are empty when the plans are made: by their size then, and until they are
        # analyzed for the first time, each batch would read all there is. What a table of a few rows then seems to cost
        # is no reason to compile anything.
        settings |= dict.fromkeys(("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"), "off")
        if not limits.durable:
            settings |= {"synchronous_commit": "off"}
    # Of two that are the same the last one holds: the URL's.
    options = " ".join([*(f"-c {name}={value}" for name, value in settings.items()), str(given.get("options") or "")])
    return make_conninfo(**{**_DEFAULTS, **given, "options": options.strip()})


def connect(info: str) -> Connection:
    """StoreError if the database cannot be reached. Blocks for some seconds at most."""
    try:
        return Connection(psycopg.connect(info, autocommit=True))
    except psycopg.Error as error:
        raise unreachable(error) from error


def unreachable(error: psycopg.Error) -> OstroError:
    text = " ".join(str(error).split())
    if error.sqlstate:
        return from_state(error.sqlstate, text)
    return StoreError(f"The database cannot be reached ({text}).", sqlstate="08001")
