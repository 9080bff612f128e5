"""The store's part about who may do what: `ports.identity` and `ports.secrets`, as functions on a connection."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ostro.adapters.sql import access
from ostro.model.access import AuditRecord, MemberRecord, SecretRecord, TokenRecord
from ostro.model.commands import Caller
from ostro.ports.store import ListQuery

if TYPE_CHECKING:
    from ostro.adapters.sql.store import Lanes


class AccessMethods:
    """`ports.identity.TokenStore`, `MemberStore`, `AuditStore` and `ports.secrets.SecretAdmin`."""

    _lanes: "Lanes"

    async def find_token(self, id: str) -> TokenRecord | None:
        return await self._lanes.quick.call(lambda db: access.find_token(db, id))

    async def members_of(self, resource_id: str) -> list[MemberRecord]:
        return await self._lanes.quick.call(lambda db: access.members_of(db, resource_id))

    async def save_member(self, record: MemberRecord, is_new: bool) -> None:
        await self._lanes.write.call(lambda db: access.save_member(db, record, is_new))

    async def delete_member(self, resource_id: str, member_id: str) -> None:
        await self._lanes.write.call(lambda db: access.delete_member(db, resource_id, member_id))

    async def find_secret(self, name: str, project_id: str) -> SecretRecord | None:
        return await self._lanes.engine.call(lambda db: access.find_secret(db, name, project_id))

    async def list_secrets(self, project_id: str | None) -> list[SecretRecord]:
        return await self._lanes.quick.call(lambda db: access.list_secrets(db, project_id))

    async def save_secrets(self, records: Sequence[SecretRecord]) -> None:
        await self._lanes.write.call(lambda db: access.save_secrets(db, records))

    async def delete_secret(self, name: str, project_id: str) -> bool:
        return await self._lanes.write.call(lambda db: access.delete_secret(db, name, project_id))

    async def add_audit(self, records: Sequence[AuditRecord]) -> None:
        await self._lanes.write.call(lambda db: access.add_audit(db, records))

    async def list_audit(self, query: ListQuery, caller: Caller) -> list[AuditRecord]:
        return await self._lanes.lists.call(lambda db: access.list_audit(db, query, caller))
