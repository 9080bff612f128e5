"""Leases of engines and shards as rows of PostgreSQL, on its clock.

Two threads with a connection each: one does nothing but renew, so that neither a busy event loop nor a claim that
waits for a lock delays it; the other does all the rest. A renewal changes no key, so it never waits for the commits
that hold the row by their fence (`FOR KEY SHARE`), nor they for it. Declaring an engine gone takes the row `FOR UPDATE`
and passes over one that a commit holds: it is tried again when that has ended, which its own limits see to.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import structlog

from ostro.adapters.sql.postgres.connect import conninfo
from ostro.adapters.sql.postgres.connection import Connection
from ostro.adapters.sql.postgres.short import LIMITS, Short
from ostro.model.errors import Conflict, OstroError
from ostro.model.ids import SHARDS
from ostro.ports.leases import RENEW, TTL, EngineInfo, LeaseView

log = structlog.get_logger("ostro.leases")

T = TypeVar("T")

_NOW: Final = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_RETRY: Final = 0.3  # seconds between renewals that fail
_KEPT: Final = 86_400_000_000  # microseconds that a gone engine's row stays, for people to see

# By the clock: so an epoch is given once also if the database goes back to a backup.
_REGISTER: Final = (
    "INSERT INTO engines (epoch, name, host, version, roles, state, pid, started_at, expires_at)"
    f" SELECT greatest(coalesce(max(epoch), 0) + 1, {_NOW} / 1000), ?::text, ?::text, ?::text, ?::text, 'live',"
    f" ?::bigint, {_NOW}, {_NOW} + ?::bigint FROM engines RETURNING epoch"
)
_RENEW: Final = f"UPDATE engines SET expires_at = {_NOW} + ?::bigint WHERE epoch = ? AND state = 'live' RETURNING epoch"
_ENGINES: Final = (
    f"SELECT epoch, name, host, version, roles, pid, started_at, expires_at, {_NOW} FROM engines"
    " WHERE state = 'live' ORDER BY epoch"
)
_DECLARE_GONE: Final = (
    "UPDATE engines SET state = 'gone' WHERE epoch IN (SELECT epoch FROM engines"
    f" WHERE state = 'live' AND expires_at < {_NOW} FOR UPDATE SKIP LOCKED)"
)
_FORGET: Final = (
    f"DELETE FROM engines WHERE state = 'gone' AND expires_at < {_NOW} - ?::bigint"
    # The highest stays: an epoch is never given twice.
    " AND epoch < (SELECT max(epoch) FROM engines) AND epoch NOT IN (SELECT epoch FROM shards WHERE epoch IS NOT NULL)"
)
# Gone is final, so these may be taken for constants in the statement that follows.
_GONE_HOLDERS: Final = (
    "SELECT DISTINCT shards.epoch FROM shards LEFT JOIN engines USING (epoch)"
    " WHERE shards.epoch IS NOT NULL AND (engines.state IS NULL OR engines.state = 'gone')"
)
_SHARDS: Final = (
    "INSERT INTO shards (shard, epoch, since) SELECT number, NULL, 0 FROM generate_series(0, ?::bigint) AS number"
    " ON CONFLICT (shard) DO NOTHING"
)
_FREE: Final = (
    f"UPDATE shards SET epoch = NULL, counted = NULL, since = {_NOW} WHERE epoch = ? AND shard = ANY(?::bigint[])"
)
_CLAIM: Final = (
    f"UPDATE shards SET epoch = ?, counted = NULL, since = {_NOW} WHERE shard IN (SELECT shard FROM shards"
    " WHERE shard = ANY(?::bigint[]) AND (epoch IS NULL OR epoch = ANY(?::bigint[])) ORDER BY shard"
    " FOR UPDATE SKIP LOCKED) RETURNING shard"
)


class PostgresLeases:
    """Implements `ports.leases.Leases`. `close` when it is not needed any more."""

    def __init__(self, url: str, *, ttl: float = TTL, renew: float = RENEW) -> None:
        info = conninfo(url, LIMITS)
        self._ttl = ttl
        self._renew = renew
        self._line = Short(info)
        self._renewing = Short(info)
        self._pool = ThreadPoolExecutor(1, "ostro-leases")
        self._epoch = 0
        self._valid_until = 0.0
        self._is_closed = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.on_lost: Callable[[], None] = lambda: None

    async def _call(self, function: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._line.transact, function)

    # ------------------------------------------------------------------ this process

    async def register(self, me: EngineInfo) -> int:
        await self._stop_renewing()
        before, asked = self._epoch, _now()
        ttl = int(self._ttl * 1e6)
        if before:
            await self._call(lambda db: _leave(db, before))
            self._epoch = 0
        values = (me.name, me.host, me.version, me.roles, me.pid, ttl)
        while not self._epoch:
            asked = _now()
            with contextlib.suppress(Conflict):  # two at once: one of them takes the next number
                self._epoch = await self._call(lambda db: _register(db, values))
        self._valid_until = asked + self._ttl
        self._stop = threading.Event()
        arguments = (self._epoch, self._stop, asyncio.get_running_loop())
        self._thread = threading.Thread(target=self._keep, args=arguments, name="ostro-lease-renewal", daemon=True)
        self._thread.start()
        return self._epoch

    def is_valid(self) -> bool:
        return _now() < self._valid_until

    def _keep(self, epoch: int, stop: threading.Event, loop: asyncio.AbstractEventLoop) -> None:
        """The thread that renews."""
        pause = self._renew
        while not stop.wait(pause):
            asked = _now()
            try:
                is_alive = self._renewing.transact(lambda db: bool(db.rows(_RENEW, (int(self._ttl * 1e6), epoch))))
            except OstroError as error:
                log.warning("a lease could not be renewed, trying again", epoch=epoch, error=error.message)
                pause = _RETRY
                continue
            except Exception as error:
                log.error("a lease could not be renewed, trying again", epoch=epoch, exc_info=error)
                pause = _RETRY
                continue
            if not is_alive:
                self._valid_until = 0.0
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(self._lost, epoch)
                break
            self._valid_until = max(self._valid_until, asked + self._ttl)
            pause = self._renew
        self._renewing.close()

    def _lost(self, epoch: int) -> None:
        if epoch == self._epoch:
            self.on_lost()

    async def _stop_renewing(self) -> None:
        self._stop.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
            self._thread = None
        self._valid_until = 0.0

    async def leave(self) -> None:
        await self._stop_renewing()
        epoch, self._epoch = self._epoch, 0
        if epoch:
            await self._call(lambda db: _leave(db, epoch))

    async def close(self) -> None:
        await self._stop_renewing()
        if not self._is_closed:
            self._is_closed = True
            await asyncio.get_running_loop().run_in_executor(self._pool, self._line.close)
            self._pool.shutdown(wait=False)

    # ------------------------------------------------------------------ shards

    async def view(self) -> LeaseView:
        epoch = self._epoch
        return await self._call(lambda db: _view(db, epoch))

    async def claim(self, shards: Sequence[int]) -> frozenset[int]:
        epoch = self._epoch
        return await self._call(lambda db: _claim(db, epoch, shards))

    async def free(self, shards: Sequence[int]) -> None:
        epoch = self._epoch
        await self._call(lambda db: db.run(_FREE, (epoch, _array(shards))))


def _now() -> float:
    """Seconds; goes on while the process, or the whole machine, is stopped."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _array(numbers: Iterable[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


