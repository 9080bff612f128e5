"""How many places of each limit an engine may give out, and in which shards what runs is counted.

Revision: 0007_quotas
"""

import sqlalchemy as sa
from alembic import op

revision = "0007_quotas"
down_revision = "0006_revisions"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("shards", sa.Column("counted", _NUMBER, nullable=True))
    op.create_table(
        "quotas",
        sa.Column("name", _TEXT, nullable=False),
        *(
            sa.Column(name, _NUMBER, nullable=False, autoincrement=False)
            for name in ("epoch", "quota", "used", "waiting", "oldest")
        ),
        sa.PrimaryKeyConstraint("name", "epoch"),
        sqlite_with_rowid=False,
    )
