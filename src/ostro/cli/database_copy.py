"""`ostro db copy`: moves an installation to another database, with a bar that shows how far it is."""

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from ostro.adapters.sql import offline
from ostro.adapters.sql.copying import copy
from ostro.adapters.sql.offline import Offline, open_offline, require_head
from ostro.cli.database import shown
from ostro.config import SQLITE, database_folder, database_url
from ostro.model.errors import InvalidInput


def copy_database(source: str, target: str) -> str:
    """Copy all of it; the source stays as it is. A sentence about what was copied. Raises StoreError, NotFound,
    ConfigError."""
    source, target = database_url(source), database_url(target)
    if source == target:
        raise InvalidInput("The source and the target are the same database.")
    with _alone(source) as old:
        require_head(old, shown(source))
        folder = database_folder(target)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        offline.make(target)
        with _alone(target) as new, _bars() as bars:
            totals = copy(old, new, shown(source), bars.show)
    rows = sum(totals.values())
    note = " Its key file, FILE.key, is not in the database: copy it too." if source.startswith(SQLITE) else ""
    return f"Copied {rows:,} rows from {shown(source)} to {shown(target)}; counts and checksums agree.{note}"


@contextlib.contextmanager
def _alone(url: str) -> Iterator[Offline]:
    database = open_offline(url)
    try:
        database.take_alone()
        yield database
    finally:
        database.close()


class _Bars:
    """One bar a table, first for copying, then for checking."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[tuple[str, str], TaskID] = {}

    def show(self, doing: str, table: str, done: int, total: int) -> None:
        key = (doing, table)
        if key not in self._tasks:
            if not total:
                return
            self._tasks[key] = self._progress.add_task(f"{doing} {table}", total=total)
        self._progress.update(self._tasks[key], completed=done)


@contextlib.contextmanager
def _bars() -> Iterator[_Bars]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield _Bars(progress)
