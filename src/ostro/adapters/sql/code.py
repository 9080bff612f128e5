"""Code sources and dynamic actions in a SQL database: `ports.code.CodeStore`."""

from typing import TYPE_CHECKING, Final

from ostro.adapters.sql import catalog
from ostro.adapters.sql.catalog import Kind
from ostro.adapters.sql.columns import columns, row_reader
from ostro.adapters.sql.db import Database
from ostro.adapters.sql.resources import CODE_SOURCES, DYNAMIC_ACTIONS, visible
from ostro.model.access import CodeSourceRecord, DynamicActionRecord
from ostro.model.commands import Caller
from ostro.ports.code import Code
from ostro.ports.store import ListQuery

if TYPE_CHECKING:
    from ostro.adapters.sql.store import Lanes

SOURCE: Final = Kind(CodeSourceRecord, "code_sources", CODE_SOURCES, "CodeSource")
DYNAMIC: Final = Kind(DynamicActionRecord, "dynamic_actions", DYNAMIC_ACTIONS, "DynamicActionDefinition")

_DYNAMIC: Final = columns(DynamicActionRecord)
_read_dynamic = row_reader(DynamicActionRecord)


def find_code(db: Database, id: str, project_id: str) -> Code | None:
    scope, values = visible(DYNAMIC_ACTIONS, Caller(project_id=project_id))
    rows = db.rows(
        "SELECT d.name, d.class_name, s.content FROM dynamic_actions d JOIN code_sources s ON s.id = d.code_source_id"
        f" WHERE d.id = ? AND {scope}",
        (id, *values),
    )
    return Code(*rows[0]) if rows else None


def actions_of_source(db: Database, id: str) -> list[DynamicActionRecord]:
    sql = f"SELECT {_DYNAMIC} FROM dynamic_actions WHERE code_source_id = ? ORDER BY name, id"
    return [_read_dynamic(row) for row in db.rows(sql, (id,))]


def delete_source(db: Database, id: str) -> None:
    db.run("DELETE FROM dynamic_actions WHERE code_source_id = ?", (id,))
    catalog.delete(db, SOURCE, id)


def _save(db: Database, kind: Kind, record: CodeSourceRecord | DynamicActionRecord, is_new: bool) -> None:
    if is_new:
        catalog.create(db, kind, [record])
    else:
        catalog.replace(db, kind, [record])


class CodeMethods:
    """`ports.code.CodeStore`."""

    _lanes: "Lanes"

    async def find_dynamic_action(self, name: str, namespace: str, project_id: str) -> DynamicActionRecord | None:
        caller = Caller(project_id=project_id)
        return await self._lanes.engine.call(lambda db: catalog.find(db, DYNAMIC, name, namespace, caller))

    async def find_code(self, dynamic_action_id: str, project_id: str) -> Code | None:
        return await self._lanes.engine.call(lambda db: find_code(db, dynamic_action_id, project_id))

    async def get_code_source(self, identifier: str, namespace: str, caller: Caller) -> CodeSourceRecord | None:
        return await self._lanes.quick.call(
            lambda db: catalog.find(db, SOURCE, identifier, namespace, caller, by_id=True)
        )

    async def list_code_sources(self, query: ListQuery, caller: Caller) -> list[CodeSourceRecord]:
        return await self._lanes.lists.call(lambda db: catalog.listed(db, SOURCE, query, caller))

    async def save_code_source(self, record: CodeSourceRecord, is_new: bool) -> None:
        await self._lanes.write.call(lambda db: _save(db, SOURCE, record, is_new))

    async def delete_code_source(self, id: str) -> None:
        await self._lanes.write.call(lambda db: delete_source(db, id))

    async def actions_of_source(self, id: str) -> list[DynamicActionRecord]:
        return await self._lanes.quick.call(lambda db: actions_of_source(db, id))

    async def get_dynamic_action(self, identifier: str, namespace: str, caller: Caller) -> DynamicActionRecord | None:
        return await self._lanes.quick.call(
            lambda db: catalog.find(db, DYNAMIC, identifier, namespace, caller, by_id=True)
        )

    async def list_dynamic_actions(self, query: ListQuery, caller: Caller) -> list[DynamicActionRecord]:
        return await self._lanes.lists.call(lambda db: catalog.listed(db, DYNAMIC, query, caller))

    async def save_dynamic_action(self, record: DynamicActionRecord, is_new: bool) -> None:
        await self._lanes.write.call(lambda db: _save(db, DYNAMIC, record, is_new))

    async def delete_dynamic_action(self, id: str) -> None:
        await self._lanes.write.call(lambda db: catalog.delete(db, DYNAMIC, id))
