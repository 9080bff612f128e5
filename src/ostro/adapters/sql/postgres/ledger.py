"""Tells whether a transaction was stored whose answer was lost with the connection.

Each writer has a row with a counter, which every transaction of it raises by one and only if it finds the number that
it expects. After a lost answer the row is read and removed: the number says what happened, and if the old transaction
is still on its way it finds no row and fails.
"""

import uuid

from ostro.adapters.sql.postgres.connection import Connection

_NOTE = (
    "WITH noted AS (UPDATE writers SET seq = seq + 1 WHERE id = ? AND seq = ? RETURNING 1)"
    " SELECT 1 / count(*) FROM noted"
)


class Ledger:
    """For one thread. The counter of the connection that is in use."""

    def __init__(self) -> None:
        self._id = ""
        self._seq = 0

    def open(self, connection: Connection) -> None:
        """Before the first transaction of a writer, and after one was in doubt."""
        if not self._id:
            id = str(uuid.uuid4())
            connection.begin()
            connection.run("DELETE FROM writers WHERE opened_at < now() - interval '1 year'")
            connection.run("INSERT INTO writers (id, seq, opened_at) VALUES (?, 0, now())", (id,))
            connection.commit()
            self._id, self._seq = id, 0

    def note(self, connection: Connection) -> None:
        """The first part of each transaction."""
        connection.note(_NOTE, (self._id, self._seq))

    def stored(self) -> None:
        self._seq += 1

    def forget(self) -> None:
        self._id = ""

    def settle(self, connection: Connection) -> bool:
        """Whether the transaction that was noted last is stored. If not it never will be. May be asked again if it
        fails itself."""
        connection.begin()
        # Waits for the old transaction if that has come as far as its note.
        found = connection.rows("SELECT seq FROM writers WHERE id = ? FOR UPDATE", (self._id,))
        connection.run("UPDATE writers SET seq = -1 WHERE id = ? AND seq = ?", (self._id, self._seq))
        connection.commit()
        is_stored = bool(found) and found[0][0] == self._seq + 1
        self._id = ""
        return is_stored

    def close(self, connection: Connection) -> None:
        if self._id:
            connection.begin()
            connection.run("DELETE FROM writers WHERE id = ?", (self._id,))
            connection.commit()
