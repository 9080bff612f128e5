"""Tokens, members, secrets and the audit log: statements of one row or one short list each."""

from collections.abc import Sequence
from typing import Final

from ostro.adapters.sql.columns import columns, row_reader
from ostro.adapters.sql.commit import insert
from ostro.adapters.sql.counters import definitions_written
from ostro.adapters.sql.db import Database, Row
from ostro.adapters.sql.listing import page
from ostro.adapters.sql.resources import AUDIT
from ostro.model.access import AuditRecord, MemberRecord, SecretRecord, TokenRecord
from ostro.model.commands import Caller
from ostro.model.errors import Conflict
from ostro.ports.store import ListQuery

_TOKEN: Final = columns(TokenRecord)
_MEMBER: Final = columns(MemberRecord)
_SECRET: Final = columns(SecretRecord)

_read_token = row_reader(TokenRecord)
_read_member = row_reader(MemberRecord)
_read_secret = row_reader(SecretRecord)
_read_audit = row_reader(AuditRecord)


def find_token(db: Database, id: str) -> TokenRecord | None:
    rows = db.rows(f"SELECT {_TOKEN} FROM tokens WHERE id = ?", (id,))
    return _read_token(rows[0]) if rows else None


def list_tokens(db: Database) -> list[TokenRecord]:
    return [_read_token(row) for row in db.rows(f"SELECT {_TOKEN} FROM tokens ORDER BY created_at, id")]


def add_token(db: Database, record: TokenRecord) -> None:
    insert(db, "tokens", [record])


def revoke_token(db: Database, id: str, now: int) -> bool:
    """False: there is no such token, or it was revoked before."""
    if not db.rows("SELECT id FROM tokens WHERE id = ? AND revoked_at IS NULL", (id,)):
        return False
    db.run("UPDATE tokens SET revoked_at = ? WHERE id = ?", (now, id))
    return True


def members_of(db: Database, resource_id: str) -> list[MemberRecord]:
    sql = f"SELECT {_MEMBER} FROM members WHERE resource_id = ? ORDER BY created_at, id"
    return [_read_member(row) for row in db.rows(sql, (resource_id,))]


def _member(db: Database, resource_id: str, member_id: str) -> list[Row]:
    return db.rows("SELECT id FROM members WHERE resource_id = ? AND member_id = ?", (resource_id, member_id))


def save_member(db: Database, record: MemberRecord, is_new: bool) -> None:
    if not is_new:
        db.run(
            "UPDATE members SET status = ?, updated_at = ? WHERE resource_id = ? AND member_id = ?",
            (record.status, record.updated_at, record.resource_id, record.member_id),
        )
    elif _member(db, record.resource_id, record.member_id):
        key = f"{record.resource_id}, {record.resource_type}, {record.member_id}"
        raise Conflict(f"Duplicate entry for ResourceMember ['resource_id', 'resource_type', 'member_id']: {key}")
    else:
        insert(db, "members", [record])
    definitions_written(db)


def delete_member(db: Database, resource_id: str, member_id: str) -> None:
    db.run("DELETE FROM members WHERE resource_id = ? AND member_id = ?", (resource_id, member_id))
    definitions_written(db)


def delete_members_of(db: Database, resource_id: str) -> None:
    """With the workflow itself."""
    db.run("DELETE FROM members WHERE resource_id = ?", (resource_id,))


def find_secret(db: Database, name: str, project_id: str) -> SecretRecord | None:
    rows = db.rows(f"SELECT {_SECRET} FROM secrets WHERE project_id = ? AND name = ?", (project_id, name))
    return _read_secret(rows[0]) if rows else None


def list_secrets(db: Database, project_id: str | None) -> list[SecretRecord]:
    where, values = ("", ()) if project_id is None else ("WHERE project_id = ?", (project_id,))
    rows = db.rows(f"SELECT {_SECRET} FROM secrets {where} ORDER BY project_id, name", values)
    return [_read_secret(row) for row in rows]


def save_secrets(db: Database, records: Sequence[SecretRecord]) -> None:
    for record in records:
        if find_secret(db, record.name, record.project_id) is None:
            insert(db, "secrets", [record])
        else:
            db.run(
                "UPDATE secrets SET sealed = ?, updated_at = ? WHERE project_id = ? AND name = ?",
                (record.sealed, record.updated_at or record.created_at, record.project_id, record.name),
            )


def delete_secret(db: Database, name: str, project_id: str) -> bool:
    if find_secret(db, name, project_id) is None:
        return False
    db.run("DELETE FROM secrets WHERE project_id = ? AND name = ?", (project_id, name))
    return True


def add_audit(db: Database, records: Sequence[AuditRecord]) -> None:
    insert(db, "audit", records)


def list_audit(db: Database, query: ListQuery, caller: Caller) -> list[AuditRecord]:
    return [_read_audit(row) for row in page(db, AUDIT, query, caller)]
