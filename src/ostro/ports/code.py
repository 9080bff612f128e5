"""Uploaded Python: code sources, and the dynamic actions made from their classes."""

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from ostro.model.access import CodeSourceRecord, DynamicActionRecord
from ostro.model.commands import Caller

if TYPE_CHECKING:
    from ostro.ports.store import ListQuery

# The action that runs them all. Its input: `dynamic_action` (id) and `input` (of the class).
ACTION: Final = "ostro.code"


class Code(msgspec.Struct, frozen=True):
    """What a job for `ACTION` carries under "code" in its context. `name`: the dynamic action's."""

    name: str
    class_name: str
    content: str


class Signature(msgspec.Struct, frozen=True):
    """`DynamicActionRecord.signature` as JSON: what the class's constructor takes. `defaults` of optional ones."""

    names: tuple[str, ...] = ()
    defaults: dict[str, Any] = {}
    description: str = ""


class DynamicActions(Protocol):
    async def find_dynamic_action(self, name: str, namespace: str, project_id: str) -> DynamicActionRecord | None:
        """By name in exactly that namespace; own, else public."""
        ...


class CodeReader(DynamicActions, Protocol):
    """For the engine's side."""

    async def find_code(self, dynamic_action_id: str, project_id: str) -> Code | None:
        """If the project may use the action: its own, or a public one."""
        ...


class CodeStore(CodeReader, Protocol):
    """For the API. Writes raise Conflict for taken names."""

    async def get_code_source(self, identifier: str, namespace: str, caller: Caller) -> CodeSourceRecord | None:
        """By id, or by name in that namespace."""
        ...

    async def list_code_sources(self, query: "ListQuery", caller: Caller) -> list[CodeSourceRecord]: ...

    async def save_code_source(self, record: CodeSourceRecord, is_new: bool) -> None: ...

    async def delete_code_source(self, id: str) -> None:
        """With its dynamic actions."""
        ...

    async def actions_of_source(self, id: str) -> list[DynamicActionRecord]:
        """By name, id."""
        ...

    async def get_dynamic_action(
        self, identifier: str, namespace: str, caller: Caller
    ) -> DynamicActionRecord | None: ...

    async def list_dynamic_actions(self, query: "ListQuery", caller: Caller) -> list[DynamicActionRecord]: ...

    async def save_dynamic_action(self, record: DynamicActionRecord, is_new: bool) -> None: ...

    async def delete_dynamic_action(self, id: str) -> None: ...