def _register(db: Connection, values: tuple[object, ...]) -> int:
    if db.rows("SELECT count(*) FROM shards")[0][0] < SHARDS:
        db.run(_SHARDS, (SHARDS - 1,))
    db.run(_FORGET, (_KEPT,))
    return int(db.rows(_REGISTER, values)[0][0])


def _leave(db: Connection, epoch: int) -> None:
    db.rows("SELECT 1 FROM engines WHERE epoch = ? FOR UPDATE", (epoch,))  # waits for the last commit
    db.run("UPDATE engines SET state = 'gone' WHERE epoch = ?", (epoch,))
    db.run(f"UPDATE shards SET epoch = NULL, counted = NULL, since = {_NOW} WHERE epoch = ?", (epoch,))


def _view(db: Connection, me: int) -> LeaseView:
    rows = db.rows(_ENGINES)
    if any(expires_at < now for *_, expires_at, now in rows):
        db.run(_DECLARE_GONE)
        rows = db.rows(_ENGINES)
    engines = {
        epoch: EngineInfo(
            epoch=epoch, name=name, host=host, version=version, roles=roles, pid=pid, started_at=started_at,
            expires_at=expires_at,
        )
        for epoch, name, host, version, roles, pid, started_at, expires_at, _ in rows
    }  # fmt: skip
    holders: dict[int, int | None] = dict.fromkeys(range(SHARDS))
    holders.update(db.rows("SELECT shard, epoch FROM shards"))
    others = [(expires_at - now) / 1e6 for epoch, *_, expires_at, now in rows if epoch != me]
    return LeaseView(
        engines,
        {shard: epoch if epoch in engines else None for shard, epoch in holders.items()},
        max(0.0, min(others)) if others else None,
    )


def _claim(db: Connection, epoch: int, shards: Sequence[int]) -> frozenset[int]:
    db.fence(epoch)  # an engine that is being declared gone gets nothing more
    gone = [holder for (holder,) in db.rows(_GONE_HOLDERS)]
    return frozenset(shard for (shard,) in db.rows(_CLAIM, (epoch, _array(shards), _array(gone))))
