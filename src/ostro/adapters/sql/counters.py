"""Numbers that rise in the transaction of a change, so that other processes see that there was one."""

from typing import Final

from ostro.adapters.sql.db import Database

_DEFINITIONS: Final = "definitions"


def definitions_written(db: Database) -> None:
    """Something was written that executions are started by."""
    db.run(
        "INSERT INTO counters (name, value) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = counters.value + 1",
        (_DEFINITIONS,),
    )


def definitions_version(db: Database) -> int:
    """Rises with every such change."""
    rows = db.rows("SELECT value FROM counters WHERE name = ?", (_DEFINITIONS,))
    return int(rows[0][0]) if rows else 0
