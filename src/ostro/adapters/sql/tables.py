"""The tables as SQLAlchemy sees them: the source of migrations. Not imported when a server starts.

Times are integers (microseconds). Texts compare by code point in every database. A table's columns are its
record's fields; an index not needed by a statement of this package is a cost for every row: see
docs/concepts/storage.md for who uses which.
"""

from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeEngine

from ostro.adapters.sql.columns import (
    NOT_DELETED,
    TABLES,
    UNFINISHED_ACTION,
    UNFINISHED_EXECUTION,
    WAITING_CRON,
    column_types,
)

metadata = MetaData()

_TEXT: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")
_NUMBER: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
_FLAG: TypeEngine[int] = SmallInteger().with_variant(Integer(), "sqlite")  # 0 or 1: one SQL for all databases


def _columns(record: type[msgspec.Struct]) -> list[Column[Any]]:
    kinds: dict[type, TypeEngine[Any]] = {str: _TEXT, int: _NUMBER, bool: _FLAG}
    return [Column(name, kinds[kind], nullable=null) for name, (kind, null) in column_types(record).items()]


def _table(name: str, *key: str, rowid: bool = False) -> Any:
    """Makes a table; returns its columns."""
    own = _columns(TABLES[name])
    return Table(name, metadata, *own, PrimaryKeyConstraint(*key), sqlite_with_rowid=rowid).c


def _partial(name: str, predicate: str, *columns: Column[Any]) -> None:
    Index(name, *columns, sqlite_where=text(predicate), postgresql_where=text(predicate))


_e = _table("executions", "id")
Index("executions_created", _e.project_id, _e.created_at, _e.id)
Index("executions_updated", _e.project_id, _e.updated_at, _e.id)
Index("executions_name", _e.project_id, _e.workflow_name, _e.id)
Index("executions_of_name", _e.project_id, _e.workflow_name, _e.created_at, _e.id)
Index("executions_state", _e.project_id, _e.state, _e.id)
Index("executions_in_state", _e.project_id, _e.state, _e.created_at, _e.id)
Index("executions_of_workflow", _e.workflow_id, _e.created_at, _e.id)
Index("executions_tree", _e.root_id, _e.parent_id, _e.id)
_partial("executions_of_task", "task_execution_id IS NOT NULL", _e.task_execution_id, _e.id)
_partial("executions_unfinished", UNFINISHED_EXECUTION, _e.root_id, _e.id, _e.state)

_t = _table("tasks", "id")
# One index serves both what reads all tasks of an execution and what reads those not retired (long loops).
Index("tasks_of_execution", _t.execution_id, _t.retired, _t.id)

_a = _table("actions", "id")
Index("actions_of_task", _a.task_execution_id, _a.id)
_partial("actions_unfinished", UNFINISHED_ACTION, _a.root_id, _a.execution_id, _a.state)

_r = _table("timers", "owner_id", "kind")
Index("timers_due", _r.due_at, _r.owner_id, _r.kind)
Index("timers_of_execution", _r.execution_id)

_table("history", "execution_id", "seq")

# Long rows: in a table with row ids, so that the keys' tree stays small.
_b = _table("blobs", "id", rowid=True)
Index("blobs_of_root", _b.root_id)

_table("replies", "key")

for _name in ("workflows", "workbooks", "action_definitions"):
    _c = _table(_name, "id", rowid=True)
    Index(f"{_name}_name", _c.name, _c.namespace, _c.project_id, unique=True)
_n = _table("environments", "id", rowid=True)
Index("environments_name", _n.name, _n.project_id, unique=True)

_w = _table("revisions", "id", rowid=True)
Index("revisions_of_workflow", _w.workflow_id, _w.created_at, _w.id)

_table("tokens", "id", rowid=True)
_m = _table("members", "resource_id", "member_id", rowid=True)
Index("members_of_project", _m.member_id, _m.status, _m.resource_id)
_table("secrets", "project_id", "name", rowid=True)
_l = _table("audit", "id", rowid=True)
Index("audit_created", _l.created_at, _l.id)
_s = _table("code_sources", "id", rowid=True)
Index("code_sources_name", _s.name, _s.namespace, _s.project_id, unique=True)
_d = _table("dynamic_actions", "id", rowid=True)
Index("dynamic_actions_name", _d.name, _d.namespace, _d.project_id, unique=True)
Index("dynamic_actions_of_source", _d.code_source_id)

_c = _table("cron_triggers", "id", rowid=True)
Index("cron_triggers_name", _c.name, _c.project_id, unique=True)
Index("cron_triggers_due", _c.next_execution_time, _c.id)
Index("cron_triggers_of_workflow", _c.workflow_id)
_partial("cron_triggers_waiting", WAITING_CRON, _c.id)

_v = _table("event_triggers", "id", rowid=True)
Index("event_triggers_event", _v.exchange, _v.topic, _v.event, _v.workflow_id, _v.project_id, unique=True)
Index("event_triggers_of_workflow", _v.workflow_id)

_o = _table("automations", "id", rowid=True)
Index(
    "automations_name", _o.name, _o.project_id, unique=True,
    sqlite_where=text(NOT_DELETED), postgresql_where=text(NOT_DELETED),
)  # fmt: skip

# Rows of these two live for moments.
_table("starts", "id", rowid=True)
_table("outbox", "id", rowid=True)

Table(
    "notes", metadata, Column("name", _TEXT, nullable=False), Column("text", _TEXT, nullable=False),
    PrimaryKeyConstraint("name"), sqlite_with_rowid=False,
)  # fmt: skip
Table("paused", metadata, Column("root_id", _TEXT, nullable=False), PrimaryKeyConstraint("root_id"),
      sqlite_with_rowid=False)  # fmt: skip

# Of installations with more than one process.
Table(
    "engines", metadata, Column("epoch", _NUMBER, nullable=False, autoincrement=False),
    *(Column(name, _TEXT, nullable=False) for name in ("name", "host", "version", "roles", "state")),
    *(Column(name, _NUMBER, nullable=False) for name in ("pid", "started_at", "expires_at")),
    PrimaryKeyConstraint("epoch"),
)  # fmt: skip
Table(
    "shards", metadata, Column("shard", _NUMBER, nullable=False, autoincrement=False),
    Column("epoch", _NUMBER, nullable=True), Column("since", _NUMBER, nullable=False),
    Column("counted", _NUMBER, nullable=True), PrimaryKeyConstraint("shard"),
)  # fmt: skip
Table(
    "quotas", metadata, Column("name", _TEXT, nullable=False),
    Column("epoch", _NUMBER, nullable=False, autoincrement=False),
    *(Column(name, _NUMBER, nullable=False) for name in ("quota", "used", "waiting", "oldest")),
    PrimaryKeyConstraint("name", "epoch"), sqlite_with_rowid=False,
)  # fmt: skip
Table(
    "counters", metadata, Column("name", _TEXT, nullable=False), Column("value", _NUMBER, nullable=False),
    PrimaryKeyConstraint("name"), sqlite_with_rowid=False,
)  # fmt: skip
