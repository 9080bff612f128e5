"""The schema's revisions, the oldest first. A test holds them, migrations/versions and schema.sql in step."""

from typing import Final

REVISIONS: Final = (
    "0001_initial",
    "0002_triggers",
    "0003_access",
    "0004_automations",
    "0005_cluster",
    "0006_revisions",
    "0007_quotas",
)
HEAD: Final = REVISIONS[-1]
