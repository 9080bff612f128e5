"""Who uses a database: servers share a lock on it, and what must be alone on it takes that lock for itself.

The lock belongs to a connection and goes with it, however its process ends.
"""

from typing import Final

from ostro.adapters.sql.postgres.connection import Connection
from ostro.model.errors import StoreError

_LOCK: Final = 0x4F535452_53525645  # of pg_advisory_lock


def share(connection: Connection) -> None:
    """As a server. StoreError if somebody is alone on the database."""
    if not connection.rows("SELECT pg_try_advisory_lock_shared(?::bigint)", (_LOCK,))[0][0]:
        raise StoreError("The database is being copied. Start the server when that is done.")


def take_alone(connection: Connection) -> None:
    """StoreError if a server uses the database."""
    if not connection.rows("SELECT pg_try_advisory_lock(?::bigint)", (_LOCK,))[0][0]:
        raise StoreError("The database is in use by an Ostro server, or by another copy. Stop that first.")
