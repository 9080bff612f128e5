"""Stored automations -> the resources of this API."""

from time import gmtime, strftime
from typing import Any, Final

from ostro.api.mistral.wire import raw
from ostro.model.stored_automation import AutomationRecord

FIELDS: Final = (
    "uid", "name", "scope", "steps", "workspace_id", "user_id", "created", "updated", "deleted", "default_retry",
    "updated_by",
)  # fmt: skip


def stamp(microseconds: int) -> str:
    """ISO 8601, UTC, whole seconds."""
    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(microseconds // 1_000_000))


def http_date(microseconds: int) -> str:
    """For `Last-Modified`. Names of days and months are English, whatever the locale."""
    at = gmtime(microseconds // 1_000_000)
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[at.tm_wday]
    month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[at.tm_mon - 1]
    return f"{day}, {at.tm_mday:02} {month} {at.tm_year} {at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02} GMT"


def automation(r: AutomationRecord) -> dict[str, Any]:
    return {
        "uid": r.id,
        "name": r.name,
        "scope": "global" if r.scope == "public" else "workspace",
        "steps": raw(r.steps),
        "workspace_id": r.project_id,
        "user_id": r.user_id,
        "created": stamp(r.created_at),
        "updated": stamp(r.updated_at),
        "deleted": r.deleted,
        "default_retry": raw(r.default_retry),
        "updated_by": r.updated_by,
    }
