"""Definitions and environments: names, who sees which, and uploads that are whole."""

import msgspec
import pytest

from ostro.model.commands import ANYONE, Caller
from ostro.model.errors import Conflict
from ostro.ports.store import Filter, ListQuery, Store
from ostro.testing import rows

replace = msgspec.structs.replace
OTHER = Caller(project_id="other")


async def test_a_workflow_is_found_by_id_and_by_name_in_its_namespace(store: Store) -> None:
    plain, named = rows.workflow("wf"), rows.workflow("wf", namespace="ns")
    await store.save_workflows([plain, named], [], [rows.revision(plain)])

    assert await store.get_workflow("wf", None, ANYONE) == plain
    assert await store.get_workflow("wf", "ns", ANYONE) == named
    assert await store.get_workflow(named.id, "", ANYONE) == named
    assert await store.find_workflow("wf", "ns", ANYONE.project_id) == named
    assert await store.find_workflow("wf", "none", ANYONE.project_id) is None
    assert await store.revisions([plain.revision_id, "none"]) == {plain.revision_id: rows.revision(plain)}


async def test_the_own_definition_goes_before_a_public_one_and_a_private_one_is_hidden(store: Store) -> None:
    public = rows.workflow("shared", scope="public", project_id="other")
    hidden = rows.workflow("hidden", project_id="other")
    await store.save_workflows([public, hidden], [], [])

    assert await store.find_workflow("shared", "", ANYONE.project_id) == public
    assert await store.find_workflow(hidden.id, "", ANYONE.project_id) is None
    own = rows.workflow("shared")
    await store.save_workflows([own], [], [])
    assert await store.find_workflow("shared", "", ANYONE.project_id) == own
    assert await store.find_workflow("shared", "", "other") == public
    assert [found.id for found in await store.list_workflows(ListQuery(), ANYONE)] == [public.id, own.id]
    assert len(await store.list_workflows(ListQuery(), Caller(is_admin=True))) == 3


async def test_an_upload_with_a_taken_name_changes_nothing(store: Store) -> None:
    await store.save_workflows([rows.workflow("taken")], [], [])
    fresh = rows.workflow("fresh")

    with pytest.raises(Conflict) as caught:
        await store.save_workflows([fresh, rows.workflow("taken")], [], [rows.revision(fresh)])

    assert caught.value.message == (
        "Duplicate entry for WorkflowDefinition ['name', 'namespace', 'project_id']: taken, , <default-project>"
    )
    assert await store.get_workflow("fresh", "", ANYONE) is None
    assert await store.revisions([fresh.revision_id]) == {}


async def test_a_workflow_is_replaced_and_renamed_by_id(store: Store) -> None:
    first, second = rows.workflow("first"), rows.workflow("second")
    await store.save_workflows([first, second], [], [])
    changed = replace(first, name="renamed", definition="new", updated_at=rows.new_time(), tags='["t"]')
    await store.save_workflows([], [changed], [])

    assert await store.get_workflow(first.id, "", ANYONE) == changed
    with pytest.raises(Conflict):
        await store.save_workflows([], [replace(first, name="second")], [])
    await store.delete_workflow(first.id)
    assert await store.get_workflow("renamed", "", ANYONE) is None


async def test_a_workbook_creates_and_replaces_its_items_which_keep_their_ids(store: Store) -> None:
    old = rows.workflow("wb.a")
    await store.save_workflows([old], [], [rows.revision(old)])
    workbook = rows.workbook("wb")
    items = [rows.workflow("wb.a", workbook_name="wb"), rows.workflow("wb.b", workbook_name="wb")]
    action = rows.action_definition("wb.act", workbook_name="wb")
    await store.save_workbook(workbook, True, items, [action], [rows.revision(item) for item in items])

    kept = replace(items[0], id=old.id, created_at=old.created_at)
    assert await store.get_workflow("wb.a", "", ANYONE) == kept
    assert await store.get_workflow("wb.b", "", ANYONE) == items[1]
    assert (await store.revisions([items[0].revision_id]))[items[0].revision_id].workflow_id == old.id
    assert await store.find_action("wb.act", "", ANYONE.project_id) == action
    again = rows.action_definition("wb.act", definition="newer")
    await store.save_workbook(replace(workbook, definition="newer"), False, [], [again], [])
    assert await store.get_action("wb.act", "", ANYONE) == replace(again, id=action.id, created_at=action.created_at)
    assert (await store.list_workbooks(ListQuery(), ANYONE))[0].definition == "newer"
    await store.delete_workbook(workbook.id)
    assert await store.get_workbook("wb", "", ANYONE) is None
    assert await store.get_workflow("wb.a", "", ANYONE) == kept


async def test_a_workbook_whose_name_is_taken_creates_none_of_its_items(store: Store) -> None:
    await store.save_workbook(rows.workbook("wb"), True, [], [], [])
    with pytest.raises(Conflict, match="Duplicate entry for WorkbookDefinition"):
        await store.save_workbook(rows.workbook("wb"), True, [rows.workflow("wb.a")], [], [])
    assert await store.list_workflows(ListQuery(), ANYONE) == []


async def test_actions(store: Store) -> None:
    action = rows.action_definition("act", description="says", namespace="ns")
    await store.save_actions([action], [])
    changed = replace(action, definition="new", updated_at=rows.new_time())
    await store.save_actions([], [changed])

    assert await store.get_action("act", "ns", ANYONE) == changed
    assert await store.get_action(action.id, "", ANYONE) == changed
    assert await store.get_action("act", "", ANYONE) is None
    named = ListQuery(filters=(Filter("name", "has", "c"),), sort=(("name", "asc"),))
    assert await store.list_actions(named, ANYONE) == [changed]
    with pytest.raises(Conflict, match="Duplicate entry for Action "):
        await store.save_actions([rows.action_definition("act", namespace="ns")], [])
    await store.delete_action(action.id)
    assert await store.list_actions(ListQuery(), ANYONE) == []


async def test_environments(store: Store) -> None:
    environment = rows.environment("env", variables='{"a":1}', scope="public")
    await store.save_environment(environment, True)
    changed = replace(environment, description="d", updated_at=rows.new_time())
    await store.save_environment(changed, False)

    assert await store.get_environment("env", OTHER) == changed
    assert await store.find_environment("env", "other") == changed
    own = rows.environment("env", project_id="other")
    await store.save_environment(own, True)
    assert await store.find_environment("env", "other") == own
    with pytest.raises(Conflict) as caught:
        await store.save_environment(rows.environment("env"), True)
    assert caught.value.message == "Duplicate entry for Environment ['name', 'project_id']: env, <default-project>"
    await store.delete_environment(own.id)
    assert await store.list_environments(ListQuery(), OTHER) == [changed]


@pytest.mark.parametrize("asked", [("x",), ("x", "y"), ()])
async def test_tags_match_exactly(store: Store, asked: tuple[str, ...]) -> None:
    tagged = {"both": '["x","y"]', "one": '["x"]', "longer": '["xx","y"]', "none": "[]"}
    await store.save_workflows([rows.workflow(name, tags=tags) for name, tags in tagged.items()], [], [])

    found = await store.list_workflows(ListQuery(filters=(Filter("tags", "all_tags", asked),)), ANYONE)
    expected = {("x",): ["both", "one"], ("x", "y"): ["both"], (): list(tagged)}
    assert [workflow.name for workflow in found] == expected[asked]
