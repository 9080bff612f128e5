"""Rows about who may do what: tokens, members, secrets, the audit log, uploaded code.

As in `records`: field order is column order, times are microseconds since the epoch (UTC).
"""

import msgspec


class TokenRecord(msgspec.Struct, kw_only=True, frozen=True):
    """An API token. The token itself is nowhere: `digest` is the SHA-256 of its secret part."""

    id: str
    digest: str
    description: str
    project_id: str
    user_id: str
    roles: str  # JSON list
    created_at: int
    expires_at: int | None
    revoked_at: int | None

    def state(self, now: int) -> str:
        """valid, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "valid"


class MemberRecord(msgspec.Struct, kw_only=True, frozen=True):
    """A project with which a workflow is shared. `status`: pending, accepted or rejected."""

    id: str
    resource_id: str
    resource_type: str
    project_id: str  # the owner
    member_id: str  # the other project
    status: str
    created_at: int
    updated_at: int | None


class SecretRecord(msgspec.Struct, kw_only=True, frozen=True):
    """A secret, encrypted: see `ports.secrets`."""

    project_id: str
    name: str
    sealed: str
    created_at: int
    updated_at: int | None


class AuditRecord(msgspec.Struct, kw_only=True, frozen=True):
    """One change: who asked for it, what it was, when it was done.

    `action` is the policy rule (`workflows:create`); `target` ids or names of what was changed, as far as they are
    known. Ids rise with time.
    """

    id: str
    created_at: int
    project_id: str
    user_id: str | None
    action: str
    target: str
    method: str
    path: str
    status: int


class CodeSourceRecord(msgspec.Struct, kw_only=True, frozen=True):
    """Uploaded Python. `version` rises with every upload."""

    id: str
    name: str
    namespace: str
    project_id: str
    scope: str
    content: str
    version: int
    created_at: int
    updated_at: int | None


class DynamicActionRecord(msgspec.Struct, kw_only=True, frozen=True):
    """An action whose class is in a code source. `signature`: JSON, see `ports.code`."""

    id: str
    name: str
    namespace: str
    project_id: str
    scope: str
    class_name: str
    code_source_id: str
    code_source_name: str
    signature: str
    created_at: int
    updated_at: int | None
