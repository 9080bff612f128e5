"""The first schema.

Revision: 0001_initial
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001_initial"
down_revision = None
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FLAG = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")


def text(name: str, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _TEXT, nullable=null)


def number(name: str, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _NUMBER, nullable=null)


def flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, _FLAG, nullable=False)


def where(predicate: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(predicate), "postgresql_where": sa.text(predicate)}


# PostgreSQL: rows that change often leave room in their page, so that a change that touches no index stays there, and
# tables that grow or turn over fast are looked after sooner than a fifth of them has changed.
_BUSY = {"autovacuum_vacuum_scale_factor": 0.05, "autovacuum_analyze_scale_factor": 0.05}
_TURNING = {"fillfactor": 70, "autovacuum_vacuum_scale_factor": 0.01, "autovacuum_vacuum_threshold": 500}
_LONG = {"toast.autovacuum_vacuum_scale_factor": 0.05, **_BUSY}


def upgrade() -> None:
    op.create_table(
        "action_definitions",
        text("id"),
        text("name"),
        text("namespace"),
        text("project_id"),
        text("scope"),
        text("workbook_name", null=True),
        text("definition"),
        text("description", null=True),
        text("input", null=True),
        text("tags"),
        flag("is_system"),
        number("created_at"),
        number("updated_at", null=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("action_definitions_name", "action_definitions", ["name", "namespace", "project_id"], unique=True)
    op.create_table(
        "actions",
        text("id"),
        text("root_id"),
        text("execution_id", null=True),
        text("task_execution_id", null=True),
        text("project_id"),
        text("name"),
        text("workflow_name", null=True),
        text("workflow_namespace"),
        text("task_name", null=True),
        number("idx"),
        text("state"),
        text("state_info", null=True),
        flag("accepted"),
        text("input"),
        text("output", null=True),
        text("description"),
        text("tags"),
        number("created_at"),
        number("updated_at"),
        number("taken_at", null=True),
        number("last_heartbeat", null=True),
        text("internal"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
        postgresql_with={"fillfactor": 85, **_BUSY},
    )
    op.create_index("actions_of_task", "actions", ["task_execution_id", "id"])
    op.create_index(
        "actions_unfinished", "actions", ["root_id", "execution_id", "state"], **where("state IN ('RUNNING', 'PAUSED')")
    )
    op.create_table(
        "blobs",
        text("id"),
        text("root_id"),
        text("text"),
        sa.PrimaryKeyConstraint("id"),
        postgresql_with=_LONG,
    )
    op.create_index("blobs_of_root", "blobs", ["root_id"])
    op.create_table(
        "environments",
        text("id"),
        text("name"),
        text("project_id"),
        text("scope"),
        text("description", null=True),
        text("variables"),
        number("created_at"),
        number("updated_at", null=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("environments_name", "environments", ["name", "project_id"], unique=True)
    op.create_table(
        "executions",
        text("id"),
        text("root_id"),
        text("parent_id", null=True),
        text("task_execution_id", null=True),
        number("idx"),
        flag("accepted"),
        text("project_id"),
        text("workflow_id"),
        text("workflow_name"),
        text("workflow_namespace"),
        text("revision_id"),
        text("description"),
        text("tags"),
        text("state"),
        text("state_info", null=True),
        text("params"),
        text("input"),
        text("output", null=True),
        text("global_vars"),
        text("published_global"),
        number("created_at"),
        number("updated_at"),
        number("finished_at", null=True),
        text("internal"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
        postgresql_with={"fillfactor": 80, **_BUSY},
    )
    op.create_index("executions_created", "executions", ["project_id", "created_at", "id"])
    op.create_index("executions_in_state", "executions", ["project_id", "state", "created_at", "id"])
    op.create_index("executions_name", "executions", ["project_id", "workflow_name", "id"])
    op.create_index("executions_of_name", "executions", ["project_id", "workflow_name", "created_at", "id"])
    op.create_index(
        "executions_of_task", "executions", ["task_execution_id", "id"], **where("task_execution_id IS NOT NULL")
    )
    op.create_index("executions_of_workflow", "executions", ["workflow_id", "created_at", "id"])
    op.create_index("executions_state", "executions", ["project_id", "state", "id"])
    op.create_index("executions_tree", "executions", ["root_id", "parent_id", "id"])
    op.create_index(
        "executions_unfinished",
        "executions",
        ["root_id", "id", "state"],
        **where("state IN ('IDLE', 'RUNNING', 'PAUSED')"),
    )
    op.create_index("executions_updated", "executions", ["project_id", "updated_at", "id"])
    op.create_table(
        "history",
        text("execution_id"),
        number("seq"),
        number("at"),
        text("entries"),
        sa.PrimaryKeyConstraint("execution_id", "seq"),
        sqlite_with_rowid=False,
        postgresql_partition_by="RANGE (execution_id)",
    )
    op.create_table(
        "replies",
        text("key"),
        number("at"),
        text("reply"),
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "revisions",
        text("id"),
        text("workflow_id"),
        text("name"),
        text("workbook_name", null=True),
        text("definition"),
        number("created_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "tasks",
        text("id"),
        text("execution_id"),
        text("project_id"),
        text("name"),
        text("type"),
        text("workflow_name"),
        text("tags"),
        text("state"),
        text("state_info", null=True),
        text("published"),
        text("published_global", null=True),
        text("runtime_context"),
        flag("processed"),
        number("created_at"),
        number("updated_at"),
        number("started_at", null=True),
        number("finished_at", null=True),
        flag("retired"),
        text("snapshot", null=True),
        text("internal"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
        postgresql_with={"fillfactor": 85, **_BUSY},
    )
    op.create_index("tasks_of_execution", "tasks", ["execution_id", "retired", "id"])
    op.create_table(
        "timers",
        text("owner_id"),
        text("kind"),
        number("due_at"),
        text("root_id"),
        text("execution_id", null=True),
        text("data"),
        sa.PrimaryKeyConstraint("owner_id", "kind"),
        sqlite_with_rowid=False,
        postgresql_with=_TURNING,
    )
    op.create_index("timers_due", "timers", ["due_at", "owner_id", "kind"])
    op.create_index("timers_of_execution", "timers", ["execution_id"])
    op.create_table(
        "workbooks",
        text("id"),
        text("name"),
        text("namespace"),
        text("project_id"),
        text("scope"),
        text("definition"),
        text("tags"),
        number("created_at"),
        number("updated_at", null=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("workbooks_name", "workbooks", ["name", "namespace", "project_id"], unique=True)
    op.create_table(
        "workflows",
        text("id"),
        text("name"),
        text("namespace"),
        text("project_id"),
        text("scope"),
        text("workbook_name", null=True),
        text("definition"),
        text("checksum", null=True),
        text("input"),
        text("interface"),
        text("tags"),
        flag("is_system"),
        text("revision_id"),
        number("created_at"),
        number("updated_at", null=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("workflows_name", "workflows", ["name", "namespace", "project_id"], unique=True)
    if op.get_bind().dialect.name == "postgresql":
        # What belongs to no week: ids that a caller has chosen. The weeks are made by the server.
        op.execute("CREATE TABLE history_rest PARTITION OF history DEFAULT")
        op.create_table(
            "writers",
            text("id"),
            number("seq"),
            sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
            sa.PrimaryKeyConstraint("id"),
            postgresql_with={"fillfactor": 50},
        )
