"""An HTTP automation as the store keeps it. Field order is column order; times are microseconds (UTC)."""

import msgspec


class AutomationRecord(msgspec.Struct, kw_only=True, frozen=True):
    """`id` is the automation's uid, and the id of the workflow that stands for it while it is not deleted.
    `name` is unique in a project among what is not deleted. `scope` is private or public, as of other definitions."""

    id: str
    name: str
    project_id: str
    scope: str
    user_id: str | None  # e-mail address of who made it
    updated_by: str | None  # and of who changed it last
    steps: str  # JSON list
    default_retry: str  # JSON object
    checksum: str  # of the definition that stands for it in `/v2/workflows`
    deleted: bool
    created_at: int
    updated_at: int
