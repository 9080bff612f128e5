"""Numbers that rise in the transaction of a change, so that other processes see that there was one."""

from collections.abc import Sequence
from typing import Final

from ostro.adapters.sql.db import Database, rows_for

_DEFINITIONS: Final = "definitions"


def definitions_written(db: Database) -> None:
    """Something was written that executions are started by."""
    db.run(
        "INSERT INTO counters (name, value) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = counters.value + 1",
        (_DEFINITIONS,),
    )


def look(db: Database, ids: Sequence[str]) -> tuple[int, set[str]]:
    """The number of such changes, and those of the ids that are executions; in one statement."""
    version = "SELECT '', value FROM counters WHERE name = ?"
    if ids:
        found = "SELECT id, 0 FROM executions WHERE id IN (:ids)"
        rows = rows_for(db, f"{found} UNION ALL {version}", ids, (_DEFINITIONS,))
    else:
        rows = db.rows(version, (_DEFINITIONS,))
    return max((int(value) for id, value in rows if not id), default=0), {id for id, _ in rows if id}
