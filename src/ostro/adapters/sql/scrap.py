"""Finds and removes what nobody needs any more, a bounded number of rows at a time."""

from typing import Final

from ostro.adapters.sql.db import Database, run_for

_SLACK: Final = 24 * 3600 * 1_000_000  # by which an execution may be older or younger than its revision seems to say
_FOR_EVER: Final = 1 << 62


def old_replies(db: Database, before: int, limit: int) -> list[str]:
    """Keys. Reads the table from its beginning: an index would cost each request with a key more than this costs
    once an hour (0.2 us of CPU a row). So ask for many at once."""
    return [key for (key,) in db.rows("SELECT key FROM replies WHERE at < ? LIMIT ?", (before, limit))]


def delete_replies(db: Database, keys: list[str]) -> None:
    run_for(db, "DELETE FROM replies WHERE key IN (:ids)", keys)


def old_audit(db: Database, before: int, limit: int) -> list[str]:
    """Ids. Walks (created_at, id)."""
    rows = db.rows("SELECT id FROM audit WHERE created_at < ? ORDER BY created_at, id LIMIT ?", (before, limit))
    return [id for (id,) in rows]


def delete_audit(db: Database, ids: list[str]) -> None:
    run_for(db, "DELETE FROM audit WHERE id IN (:ids)", ids)


def unused_revisions(db: Database, keep: int, before: int, after: str, limit: int) -> tuple[list[str], str | None]:
    """Revisions made before a time that no execution runs and that are not among the newest `keep` of a workflow that
    is still there; of the next `limit` workflows after that id. And the last workflow's id, None at the end."""
    workflows = [
        id
        for (id,) in db.rows(
            "SELECT DISTINCT workflow_id FROM revisions WHERE workflow_id > ? ORDER BY workflow_id LIMIT ?",
            (after, limit),
        )
    ]
    found = [id for workflow_id in workflows for id in _unused(db, workflow_id, keep, before)]
    return found, workflows[-1] if len(workflows) == limit else None


def _unused(db: Database, workflow_id: str, keep: int, before: int) -> list[str]:
    current = db.rows("SELECT revision_id FROM workflows WHERE id = ?", (workflow_id,))
    rows = db.rows(
        "SELECT id, created_at FROM revisions WHERE workflow_id = ? ORDER BY created_at DESC, id DESC", (workflow_id,)
    )
    found = []
    until = _FOR_EVER  # when the next one took its place
    for place, (id, created_at) in enumerate(rows):
        is_kept = created_at >= before or (bool(current) and (place < keep or id == current[0][0]))
        if not is_kept and not _is_run(db, workflow_id, id, created_at - _SLACK, until + _SLACK):
            found.append(id)
        until = created_at
    return found


def _is_run(db: Database, workflow_id: str, revision_id: str, since: int, until: int) -> bool:
    """Executions run the revision that was the newest when they started: the index of (workflow, time) finds them."""
    return bool(
        db.rows(
            "SELECT 1 FROM executions WHERE workflow_id = ? AND created_at >= ? AND created_at < ? AND revision_id = ?"
            " LIMIT 1",
            (workflow_id, since, until, revision_id),
        )
    )


def delete_revisions(db: Database, ids: list[str]) -> None:
    run_for(db, "DELETE FROM revisions WHERE id IN (:ids)", ids)
