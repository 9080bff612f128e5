"""What the extensions of the API work with, besides what all handlers have. All of it is optional: a process that was
not given a part says so in the answers that need it."""

from collections.abc import Callable

import msgspec

from ostro.api.attempts import Attempts
from ostro.api.drawings import Drawings
from ostro.api.log_ins import LogIns
from ostro.api.sessions import Sessions
from ostro.model.access import TokenRecord
from ostro.ports.insight import Insight
from ostro.ports.live import LiveFeed
from ostro.ports.secrets import Vault

NewToken = Callable[..., tuple[str, TokenRecord]]
"""The token and its row, by `project_id, user_id, roles, now, expires_at, description`. Raises InvalidInput."""


class Extensions(msgspec.Struct, frozen=True, kw_only=True):
    """`auth`: none, token, oidc or keystone."""

    auth: str = "none"
    sessions: Sessions | None = None  # None: no log-in by cookie
    log_ins: LogIns | None = None  # None: nobody is sent elsewhere to log in
    attempts: Attempts = msgspec.field(default_factory=Attempts)
    drawings: Drawings = msgspec.field(default_factory=Drawings)
    live: LiveFeed | None = None
    insight: Insight | None = None
    vault: Vault | None = None
    new_token: NewToken | None = None
