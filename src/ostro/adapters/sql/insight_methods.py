"""`ports.insight.InsightStore` and `ports.identity.TokenAdmin`: functions of this package, run in the right lane."""

from functools import partial
from typing import TYPE_CHECKING, Final

from ostro.adapters.sql import access, insight, scrap
from ostro.model.access import TokenRecord
from ostro.model.records import RevisionRecord
from ostro.ports.insight import Figures, Spans

if TYPE_CHECKING:
    from ostro.adapters.sql.store import Lanes


_MOST_AT_ONCE: Final = 500  # rows that one transaction deletes: commits of the engine wait for it


class InsightMethods:
    """What people ask, and what nobody needs any more."""

    _lanes: "Lanes"

    async def spans(self, execution_id: str, most_tasks: int, most_attempts: int) -> Spans:
        return await self._lanes.lists.call(lambda db: insight.spans(db, execution_id, most_tasks, most_attempts))

    async def figures(self, project_id: str, now: int, most: int) -> Figures:
        return await self._lanes.lists.call(lambda db: insight.figures(db, project_id, now, most))

    async def revisions_of(self, workflow_id: str, before: tuple[int, str] | None, limit: int) -> list[RevisionRecord]:
        return await self._lanes.lists.call(lambda db: insight.revisions_of(db, workflow_id, before, limit))

    # What is to go is looked for where that delays nobody; once it is old and unused it stays so.

    async def scrap_replies(self, before: int, limit: int) -> int:
        found = await self._lanes.lists.call(lambda db: scrap.old_replies(db, before, limit))
        for start in range(0, len(found), _MOST_AT_ONCE):
            keys = found[start : start + _MOST_AT_ONCE]
            await self._lanes.write.call(partial(scrap.delete_replies, keys=keys))
        return len(found)

    async def scrap_audit(self, before: int, limit: int) -> int:
        found = await self._lanes.lists.call(lambda db: scrap.old_audit(db, before, limit))
        if found:
            await self._lanes.write.call(lambda db: scrap.delete_audit(db, found))
        return len(found)

    async def scrap_revisions(self, keep: int, before: int, after: str, limit: int) -> tuple[int, str | None]:
        found, last = await self._lanes.lists.call(lambda db: scrap.unused_revisions(db, keep, before, after, limit))
        if found:
            await self._lanes.write.call(lambda db: scrap.delete_revisions(db, found))
        return len(found), last

    async def list_tokens(self) -> list[TokenRecord]:
        return await self._lanes.lists.call(access.list_tokens)

    async def add_token(self, record: TokenRecord) -> None:
        await self._lanes.write.call(lambda db: access.add_token(db, record))

    async def revoke_token(self, id: str, now: int) -> bool:
        return await self._lanes.write.call(lambda db: access.revoke_token(db, id, now))
