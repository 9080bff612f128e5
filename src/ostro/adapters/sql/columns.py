"""Records and their columns: a record's field order is its table's column order."""

import types
import typing
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import msgspec

from ostro.adapters.sql.access_tables import ACCESS_TABLES
from ostro.adapters.sql.db import Row
from ostro.model.records import (
    ActionDefinitionRecord,
    ActionRecord,
    BlobRecord,
    EnvironmentRecord,
    ExecutionRecord,
    HistoryRecord,
    ReplyRecord,
    RevisionRecord,
    TaskRecord,
    TimerRecord,
    WorkbookRecord,
    WorkflowRecord,
)
from ostro.model.stored_automation import AutomationRecord
from ostro.model.triggers import CronTriggerRecord, EventTriggerRecord, OutboxRecord, StartRecord

R = TypeVar("R", bound=msgspec.Struct)

TABLES: Final[dict[str, type[msgspec.Struct]]] = {
    "executions": ExecutionRecord,
    "tasks": TaskRecord,
    "actions": ActionRecord,
    "timers": TimerRecord,
    "history": HistoryRecord,
    "blobs": BlobRecord,
    "replies": ReplyRecord,
    "workflows": WorkflowRecord,
    "revisions": RevisionRecord,
    "workbooks": WorkbookRecord,
    "action_definitions": ActionDefinitionRecord,
    "environments": EnvironmentRecord,
    "cron_triggers": CronTriggerRecord,
    "event_triggers": EventTriggerRecord,
    "starts": StartRecord,
    "outbox": OutboxRecord,
    "automations": AutomationRecord,
    **ACCESS_TABLES,
}

# What may change after a row was inserted; the rest is fixed for ever.
MUTABLE: Final[dict[str, tuple[str, ...]]] = {
    "executions": (
        "accepted", "description", "state", "state_info", "params", "output", "global_vars", "published_global",
        "updated_at", "finished_at", "internal",
    ),
    "tasks": (
        "state", "state_info", "published", "published_global", "runtime_context", "processed", "updated_at",
        "started_at", "finished_at", "retired", "snapshot", "internal",
    ),
    "actions": (
        "state", "state_info", "accepted", "output", "updated_at", "taken_at", "last_heartbeat", "internal",
    ),
}  # fmt: skip

# States in which something is still to be done. These texts stand in the predicates of partial indexes: a query
# uses such an index only if it repeats its predicate word for word.
UNFINISHED_EXECUTION: Final = "state IN ('IDLE', 'RUNNING', 'PAUSED')"
UNFINISHED_ACTION: Final = "state IN ('RUNNING', 'PAUSED')"
WAITING_CRON: Final = "waiting_since IS NOT NULL"
NOT_DELETED: Final = "deleted = 0"


def fields_of(record: type[msgspec.Struct]) -> tuple[str, ...]:
    return record.__struct_fields__


def column_types(record: type[msgspec.Struct]) -> dict[str, tuple[type, bool]]:
    """Column -> (str, int or bool; whether it may be NULL)."""
    found: dict[str, tuple[type, bool]] = {}
    for name, hint in typing.get_type_hints(record).items():
        options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        kind = next(option for option in options if option is not type(None))
        found[name] = (kind, type(None) in options)
    return found


def columns(record: type[msgspec.Struct], alias: str = "", without: Sequence[str] = ()) -> str:
    """The columns for a SELECT, in field order. Those in `without` are not read: NULL, or '{}' where NULL cannot be."""
    prefix = f"{alias}." if alias else ""
    nullable = column_types(record)
    return ", ".join(
        f"{prefix}{name}" if name not in without else ("NULL" if nullable[name][1] else "'{}'")
        for name in fields_of(record)
    )


def row_reader(record: type[R]) -> Callable[[Row], R]:
    """What makes a record of a row's first columns."""
    names = fields_of(record)
    flags = tuple(name for name, (kind, _) in column_types(record).items() if kind is bool)

    def read(row: Row) -> R:
        values: dict[str, Any] = dict(zip(names, row, strict=False))
        for name in flags:
            values[name] = bool(values[name])
        return record(**values)

    return read
