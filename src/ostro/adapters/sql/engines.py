"""Who lives, for people to see. The leases themselves: `postgres/leases.py`."""

from typing import Final

from ostro.adapters.sql.db import Database
from ostro.ports.leases import EngineInfo

_LIVING: Final = (
    "SELECT epoch, name, host, version, roles, pid, started_at, expires_at FROM engines"
    " WHERE state = 'live' AND expires_at >= ? ORDER BY epoch"
)


def living_engines(db: Database, now: int) -> list[EngineInfo]:
    return [
        EngineInfo(
            epoch=epoch, name=name, host=host, version=version, roles=roles, pid=pid, started_at=started_at,
            expires_at=expires_at,
        )
        for epoch, name, host, version, roles, pid, started_at, expires_at in db.rows(_LIVING, (now,))
    ]  # fmt: skip
