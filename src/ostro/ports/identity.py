"""Who asks: tokens to callers; and what is stored about callers: API tokens, members, the audit log."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from ostro.model.access import AuditRecord, MemberRecord, TokenRecord
from ostro.model.commands import Caller

if TYPE_CHECKING:
    from ostro.ports.store import ListQuery


class Authenticator(Protocol):
    """One way to tell who sent a token."""

    async def authenticate(self, token: str) -> Caller:
        """The caller whose token it is; most calls are answered from memory.

        Raises Unauthenticated for a token that is unknown, expired or revoked, Unavailable if that cannot be found
        out now. Neither message holds the token.
        """
        ...

    async def close(self) -> None: ...


class Visit(msgspec.Struct, frozen=True):
    """What is known of a browser that was sent to log in elsewhere. `state`, `nonce` and `verifier` are secrets that
    prove, when it comes back, that it is the same browser and that the answer is for it. `redirect_uri`: where it
    comes back to. `to`: the page it wanted. `expires_at`: microseconds since the epoch."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    realm: str
    to: str
    expires_at: int


class Entry(msgspec.Struct, frozen=True):
    """A log-in elsewhere that went well. `token`: what an Authenticator takes, until `expires_at` (microseconds since
    the epoch). `refresh`: what a new token can be had for; empty if there is none."""

    token: str
    expires_at: int
    refresh: str = ""


class LogIn(Protocol):
    """Logging in with a browser at the service that knows the callers.

    All raise Unauthenticated if that service does not want to, Unavailable if it cannot be reached or talks nonsense.
    """

    async def address(self, visit: Visit) -> str:
        """Where to send the browser."""
        ...

    async def finish(self, visit: Visit, code: str) -> Entry:
        """`code`: what the browser came back with."""
        ...

    async def renew(self, refresh: str, realm: str) -> Entry: ...


class TokenStore(Protocol):
    async def find_token(self, id: str) -> TokenRecord | None: ...


class TokenAdmin(Protocol):
    async def list_tokens(self) -> list[TokenRecord]:
        """Of all projects, by created_at, id."""
        ...

    async def add_token(self, record: TokenRecord) -> None: ...

    async def revoke_token(self, id: str, now: int) -> bool:
        """False: there is no such token, or it was revoked before."""
        ...


class MemberStore(Protocol):
    """Shared workflows. Whose members a caller may see or change is for the API to say."""

    async def members_of(self, resource_id: str) -> list[MemberRecord]:
        """All members of a workflow, by created_at, id."""
        ...

    async def save_member(self, record: MemberRecord, is_new: bool) -> None:
        """`Conflict` if a new pair of workflow and project exists."""
        ...

    async def delete_member(self, resource_id: str, member_id: str) -> None: ...


class AuditStore(Protocol):
    async def add_audit(self, records: Sequence[AuditRecord]) -> None:
        """All of them, durably."""
        ...

    async def list_audit(self, query: "ListQuery", caller: Caller) -> list[AuditRecord]: ...
