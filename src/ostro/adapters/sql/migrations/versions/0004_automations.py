"""HTTP automations.

Revision: 0004_automations
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004_automations"
down_revision = "0003_access"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FLAG = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")


def text(name: str, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _TEXT, nullable=null)


def upgrade() -> None:
    op.create_table(
        "automations",
        text("id"),
        text("name"),
        text("project_id"),
        text("scope"),
        text("user_id", null=True),
        text("updated_by", null=True),
        text("steps"),
        text("default_retry"),
        text("checksum"),
        sa.Column("deleted", _FLAG, nullable=False),
        sa.Column("created_at", _NUMBER, nullable=False),
        sa.Column("updated_at", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    living = sa.text("deleted = 0")
    op.create_index(
        "automations_name", "automations", ["name", "project_id"], unique=True,
        sqlite_where=living, postgresql_where=living,
    )  # fmt: skip
