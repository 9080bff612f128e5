"""`ostro token`: API tokens for `--auth token`. A token is printed once, when it is made; only its digest is stored."""

import msgspec

from ostro.adapters.identity.tokens import KNOWN_SECONDS, new_token
from ostro.adapters.sql import access
from ostro.adapters.sql.db import Database
from ostro.cli import rows
from ostro.config import Settings
from ostro.model.access import TokenRecord
from ostro.model.errors import InvalidInput, NotFound
from ostro.model.lifetimes import end_of_life


def create(
    settings: Settings, *, project: str, user: str, roles: tuple[str, ...], expires: str, description: str
) -> tuple[str, dict[str, str]]:
    """The token, and what is known of it. `expires`: `90d`, `12h`, `30m`, `1y` or `never`."""
    now = rows.now()
    token, record = new_token(
        project_id=project,
        user_id=user,
        roles=roles,
        now=now,
        expires_at=_end(expires, now),
        description=description,
    )

    def write(db: Database) -> None:
        access.add_token(db, record)
        rows.audit(db, project, "tokens:create", record.id)

    rows.change(settings, write)
    return token, _shown(record, now)


def _end(expires: str, now: int) -> int | None:
    try:
        return end_of_life(expires, now)
    except InvalidInput as error:
        raise InvalidInput(f"--expires: {error.message}") from None


def list_all(settings: Settings) -> list[dict[str, str]]:
    """All tokens as rows of texts; nothing in them is secret."""
    now = rows.now()
    return [_shown(record, now) for record in rows.read(settings, access.list_tokens)]


def _shown(record: TokenRecord, now: int) -> dict[str, str]:
    return {
        "id": record.id,
        "project": record.project_id,
        "user": record.user_id,
        "roles": ",".join(msgspec.json.decode(record.roles, type=list[str])),
        "state": record.state(now),
        "expires": "never" if record.expires_at is None else rows.time_text(record.expires_at),
        "created": rows.time_text(record.created_at),
        "description": record.description,
    }


def revoke(settings: Settings, id: str) -> str:
    """A sentence about it. Raises NotFound."""

    def write(db: Database) -> None:
        record = access.find_token(db, id)
        if record is None or not access.revoke_token(db, id, rows.now()):
            raise NotFound(f"There is no valid token {id}.")
        rows.audit(db, record.project_id, "tokens:revoke", id)

    rows.change(settings, write)
    return f"Token {id} is revoked. A running server refuses it within {KNOWN_SECONDS:g} seconds."
