"""Tokens, members, secrets, audit log, uploaded code.

Revision: 0003_access
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003_access"
down_revision = "0002_triggers"
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
        "tokens",
        text("id"),
        text("digest"),
        text("description"),
        text("project_id"),
        text("user_id"),
        text("roles"),
        number("created_at"),
        number("expires_at", null=True),
        number("revoked_at", null=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "members",
        text("id"),
        text("resource_id"),
        text("resource_type"),
        text("project_id"),
        text("member_id"),
        text("status"),
        number("created_at"),
        number("updated_at", null=True),
        sa.PrimaryKeyConstraint("resource_id", "member_id"),
    )
    op.create_index("members_of_project", "members", ["member_id", "status", "resource_id"])
    op.create_table(
        "secrets",
        text("project_id"),
        text("name"),
        text("sealed"),
        number("created_at"),
        number("updated_at", null=True),
        sa.PrimaryKeyConstraint("project_id", "name"),
    )
    op.create_table(
        "audit",
        text("id"),
        number("created_at"),
        text("project_id"),
        text("user_id", null=True),
        text("action"),
        text("target"),
        text("method"),
        text("path"),
        number("status"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_created", "audit", ["created_at", "id"])
    op.create_table(
        "code_sources",
        text("id"),
        text("name"),
        text("namespace"),
        text("project_id"),
        text("scope"),
        text("content"),
        number("version"),
        number("created_at"),
        number("updated_at", null=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("code_sources_name", "code_sources", ["name", "namespace", "project_id"], unique=True)
    op.create_table(
        "dynamic_actions",
        text("id"),
        text("name"),
        text("namespace"),
        text("project_id"),
        text("scope"),
        text("class_name"),
        text("code_source_id"),
        text("code_source_name"),
        text("signature"),
        number("created_at"),
        number("updated_at", null=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("dynamic_actions_name", "dynamic_actions", ["name", "namespace", "project_id"], unique=True)
    op.create_index("dynamic_actions_of_source", "dynamic_actions", ["code_source_id"])
