"""More than one process: living engines, who owns which shard, and counters that all of them watch.

Revision: 0005_cluster
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005_cluster"
down_revision = "0004_automations"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def text(name: str) -> sa.Column[Any]:
    return sa.Column(name, _TEXT, nullable=False)


def number(name: str, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _NUMBER, nullable=null, autoincrement=False)


def upgrade() -> None:
    op.create_table(
        "engines",
        number("epoch"),
        text("name"),
        text("host"),
        text("version"),
        text("roles"),
        text("state"),
        number("pid"),
        number("started_at"),
        number("expires_at"),
        sa.PrimaryKeyConstraint("epoch"),
    )
    op.create_table(
        "shards", number("shard"), number("epoch", null=True), number("since"), sa.PrimaryKeyConstraint("shard")
    )
    op.create_table("counters", text("name"), number("value"), sa.PrimaryKeyConstraint("name"), sqlite_with_rowid=False)
