"""The mark of a database that a copy has not finished: nobody may serve it."""

from typing import Final

from ostro.adapters.sql.db import Database
from ostro.model.errors import StoreError

NOTE: Final = "db copy"  # the name of the row in `notes`


def refuse_unfinished_copy(db: Database) -> None:
    if db.rows("SELECT 1 FROM notes WHERE name = ?", (NOTE,)):
        raise StoreError(
            "The database is a copy that was interrupted. Run the same `ostro db copy` again, it goes on where it was."
        )
