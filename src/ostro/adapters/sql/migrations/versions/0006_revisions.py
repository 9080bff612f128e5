"""The texts of a workflow in the order of time: for its list of revisions, and for what is not kept any more.

Revision: 0006_revisions
"""

from alembic import op

revision = "0006_revisions"
down_revision = "0005_cluster"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("revisions_of_workflow", "revisions", ["workflow_id", "created_at", "id"])
