"""Definitions as the core wants them: compiled once, cached, forgotten when something was written."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import msgspec

from ostro.core.compile import compile_workflow
from ostro.core.describe import fallbacks
from ostro.core.env import AdHoc, WorkflowHandle
from ostro.core.graph import Graph
from ostro.expr import compile_value
from ostro.expr.scope import MISSING
from ostro.lang import parse_action_item, parse_actions, parse_workflow_item, parse_workflows
from ostro.model.access import DynamicActionRecord
from ostro.model.automation import MARK
from ostro.model.definition import REQUIRED, ActionSpec
from ostro.model.errors import InvalidInput
from ostro.model.records import ActionDefinitionRecord, RevisionRecord
from ostro.ports.code import ACTION as CODE_ACTION
from ostro.ports.code import Signature
from ostro.ports.store import EngineStore

_GRAPHS = 2000  # compiled workflows kept
_ANSWERS = 50_000
_LARGE = 20_000  # characters of a definition


class Definitions:
    """Answers the Needs `workflow`, `action` and `environment`."""

    kinds = frozenset({"workflow", "action", "environment"})

    def __init__(self, store: EngineStore, decode_object: Callable[[str], Any]) -> None:
        self._store = store
        self._decode = decode_object
        self._answers: dict[tuple[Any, ...], Any] = {}
        self._graphs: OrderedDict[str, Graph] = OrderedDict()
        self._generation = 0
        self._version = 0
        self.fallbacks = 0  # YAQL parts, of all graphs compiled so far, that the library evaluates

    def changed(self) -> None:
        """Something was written: ask again."""
        self._generation += 1
        self._answers.clear()

    def saw_version(self, version: int) -> None:
        """That of what is stored, read a moment ago."""
        if version != self._version:
            self._version = version
            self.changed()

    def cached(self, key: tuple[Any, ...]) -> Any:
        return self._answers.get(key, MISSING)

    async def answer(self, key: tuple[Any, ...]) -> Any:
        generation = self._generation
        value = await self._read(key)
        # Environments are copied at start and may be edited directly; they are cheap to read.
        if generation == self._generation and key[0] != "environment":
            if len(self._answers) > _ANSWERS:
                self._answers.clear()
            self._answers[key] = value
        return value

    async def _read(self, key: tuple[Any, ...]) -> Any:
        kind = key[0]
        if kind == "workflow":
            return await self._workflow(*key[1:])
        if kind == "action":
            record = await self._store.find_action(*key[1:])
            if record is not None:
                return _adhoc(record)
            dynamic = await self._store.find_dynamic_action(*key[1:])
            return None if dynamic is None else _dynamic(dynamic)
        record_env = await self._store.find_environment(*key[1:])
        return None if record_env is None else self._decode(record_env.variables)

    async def _workflow(self, identifier: str, namespace: str, project_id: str) -> Any:
        record = await self._store.find_workflow(identifier, namespace, project_id)
        if record is None:
            return None
        try:
            graph = await self.graph(record.revision_id)
        except InvalidInput as error:
            return error
        return WorkflowHandle(
            id=record.id,
            name=record.name,
            namespace=record.namespace,
            revision_id=record.revision_id,
            workbook=record.workbook_name,
            graph=graph,
        )

    async def graph(self, revision_id: str) -> Graph:
        """The compiled revision. Raises InvalidInput if the text cannot be run (any more)."""
        graph = self._graphs.get(revision_id)
        if graph is not None:
            self._graphs.move_to_end(revision_id)
            return graph
        found = await self._store.revisions([revision_id])
        revision = found.get(revision_id)
        if revision is None:
            raise InvalidInput(f"The definition revision {revision_id} is missing from the store.")
        if len(revision.definition) > _LARGE:
            graph = await asyncio.to_thread(compile_revision, revision)  # others go on meanwhile
        else:
            graph = compile_revision(revision)
        self.fallbacks += len(fallbacks(graph))
        self._graphs[revision_id] = graph
        if len(self._graphs) > _GRAPHS:
            self._graphs.popitem(last=False)
        return graph


def compile_revision(revision: RevisionRecord) -> Graph:
    if revision.definition.startswith(MARK):
        return _compile_automation(revision.definition)
    if revision.workbook_name:
        return compile_workflow(parse_workflow_item(revision.definition, revision.name))
    for spec in parse_workflows(revision.definition):
        if spec.name == revision.name:
            return compile_workflow(spec)
    raise InvalidInput(f"The stored definition does not hold a workflow {revision.name}.")


def _compile_automation(definition: str) -> Graph:
    from ostro.core.automation import compile_automation  # needs pydantic, which is slow to import
    from ostro.lang.automation import parse_stored

    return compile_automation(parse_stored(definition))


def _dynamic(record: DynamicActionRecord) -> AdHoc:
    """Like an ad-hoc action on top of the one that runs all uploaded code."""
    signature = msgspec.json.decode(record.signature, type=Signature)
    declared = tuple((name, signature.defaults.get(name, REQUIRED)) for name in signature.names)
    given = {name: f"<% $.{name} %>" for name in signature.names}
    return AdHoc(
        name=record.name,
        spec=ActionSpec(name=record.name, base=CODE_ACTION, input=declared),
        base_input=compile_value({"dynamic_action": record.id, "input": given}),
        output=None,
    )


def _adhoc(record: ActionDefinitionRecord) -> AdHoc:
    if record.workbook_name:
        spec = parse_action_item(record.definition, record.name)
    else:
        spec = next(spec for spec in parse_actions(record.definition) if spec.name == record.name)
    return AdHoc(
        name=record.name,
        spec=spec,
        base_input=compile_value({**spec.base_input, **spec.base_params}),
        output=None if spec.output is None else compile_value(spec.output),
    )
