"""Uploads of workflows, ad-hoc actions and workbooks; environments."""

import json

import httpx
import msgspec
import pytest

from ostro.api import ApiSettings
from tests.unit.api.fakes import PROJECT, FakeEngine, FakeStore

HELLO = """version: '2.0'
hello:
  tags: [one]
  input: [who, n: 5]
  output: {x: 1}
  tasks: {t: {action: std.noop}}
"""
TWO = HELLO + "bye: {tasks: {t: {action: std.noop}}}\n"
BOOK = """version: '2.0'
name: book
tags: [b]
actions:
  say: {base: std.echo, input: [what]}
workflows:
  main:
    tasks: {t: {action: say what=1}}
"""
BROKEN = "version: '2.0'\nw: {tasks: {t: {action: std.noop, on-success: ghost}}}\n"
BAD_YAQL = "version: '2.0'\nw: {tasks: {t: {action: std.echo output=<% 1 + %>}}}\n"


class TestWorkflows:
    async def test_create_and_read(self, client: httpx.AsyncClient, engine: FakeEngine, store: FakeStore) -> None:
        answer = await client.post("/v2/workflows", content=HELLO, headers={"Content-Type": "text/plain"})
        assert answer.status_code == 201
        assert answer.headers["content-type"] == "application/json;charset=utf-8"
        (made,) = answer.json()["workflows"]
        assert made["input"] == 'who, n="5"'
        assert made["interface"] == {"input": ["who", {"n": 5}], "output": ["x"]}
        assert (made["tags"], made["scope"], made["project_id"]) == (["one"], "private", PROJECT)
        assert made["updated_at"] is None
        assert len(made["checksum"]) == 32
        read = (await client.get("/v2/workflows/hello")).json()
        assert json.loads(read["interface"]) == made["interface"]
        assert {**read, "interface": made["interface"]} == made
        assert (await client.get(f"/v2/workflows/{made['id']}/")).json() == read
        assert store.revisions[0].workflow_id == made["id"]
        assert engine.changes == 1

    async def test_several_at_once_or_none(self, client: httpx.AsyncClient, store: FakeStore) -> None:
        await client.post("/v2/workflows", content=HELLO)
        answer = await client.post("/v2/workflows", content=TWO)
        assert answer.status_code == 409
        assert answer.json() == {
            "faultstring": "Duplicate entry for WorkflowDefinition ['name', 'namespace', 'project_id']: "
            f"hello, , {PROJECT}"
        }
        assert [row.name for row in store.workflows] == ["hello"]
        assert (await client.post("/v2/workflows?namespace=n", content=TWO)).status_code == 201

    async def test_update_makes_a_new_revision(self, client: httpx.AsyncClient, store: FakeStore) -> None:
        (made,) = (await client.post("/v2/workflows", content=HELLO)).json()["workflows"]
        answer = await client.put("/v2/workflows", content=HELLO.replace("one", "two"))
        assert answer.status_code == 200
        (changed,) = answer.json()["workflows"]
        assert (changed["id"], changed["tags"]) == (made["id"], ["two"])
        assert changed["updated_at"] == "2026-11-18 11:06:40"
        first, second = store.revisions
        assert first.id != second.id == store.workflows[0].revision_id
        assert "one" in first.definition

    async def test_update_of_what_is_missing_changes_nothing(self, client: httpx.AsyncClient, store: FakeStore) -> None:
        await client.post("/v2/workflows", content=HELLO)
        answer = await client.put("/v2/workflows", content=TWO.replace("one", "two"))
        assert answer.status_code == 404
        assert answer.json() == {"faultstring": "Workflow not found [workflow_identifier=bye, namespace=]"}
        assert store.workflows[0].tags == '["one"]'

    async def test_update_by_identifier_may_rename(self, client: httpx.AsyncClient) -> None:
        (made,) = (await client.post("/v2/workflows", content=HELLO)).json()["workflows"]
        path = f"/v2/workflows/{made['id']}"
        assert (await client.put(path, content=HELLO.replace("hello", "hi"))).json()["name"] == "hi"
        refused = await client.put(path, content=TWO)
        assert refused.json()["faultstring"] == (
            f"More than one workflows are not supported for update with identifier. [identifier: {made['id']}]"
        )

    async def test_delete(self, client: httpx.AsyncClient, store: FakeStore) -> None:
        await client.post("/v2/workflows", content=HELLO)
        assert (await client.delete("/v2/workflows/hello")).status_code == 204
        assert store.workflows == []
        again = await client.delete("/v2/workflows/hello")
        assert again.json()["faultstring"] == "Workflow not found [workflow_identifier=hello, namespace=]"
        assert again.json()["faultcode"] == "Client"

    async def test_what_belongs_to_others_cannot_be_changed(self, client: httpx.AsyncClient, store: FakeStore) -> None:
        await client.post("/v2/workflows", content=HELLO)
        (record,) = store.workflows
        store.workflows = [msgspec.structs.replace(record, project_id="other", scope="public")]
        for answer in (await client.put("/v2/workflows", content=HELLO), await client.delete("/v2/workflows/hello")):
            assert answer.status_code == 403
            assert answer.json()["faultstring"] == (
                f"Can not access WorkflowDefinition resource of other projects, ID: {record.id}"
            )
        store.workflows = [msgspec.structs.replace(record, is_system=True)]
        answer = await client.delete("/v2/workflows/hello")
        assert answer.json()["faultstring"] == f"Can not modify a system WorkflowDefinition resource, ID: {record.id}"
        store.workflows = [msgspec.structs.replace(record, project_id="other", scope="public")]
        assert (await client.post("/v2/workflows", content=HELLO)).status_code == 201

    @pytest.mark.parametrize(
        ("query", "text", "status", "message"),
        [
            ("", BROKEN, 400, "Task 'ghost' not found."),
            ("", BAD_YAQL, 400, "Parse error"),
            ("?skip_validation", BAD_YAQL, 400, "Parse error"),
            ("", "", 400, "Invalid DSL: 'version' is a required property"),
            ("", "{unbalanced", 400, "Definition could not be parsed"),
            ("", HELLO.replace("hello", "h i"), 400, "Name 'h i' must not contain spaces"),
            ("?scope=public", HELLO, 403, "Operation forbidden (insufficient permissions)"),
            (
                "?scope=friends",
                HELLO,
                400,
                "Scope must be one of the following: {'public', 'private'}; actual: friends",
            ),
            ("?bogus=1", HELLO, 400, 'Unknown argument: "bogus"'),
        ],
    )
    async def test_refused_uploads(
        self, client: httpx.AsyncClient, query: str, text: str, status: int, message: str
    ) -> None:
        answer = await client.post(f"/v2/workflows{query}", content=text)
        assert answer.status_code == status
        assert list(answer.json()) == ["faultstring"]
        assert message in answer.json()["faultstring"]

    async def test_a_text_that_is_not_utf8(self, client: httpx.AsyncClient) -> None:
        answer = await client.post("/v2/workflows", content=b"version: '2.0'\nw: \xff")
        assert answer.status_code == 400
        assert "not UTF-8" in answer.json()["faultstring"]

    async def test_fields_of_one(self, client: httpx.AsyncClient) -> None:
        await client.post("/v2/workflows", content=HELLO)
        shown = (await client.get("/v2/workflows/hello?fields=name,input,nope")).json()
        assert shown == {"id": shown["id"], "name": "hello", "input": 'who, n="5"'}

    async def test_sharing_needs_authentication(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/v2/workflows/11111111-2222-4333-8444-555555555555/members")
        assert answer.status_code == 400
        assert answer.json() == {
            "faultstring": "Resource sharing feature can only be supported with authentication enabled."
        }
        answer = await client.post("/v2/workflows/hello/members", json={})
        assert "Only support UUID" in answer.json()["faultstring"]


class TestValidationModes:
    @pytest.fixture
    def settings(self) -> ApiSettings:
        return ApiSettings(validation_mode="enabled")

    async def test_expressions_can_be_left_unchecked(self, client: httpx.AsyncClient) -> None:
        assert (await client.post("/v2/workflows", content=BAD_YAQL)).status_code == 400
        assert (await client.post("/v2/workflows?skip_validation", content=BAD_YAQL)).status_code == 201


class TestValidate:
    @pytest.mark.parametrize("word", ["validate", "validation"])
    async def test_nothing_is_stored(self, client: httpx.AsyncClient, store: FakeStore, word: str) -> None:
        for kind, text in (("workflows", HELLO), ("workbooks", BOOK), ("actions", "version: '2.0'\na: {base: x}")):
            answer = await client.post(f"/v2/{kind}/{word}", content=text)
            assert (answer.status_code, answer.json()) == (200, {"valid": True})
        assert store.workflows == []

    async def test_what_is_wrong_and_where(self, client: httpx.AsyncClient) -> None:
        answer = await client.post("/v2/workflows/validate", content=BROKEN)
        assert answer.status_code == 200
        shown = answer.json()
        assert shown["valid"] is False
        assert "Task 'ghost' not found." in shown["error"]
        assert [problem["line"] for problem in shown["problems"]] == [2]

    async def test_a_workflow_may_be_called_validate(self, client: httpx.AsyncClient) -> None:
        await client.post("/v2/workflows", content=HELLO.replace("hello", "validate"))
        assert (await client.get("/v2/workflows/validate")).json()["name"] == "validate"


class TestActions:
    TEXT = "version: '2.0'\nsay:\n  description: d\n  input: [p, q: 2]\n  base: std.echo output=1\n"

    async def test_create_read_update_delete(self, client: httpx.AsyncClient, store: FakeStore) -> None:
        (made,) = (await client.post("/v2/actions", content=self.TEXT)).json()["actions"]
        assert (made["input"], made["is_system"], made["description"]) == ("p, q=2", False, "d")
        for path in ("say", "say/", made["id"], "say?namespace="):
            assert (await client.get(f"/v2/actions/{path}")).json() == made
        assert (await client.post("/v2/actions", content=self.TEXT)).status_code == 409
        plain = "version: '2.0'\nsay: {base: std.noop}\n"
        for path in ("/v2/actions", f"/v2/actions/{made['id']}"):
            (changed,) = (await client.put(path, content=plain)).json()["actions"]
            assert (changed["id"], changed["input"]) == (made["id"], None)
        assert (await client.get("/v2/actions/say")).json()["input"] == ""
        assert (await client.delete("/v2/actions/say")).status_code == 204
        gone = await client.get("/v2/actions/say")
        assert gone.json()["faultstring"] == "Action not found [name=say, namespace=]"
        gone = await client.put("/v2/actions", content=self.TEXT)
        assert gone.json() == {"faultstring": "Action definition not found [action_name=say, namespace=]"}

    async def test_an_identifier_names_one_action(self, client: httpx.AsyncClient) -> None:
        await client.post("/v2/actions", content=self.TEXT)
        refused = await client.put("/v2/actions/say", content=self.TEXT + "tell: {base: std.noop}\n")
        assert (refused.status_code, refused.json()["faultstring"]) == (
            400,
            "More than one actions are not supported for update with identifier. [identifier: say]",
        )
        assert (await client.get("/v2/actions/tell")).status_code == 404

    async def test_the_link_names_the_default_namespace(self, client: httpx.AsyncClient) -> None:
        link = (await client.get("/v2/actions?limit=1")).json()["next"]
        assert "&namespace=eq:&limit=1&" in link
        assert (await client.get(link)).status_code == 200

    async def test_the_second_segment_is_the_namespace(self, client: httpx.AsyncClient) -> None:
        await client.post("/v2/actions?namespace=n", content=self.TEXT)
        assert (await client.get("/v2/actions/say/n")).json()["namespace"] == "n"
        assert (await client.get("/v2/actions/say")).status_code == 404
        assert (await client.delete("/v2/actions/say/n")).status_code == 204

    async def test_a_stored_action_hides_a_built_in_one(self, client: httpx.AsyncClient) -> None:
        shown = (await client.get("/v2/actions/std.echo")).json()
        assert (shown["id"], shown["is_system"], shown["created_at"]) == ("std.echo", True, "")
        refused = await client.delete("/v2/actions/std.echo")
        assert refused.json()["faultstring"] == "Action definition not found [action_name=std.echo, namespace=]"
        await client.post("/v2/actions", content="version: '2.0'\nstd.echo: {base: std.noop}\n")
        assert (await client.get("/v2/actions/std.echo")).json()["is_system"] is False


class TestWorkbooks:
    async def test_items_are_made_along(self, client: httpx.AsyncClient, engine: FakeEngine, store: FakeStore) -> None:
        answer = await client.post("/v2/workbooks", content=BOOK)
        assert answer.status_code == 201
        assert (answer.json()["name"], answer.json()["tags"]) == ("book", ["b"])
        workflow = (await client.get("/v2/workflows/book.main")).json()
        assert workflow["checksum"] is None
        assert workflow["definition"].startswith("main:")
        assert (await client.get("/v2/actions/book.say")).json()["input"] == "what"
        assert [(r.name, r.workbook_name) for r in store.revisions] == [("book.main", "book")]
        assert engine.changes == 1

    async def test_update_keeps_ids_and_what_is_gone_from_the_text(
        self, client: httpx.AsyncClient, store: FakeStore
    ) -> None:
        await client.post("/v2/workbooks", content=BOOK)
        before = (await client.get("/v2/workflows/book.main")).json()
        extended = BOOK + "  more:\n    tasks: {t: {action: std.noop}}\n"
        assert (await client.put("/v2/workbooks", content=extended)).status_code == 200
        after = (await client.get("/v2/workflows/book.main")).json()
        assert (after["id"], after["created_at"]) == (before["id"], before["created_at"])
        assert after["updated_at"] is not None
        assert (await client.get("/v2/workflows/book.more")).json()["updated_at"] is None
        await client.put("/v2/workbooks", content=BOOK)
        assert (await client.get("/v2/workflows/book.more")).status_code == 200

    async def test_errors(self, client: httpx.AsyncClient) -> None:
        missing = await client.put("/v2/workbooks", content=BOOK)
        assert missing.json() == {"faultstring": "Workbook not found [name=book, namespace=]"}
        await client.post("/v2/workbooks", content=BOOK)
        taken = await client.post("/v2/workbooks", content=BOOK)
        assert taken.status_code == 409
        assert "Duplicate entry for WorkbookDefinition" in taken.json()["faultstring"]
        assert (await client.delete("/v2/workbooks/book")).status_code == 204
        gone = await client.delete("/v2/workbooks/book")
        assert gone.json()["faultstring"] == "Workbook not found [workbook_name=book, namespace=]"
        assert (await client.get("/v2/workflows/book.main")).status_code == 200


class TestEnvironments:
    async def test_create_read_update_delete(self, client: httpx.AsyncClient) -> None:
        answer = await client.post("/v2/environments", json={"name": "e", "description": "d", "variables": {"a": [1]}})
        assert answer.status_code == 201
        assert json.loads(answer.json()["variables"]) == {"a": [1]}
        taken = await client.post("/v2/environments", json={"name": "e"})
        assert taken.status_code == 409
        assert taken.json()["faultstring"] == f"Duplicate entry for Environment ['name', 'project_id']: e, {PROJECT}"
        changed = await client.put("/v2/environments", json={"name": "e", "variables": '{"z": 9}'})
        assert json.loads(changed.json()["variables"]) == {"z": 9}
        assert changed.json()["description"] == "d"
        assert (await client.get("/v2/environments/e?fields=name")).json().keys() == {"id", "name"}
        assert (await client.delete("/v2/environments/e")).status_code == 204
        gone = await client.get("/v2/environments/e")
        assert gone.json()["faultstring"] == "Environment not found [name=e]"

    @pytest.mark.parametrize(
        ("method", "body", "status", "message"),
        [
            ("POST", {"variables": {}}, 400, "Name of the environment is not provided."),
            ("PUT", {"variables": {}}, 400, "Name of the environment is not provided."),
            ("POST", {"name": "x" * 201}, 400, "at most 200 characters"),
            ("POST", {"name": "e", "colour": 1}, 400, "Unknown attribute for argument env: colour"),
            (
                "POST",
                {"name": "e", "id": "x"},
                400,
                "Please, check your environment definition. Only: ['name', 'description', 'variables', 'scope'] are",
            ),
            (
                "POST",
                {"name": "e", "scope": "galaxy"},
                400,
                "Invalid input for field/attribute scope. Value: 'galaxy'. Value should be one of: public, private",
            ),
            ("POST", {"name": "e", "scope": "public"}, 403, "Operation forbidden (insufficient permissions)"),
            ("POST", {"name": "e", "variables": [1]}, 400, "Invalid input for field/attribute env. Value"),
            ("PUT", {"name": "nobody"}, 404, "Environment not found [name=nobody]"),
        ],
    )
    async def test_refused(
        self, client: httpx.AsyncClient, method: str, body: dict[str, object], status: int, message: str
    ) -> None:
        answer = await client.request(method, "/v2/environments", json=body)
        assert answer.status_code == status
        assert message in answer.json()["faultstring"]
