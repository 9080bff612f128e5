"""Triggers, outboxes, maintenance.

Revision: 0002_triggers
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002_triggers"
down_revision = "0001_initial"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def text(name: str, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _TEXT, nullable=null)


def number(name: str, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _NUMBER, nullable=null)


def upgrade() -> None:
    op.create_table(
        "cron_triggers",
        text("id"),
        text("name"),
        text("project_id"),
        text("user_id", null=True),
        text("scope"),
        text("workflow_id"),
        text("workflow_name"),
        text("workflow_input"),
        text("workflow_params"),
        text("pattern", null=True),
        text("time_zone"),
        text("catch_up"),
        text("overlap"),
        number("first_execution_time", null=True),
        number("next_execution_time", null=True),
        number("remaining_executions", null=True),
        number("waiting_since", null=True),
        number("last_due_at", null=True),
        text("last_execution_id", null=True),
        text("last_error", null=True),
        number("failures"),
        number("created_at"),
        number("updated_at", null=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("cron_triggers_due", "cron_triggers", ["next_execution_time", "id"])
    op.create_index("cron_triggers_name", "cron_triggers", ["name", "project_id"], unique=True)
    op.create_index("cron_triggers_of_workflow", "cron_triggers", ["workflow_id"])
    waiting = sa.text("waiting_since IS NOT NULL")
    op.create_index("cron_triggers_waiting", "cron_triggers", ["id"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "event_triggers",
        text("id"),
        text("name", null=True),
        text("project_id"),
        text("user_id", null=True),
        text("scope"),
        text("workflow_id"),
        text("workflow_input"),
        text("workflow_params"),
        text("exchange"),
        text("topic"),
        text("event"),
        text("last_execution_id", null=True),
        text("last_error", null=True),
        number("failures"),
        number("created_at"),
        number("updated_at", null=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "event_triggers_event",
        "event_triggers",
        ["exchange", "topic", "event", "workflow_id", "project_id"],
        unique=True,
    )
    op.create_index("event_triggers_of_workflow", "event_triggers", ["workflow_id"])
    op.create_table(
        "starts",
        text("id"),
        text("trigger_kind"),
        text("trigger_id"),
        number("due_at"),
        text("project_id"),
        text("user_id", null=True),
        text("workflow_id"),
        text("input"),
        text("params"),
        text("description"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "outbox",
        text("id"),
        text("destination"),
        text("root_id"),
        number("created_at"),
        text("publisher"),
        text("body"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table("notes", text("name"), text("text"), sa.PrimaryKeyConstraint("name"), sqlite_with_rowid=False)
    op.create_table("paused", text("root_id"), sa.PrimaryKeyConstraint("root_id"), sqlite_with_rowid=False)
