"""What `ostro doctor` finds out about stored work: whether everything unfinished would go on, and what is old."""

import time
from collections.abc import Iterator
from typing import Literal, NamedTuple

from ostro.adapters.sql.blobs import blob_texts
from ostro.adapters.sql.catalog import revisions
from ostro.adapters.sql.db import Database
from ostro.adapters.sql.loading import load_executions, unfinished_in_tree, unfinished_roots
from ostro.adapters.sql.offline import Offline
from ostro.core.graph import Graph
from ostro.core.invariants import Violation, stored_violations
from ostro.core.restore import blobs_of
from ostro.engine.definitions import compile_revision
from ostro.model.records import StoredExecution

_MOST_TREES = 5000
_SHOWN = 5
_OLD_DAYS = 30
_DAY_US = 86_400_000_000
_OVERDUE_US = 60_000_000


class Finding(NamedTuple):
    """`subject`: one word. `level`: ok, hint, or wrong."""

    subject: str
    level: Literal["ok", "hint", "wrong"]
    text: str


def stuck_work(database: Offline) -> Iterator[Finding]:
    """Reads each unfinished tree as the server would at its start, and asks of all in it who will move it."""
    looked_at, after = 0, ""
    bad: list[str] = []
    graphs: dict[str, Graph] = {}
    while looked_at < _MOST_TREES:
        page = unfinished_roots(database.db, after, 200)
        for root_id in page:
            looked_at += 1
            bad += _of_tree(database, root_id, graphs)
        if len(page) < 200:
            break
        after = page[-1]
    for text in bad[:_SHOWN]:
        yield Finding("work", "wrong", text)
    if len(bad) > _SHOWN:
        yield Finding("work", "wrong", f"... and {len(bad) - _SHOWN} more things that nothing will move.")
    if not bad:
        yield Finding("work", "ok", f"Everything in {looked_at} unfinished executions has somebody who will move it.")


def _of_tree(database: Offline, root_id: str, graphs: dict[str, Graph]) -> list[str]:
    database.begin()  # one moment for all that is read of the tree
    try:
        return [f"{found} (in execution {root_id})" for found in _violations(database.db, root_id, graphs)]
    except Exception as error:  # whatever is in the rows must not end the examination
        return [f"Execution {root_id} cannot be read: {type(error).__name__}: {error}"]
    finally:
        database.end()


def _violations(connection: Database, root_id: str, graphs: dict[str, Graph]) -> list[Violation]:
    ids = unfinished_in_tree(connection, root_id)
    if not ids:
        return []
    loaded: dict[str, StoredExecution] = {}
    wanted = [root_id, *ids]
    while missing := [id for id in dict.fromkeys(wanted) if id not in loaded]:
        for one in load_executions(connection, missing):
            loaded[one.record.id] = one
            if one.record.parent_id is not None:
                wanted.append(one.record.parent_id)
        wanted = [id for id in wanted if id in loaded or id not in missing]
    stored = list(loaded.values())
    unknown = [one.record.revision_id for one in stored if one.record.revision_id not in graphs]
    for id, revision in revisions(connection, list(dict.fromkeys(unknown))).items() if unknown else ():
        graphs[id] = compile_revision(revision)
    blobs = blob_texts(connection, list(dict.fromkeys(id for one in stored for id in blobs_of(one))))
    return stored_violations(stored, lambda one: graphs[one.record.revision_id], blobs)


def old_executions(connection: Database) -> Iterator[Finding]:
    before = time.time_ns() // 1000 - _OLD_DAYS * _DAY_US
    ids = [
        id
        for (id,) in connection.rows(
            "SELECT id FROM executions WHERE state IN ('IDLE', 'RUNNING', 'PAUSED') AND parent_id IS NULL"
            " AND created_at < ? ORDER BY created_at LIMIT 1000",
            (before,),
        )
    ]
    if ids:
        many = "1000 or more" if len(ids) == 1000 else str(len(ids))
        yield Finding(
            "age", "hint", f"{many} executions are unfinished for more than {_OLD_DAYS} days, oldest {ids[0]}."
        )
    else:
        yield Finding("age", "ok", f"No execution is unfinished for more than {_OLD_DAYS} days.")


def overdue_timers(connection: Database, *, is_running: bool) -> Iterator[Finding]:
    """A running server fires timers within milliseconds; without one they wait for its start."""
    now = time.time_ns() // 1000
    ((count, first),) = connection.rows(
        "SELECT count(*), min(due_at) FROM (SELECT due_at FROM timers WHERE due_at < ? LIMIT 10000) AS overdue",
        (now - _OVERDUE_US,),
    )
    if not count:
        yield Finding("timers", "ok", "No timer is overdue.")
        return
    late = (now - first) / 60e6
    text = f"{count} timers are overdue, the first by {late:.0f} minutes"
    if is_running:
        yield Finding("timers", "wrong", f"{text}, although a server is running: look at its log.")
    else:
        yield Finding("timers", "hint", f"{text}; they will fire at the next start.")
