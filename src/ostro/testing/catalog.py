"""Definition texts into a `MemoryStore`, as an upload through the API would put them there."""

from ostro.lang import parse_workbook, parse_workflows, workbook_item_texts
from ostro.lang.documents import parse_actions
from ostro.lang.lint import kind_of
from ostro.lang.reader import read
from ostro.model.definition import ActionSpec, WorkflowSpec
from ostro.testing import rows
from ostro.testing.store import MemoryStore


def upload(store: MemoryStore, text: str, namespace: str = "") -> list[str]:
    """Store the workflows or ad-hoc actions of a text, or those of a workbook. Their full names, in the order of the
    text. Raises DefinitionError. A name that exists is replaced: what already runs keeps its revision."""
    data = read(text).data
    kind = kind_of(data) if isinstance(data, dict) else "workflows"
    if kind == "actions":
        return [_put_action(store, spec, spec.name, text, None, namespace) for spec in parse_actions(text)]
    if kind == "workflows":
        return [_put_workflow(store, spec, spec.name, text, None, namespace) for spec in parse_workflows(text)]
    book = parse_workbook(text)
    workflow_texts, action_texts = workbook_item_texts(text)
    names = [
        _put_workflow(store, spec, f"{book.name}.{name}", workflow_texts[name], book.name, namespace)
        for name, spec in book.workflows.items()
    ]
    return names + [
        _put_action(store, spec, f"{book.name}.{name}", action_texts[name], book.name, namespace)
        for name, spec in book.actions.items()
    ]


def _put_workflow(
    store: MemoryStore, spec: WorkflowSpec, name: str, text: str, workbook: str | None, namespace: str
) -> str:
    record = rows.workflow(name, definition=text, workbook_name=workbook, namespace=namespace)
    for old in list(store.workflows.values()):
        if (old.name, old.namespace) == (name, namespace):
            del store.workflows[old.id]
    store.put_workflow(record, rows.revision(record))
    return name


def _put_action(
    store: MemoryStore, spec: ActionSpec, name: str, text: str, workbook: str | None, namespace: str
) -> str:
    for old in list(store.adhoc_actions.values()):
        if (old.name, old.namespace) == (name, namespace):
            del store.adhoc_actions[old.id]
    store.put_action(rows.action_definition(name, definition=text, workbook_name=workbook, namespace=namespace))
    return name
