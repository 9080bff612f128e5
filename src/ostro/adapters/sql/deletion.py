"""Deletion of executions with all below them, and of stand-alone actions."""

from collections.abc import Sequence

from ostro.adapters.sql.db import Database, pieces, rows_for, run_for

_AT_ONCE = 128  # executions per statement

_HISTORY = "DELETE FROM history WHERE execution_id IN (:ids)"


def tree_below(db: Database, execution_id: str) -> list[str]:
    """The execution and all below it, parents first; empty if it does not exist."""
    found = db.rows("SELECT root_id FROM executions WHERE id = ?", (execution_id,))
    if not found:
        return []
    children: dict[str, list[str]] = {}
    # (root_id, parent_id, id) is an index: no row is read.
    for id, parent_id in db.rows("SELECT id, parent_id FROM executions WHERE root_id = ?", found[0]):
        if parent_id is not None:
            children.setdefault(parent_id, []).append(id)
    tree = [execution_id]
    for id in tree:  # grows while it is walked
        tree += children.get(id, ())
    return tree


def delete_executions(db: Database, ids: Sequence[str]) -> None:
    """With tasks, actions, timers, history and all sub-executions. Large values belong to a whole tree and go with
    its root; so those of a deleted sub-execution live as long as its root."""
    doomed = dict.fromkeys(id for given in ids for id in tree_below(db, given))
    for some in pieces(list(doomed), _AT_ONCE):
        run_for(
            db,
            "DELETE FROM actions WHERE task_execution_id IN (SELECT id FROM tasks WHERE execution_id IN (:ids))",
            some,
        )
        for table in ("tasks", "timers"):
            run_for(db, f"DELETE FROM {table} WHERE execution_id IN (:ids)", some)
        left = set(db.history_left(some))
        run_for(db, _HISTORY, [id for id in some if id not in left])
    roots = rows_for(db, "SELECT id FROM executions WHERE id IN (:ids) AND root_id = id", list(doomed))
    run_for(db, "DELETE FROM blobs WHERE root_id IN (:ids)", [id for (id,) in roots])
    run_for(db, "DELETE FROM executions WHERE id IN (:ids)", list(doomed))


def delete_old_history(db: Database, ids: Sequence[str]) -> None:
    """Before executions are made: what was left behind by others that had the same ids."""
    run_for(db, _HISTORY, db.history_left(ids))


def delete_actions(db: Database, ids: Sequence[str]) -> None:
    """Stand-alone actions with their timers and large values."""
    run_for(db, "DELETE FROM timers WHERE owner_id IN (:ids)", ids)
    run_for(db, "DELETE FROM blobs WHERE root_id IN (:ids)", ids)
    run_for(db, "DELETE FROM actions WHERE id IN (:ids)", ids)
