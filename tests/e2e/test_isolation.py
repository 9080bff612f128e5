"""Two tenants and an administrator: nothing of one can be read, counted, guessed or changed by the other.

The table has a row for each route and method. A stranger asks for what the owner has, and for what nobody has; both
answers must be the same but for the name that was asked for, and the owner's things must be as before.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from ostro.api.operations import all_operations
from ostro.api.policy import PUBLIC, rule_of
from tests.e2e.tenants import HIDDEN, Tenants, tenants, unknown

FLOW = "version: '2.0'\n{name}:\n  tasks:\n    t:\n      action: std.noop\n"
ADHOC = "version: '2.0'\n{name}:\n  base: std.noop\n"
AUTOMATION = {"name": "mine", "steps": [{"name": "call", "apispec": {"url": "http://127.0.0.1:1/"}}]}
BOOK = "version: '2.0'\nname: {name}\n"


class Row(NamedTuple):
    """`path`, and texts in `json` and `text`, with names of the owner's things in braces. `names`: things without an
    id of their own; a stranger asks for those of `Tenants`, and for others."""

    route: str
    path: str
    status: int  # for the stranger
    json: dict[str, Any] | None = None
    text: str | None = None
    name: str = ""


MISSING = 404

ROWS = [
    # lists hold nothing of others
    Row("GET /v2/executions", "/v2/executions", 200),
    Row("GET /v2/executions", "/v2/executions?root_execution_id={execution}", 200),
    Row("GET /v2/executions", "/v2/executions?marker={execution}", MISSING),
    Row("GET /v2/executions", "/v2/executions?all_projects=true", 403),
    Row("GET /v2/executions", "/v2/executions?project_id={execution}", 403),
    Row("GET /v2/tasks", "/v2/tasks", 200),
    Row("GET /v2/tasks", "/v2/tasks?workflow_execution_id={execution}", 200),
    Row("GET /v2/tasks", "/v2/tasks?marker={task_call}", MISSING),
    Row("GET /v2/action_executions", "/v2/action_executions?task_execution_id={task_broken}&include_output=true", 200),
    Row("GET /v2/workflows", "/v2/workflows?name={name}", 200, name="flow"),
    Row("GET /v2/workflows", "/v2/workflows?marker={workflow_flow}", MISSING),
    Row("GET /v2/workflows", "/v2/workflows?all_projects=true", 403),
    Row("GET /v2/workbooks", "/v2/workbooks?name={name}", 200, name="book"),
    Row("GET /v2/actions", "/v2/actions?name={name}", 200, name="adhoc"),
    Row("GET /v2/environments", "/v2/environments?name={name}", 200, name="env"),
    Row("GET /v2/services", "/v2/services", 200),
    Row("GET /v2/audit", "/v2/audit", 403),
    Row("GET /metrics", "/metrics", 403),
    Row("GET /maintenance", "/maintenance", 200),
    # executions
    Row("POST /v2/executions", "/v2/executions", MISSING, {"workflow_id": "{workflow_flow}"}),
    Row("POST /v2/executions", "/v2/executions", MISSING, {"workflow_name": "{name}"}, name="flow"),
    Row("POST /v2/executions", "/v2/executions", MISSING, {"source_execution_id": "{execution}"}),
    Row("GET /v2/executions/{id}", "/v2/executions/{execution}", MISSING),
    Row("GET /v2/executions/{id}", "/v2/executions/{child}", MISSING),
    Row("PUT /v2/executions/{id}", "/v2/executions/{execution}", MISSING, {"state": "CANCELLED"}),
    Row("PUT /v2/executions/{id}", "/v2/executions/{execution}", MISSING, {"description": "mine"}),
    Row("DELETE /v2/executions/{id}", "/v2/executions/{execution}?force=true", MISSING),
    Row("GET /v2/executions/{id}/tasks", "/v2/executions/{execution}/tasks", MISSING),
    Row("GET /v2/executions/{id}/report", "/v2/executions/{execution}/report", MISSING),
    Row("GET /v2/executions/{id}/executions", "/v2/executions/{execution}/executions", MISSING),
    # tasks
    Row("GET /v2/tasks/{id}", "/v2/tasks/{task_call}", MISSING),
    Row("PUT /v2/tasks/{id}", "/v2/tasks/{task_broken}", MISSING, {"state": "RUNNING", "reset": True}),
    Row("PUT /v2/tasks/{id}", "/v2/tasks/{task_broken}", MISSING, {"state": "SKIPPED"}),
    Row("GET /v2/tasks/{id}/action_executions", "/v2/tasks/{task_broken}/action_executions", 200),
    Row(
        "GET /v2/tasks/{id}/action_executions/{action_id}",
        "/v2/tasks/{task_broken}/action_executions/{task_action}",
        MISSING,
    ),
    Row("GET /v2/tasks/{id}/workflow_executions", "/v2/tasks/{task_call}/workflow_executions", 200),
    Row("GET /v2/tasks/{id}/executions", "/v2/tasks/{task_call}/executions", MISSING),
    # action executions
    Row("POST /v2/action_executions", "/v2/action_executions", 400, {"name": "{name}", "input": {}}, name="adhoc"),
    Row("GET /v2/action_executions/{id}", "/v2/action_executions/{done}", MISSING),
    Row("PUT /v2/action_executions/{id}", "/v2/action_executions/{waiting}", MISSING, {"state": "SUCCESS"}),
    Row("PUT /v2/action_executions/{id}", "/v2/action_executions/{waiting}", MISSING, {"state": "PAUSED"}),
    Row("DELETE /v2/action_executions/{id}", "/v2/action_executions/{done}", MISSING),
    # workflows
    Row("POST /v2/workflows", "/v2/workflows?scope=public", 403, text=FLOW, name="flow"),
    Row("PUT /v2/workflows", "/v2/workflows", MISSING, text=FLOW, name="flow"),
    Row("GET /v2/workflows/{id}", "/v2/workflows/{workflow_flow}", MISSING),
    Row("GET /v2/workflows/{id}", "/v2/workflows/{name}", MISSING, name="book.inner"),
    Row("PUT /v2/workflows/{id}", "/v2/workflows/{workflow_flow}", MISSING, text=FLOW, name="flow"),
    Row("DELETE /v2/workflows/{id}", "/v2/workflows/{workflow_flow}", MISSING),
    Row("POST /v2/workflows/validate", "/v2/workflows/validate", 200, text=FLOW, name="flow"),
    Row("POST /v2/workflows/validation", "/v2/workflows/validation", 200, text=FLOW, name="flow"),
    # members
    Row("GET /v2/workflows/{id}/members", "/v2/workflows/{workflow_flow}/members", MISSING),
    Row("POST /v2/workflows/{id}/members", "/v2/workflows/{workflow_flow}/members", MISSING, {"member_id": "beta"}),
    Row("GET /v2/workflows/{id}/members/{member_id}", "/v2/workflows/{workflow_flow}/members/gamma", MISSING),
    Row(
        "PUT /v2/workflows/{id}/members/{member_id}",
        "/v2/workflows/{workflow_flow}/members/gamma",
        MISSING,
        {"status": "accepted"},
    ),
    Row(
        "PUT /v2/workflows/{id}/members/{member_id}",
        "/v2/workflows/{workflow_flow}/members/beta",
        MISSING,
        {"status": "accepted"},
    ),
    Row("DELETE /v2/workflows/{id}/members/{member_id}", "/v2/workflows/{workflow_flow}/members/gamma", MISSING),
    # workbooks, actions, environments
    Row("POST /v2/workbooks", "/v2/workbooks?scope=public", 403, text=BOOK, name="book"),
    Row("PUT /v2/workbooks", "/v2/workbooks", MISSING, text=BOOK, name="book"),
    Row("GET /v2/workbooks/{name}", "/v2/workbooks/{name}", MISSING, name="book"),
    Row("DELETE /v2/workbooks/{name}", "/v2/workbooks/{name}", MISSING, name="book"),
    Row("POST /v2/workbooks/validate", "/v2/workbooks/validate", 200, text=BOOK, name="book"),
    Row("POST /v2/workbooks/validation", "/v2/workbooks/validation", 200, text=BOOK, name="book"),
    Row("POST /v2/actions", "/v2/actions?scope=public", 403, text=ADHOC, name="adhoc"),
    Row("PUT /v2/actions", "/v2/actions", MISSING, text=ADHOC, name="adhoc"),
    Row("GET /v2/actions/{id}", "/v2/actions/{action}", MISSING),
    Row("GET /v2/actions/{id}", "/v2/actions/{name}", MISSING, name="adhoc"),
    Row("PUT /v2/actions/{id}", "/v2/actions/{action}", MISSING, text=ADHOC, name="adhoc"),
    Row("DELETE /v2/actions/{id}", "/v2/actions/{action}", MISSING),
    Row("GET /v2/actions/{id}/{namespace}", "/v2/actions/{name}/", MISSING, name="adhoc"),
    Row("GET /v2/actions/{id}/{namespace}", "/v2/actions/{name}/space", MISSING, name="adhoc"),
    Row("DELETE /v2/actions/{id}/{namespace}", "/v2/actions/{name}/space", MISSING, name="adhoc"),
    Row("POST /v2/actions/validate", "/v2/actions/validate", 200, text=ADHOC, name="adhoc"),
    Row("POST /v2/actions/validation", "/v2/actions/validation", 200, text=ADHOC, name="adhoc"),
    Row("POST /v2/environments", "/v2/environments", 403, {"name": "{name}", "scope": "public"}, name="env"),
    Row("PUT /v2/environments", "/v2/environments", MISSING, {"name": "{name}", "variables": {}}, name="env"),
    Row("GET /v2/environments/{name}", "/v2/environments/{name}", MISSING, name="env"),
    Row("DELETE /v2/environments/{name}", "/v2/environments/{name}", MISSING, name="env"),
    # triggers
    Row("GET /v2/cron_triggers", "/v2/cron_triggers?name={name}", 200, name="cron"),
    Row("GET /v2/cron_triggers", "/v2/cron_triggers?all_projects=true", 403),
    Row(
        "POST /v2/cron_triggers",
        "/v2/cron_triggers",
        MISSING,
        {"name": "mine", "workflow_id": "{workflow_flow}", "pattern": "0 0 1 1 *"},
    ),
    Row("GET /v2/cron_triggers/{id}", "/v2/cron_triggers/{cron}", MISSING),
    Row("GET /v2/cron_triggers/{id}", "/v2/cron_triggers/{name}", MISSING, name="cron"),
    Row("DELETE /v2/cron_triggers/{id}", "/v2/cron_triggers/{cron}", MISSING),
    Row("GET /v2/event_triggers", "/v2/event_triggers?workflow_id={workflow_flow}", 200),
    Row("GET /v2/event_triggers", "/v2/event_triggers?all_projects=true", 403),
    Row(
        "POST /v2/event_triggers",
        "/v2/event_triggers",
        MISSING,
        {"exchange": "x", "topic": "t", "event": "e", "workflow_id": "{workflow_flow}"},
    ),
    Row("GET /v2/event_triggers/{id}", "/v2/event_triggers/{event}", MISSING),
    Row("PUT /v2/event_triggers/{id}", "/v2/event_triggers/{event}", MISSING, {"name": "mine"}),
    Row("DELETE /v2/event_triggers/{id}", "/v2/event_triggers/{event}", MISSING),
    Row("PUT /maintenance", "/maintenance", 403, {"status": "PAUSED"}),
    # automations
    Row("GET /automation/v1/schema", "/automation/v1/schema", 200),
    Row("GET /automation/v1/workflows", "/automation/v1/workflows", 200),
    Row("GET /automation/v1/workflows", "/automation/v1/workflows?all_projects=true", 403),
    Row("GET /automation/v1/workflows", "/automation/v1/workflows?marker={automation}", MISSING),
    Row("POST /automation/v1/workflows", "/automation/v1/workflows", 422, {"name": "mine"}),
    Row("POST /automation/v1/workflows/validate", "/automation/v1/workflows/validate", 200, {"name": "mine"}),
    Row("GET /automation/v1/workflows/{uid}", "/automation/v1/workflows/{automation}", MISSING),
    Row("PUT /automation/v1/workflows/{uid}", "/automation/v1/workflows/{automation}", MISSING, AUTOMATION),
    Row("PATCH /automation/v1/workflows/{uid}", "/automation/v1/workflows/{automation}", MISSING, {"name": "mine"}),
    Row("DELETE /automation/v1/workflows/{uid}", "/automation/v1/workflows/{automation}", MISSING),
    Row("POST /automation/v1/workflows/{uid}/restore", "/automation/v1/workflows/{automation}/restore", MISSING),
    Row("POST /automation/v1/workflows/{uid}/preview", "/automation/v1/workflows/{automation}/preview", MISSING, {}),
    Row("POST /automation/v1/workflows/{uid}/run", "/automation/v1/workflows/{automation}/run", MISSING, {}),
    Row("GET /automation/v1/workflows/{uid}/executions", "/automation/v1/workflows/{automation}/executions", MISSING),
    Row("GET /automation/v1/executions/{id}/state", "/automation/v1/executions/{run}/state", MISSING),
    # what people ask
    Row("GET /v2/stream", "/v2/stream?execution_id={execution}", MISSING),
    Row("GET /v2/stream", "/v2/stream?execution_id={child}", MISSING),
    Row("GET /v2/overview", "/v2/overview?project_id={execution}", 400),
    Row("GET /v2/executions/{id}/graph", "/v2/executions/{execution}/graph", MISSING),
    Row("GET /v2/executions/{id}/waits", "/v2/executions/{execution}/waits", MISSING),
    Row("GET /v2/executions/{id}/timeline", "/v2/executions/{execution}/timeline", MISSING),
    Row("POST /v2/graph", "/v2/graph", 200, {"definition": FLOW, "workflow": "{name}"}, name="flow"),
    Row("POST /v2/lint", "/v2/lint", 200, {"definition": FLOW}, name="flow"),
    Row("GET /v2/schema/{kind}", "/v2/schema/workflow", 200),
    Row("GET /v2/workflows/{id}/revisions", "/v2/workflows/{workflow_flow}/revisions", MISSING),
    Row("GET /v2/workflows/{id}/revisions", "/v2/workflows/{name}/revisions", MISSING, name="flow"),
    Row("GET /v2/cron_triggers/{id}/next", "/v2/cron_triggers/{cron}/next", MISSING),
    # secrets are of one project, tokens for administrators alone
    Row("GET /v2/secrets", "/v2/secrets", 200),
    Row("GET /v2/secrets/{name}", "/v2/secrets/{name}", MISSING, name="key"),
    Row("PUT /v2/secrets/{name}", "/v2/secrets/{name}", 400, {"value": "x"}, name="key"),
    Row("DELETE /v2/secrets/{name}", "/v2/secrets/{name}", MISSING, name="key"),
    Row("GET /v2/tokens", "/v2/tokens", 403),
    Row("POST /v2/tokens", "/v2/tokens", 403, {"project_id": "alpha", "roles": ["admin"]}),
    Row("DELETE /v2/tokens/{id}", "/v2/tokens/{token}", 403),
    # uploaded code is for administrators alone
    *(
        Row(f"{method} /v2/{kind}{path}", f"/v2/{kind}{path.replace('{id}', '{workflow_flow}')}", 403)
        for kind in ("code_sources", "dynamic_actions")
        for path, methods in (("", ("GET", "POST", "PUT", "DELETE")), ("/{id}", ("GET", "DELETE")))
        for method in methods
    ),
    # paths that lack what their method needs: the same for everybody
    *(
        Row(f"{method} /v2/{kind}", f"/v2/{kind}", 400)
        for method, kind in (
            ("PUT", "executions"), ("DELETE", "executions"), ("PUT", "tasks"), ("PUT", "action_executions"),
            ("DELETE", "action_executions"), ("DELETE", "workflows"), ("DELETE", "workbooks"), ("DELETE", "actions"),
            ("DELETE", "environments"), ("DELETE", "cron_triggers"), ("PUT", "event_triggers"),
            ("DELETE", "event_triggers"),
        )
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenants]:
    with tenants(tmp_path_factory.mktemp("tenants")) as running:
        yield running


def ask(client: httpx.Client, row: Row, ids: dict[str, str], name: str) -> httpx.Response:
    method = row.route.partition(" ")[0]
    body: Any = None
    if row.json is not None:
        body = {key: _named(value, ids, name) for key, value in row.json.items()}
    text = None if row.text is None else row.text.replace("{name}", name)
    return client.request(method, _named(row.path, ids, name), json=body, content=text)


def _named(value: Any, ids: dict[str, str], name: str) -> Any:
    return value.format(name=name, **ids) if isinstance(value, str) else value


def without(text: str, ids: dict[str, str], name: str) -> str:
    """An answer without the names that were in the question."""
    for id in ids.values():
        text = text.replace(id, "ID")
    return re.sub(rf"\b{re.escape(name)}\b", "NAME", text) if name else text


ROUTES = [(o.method, o.path) for o in all_operations() if rule_of(o.method, o.path) != PUBLIC]


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda part: part)
def test_every_route_has_a_row(method: str, path: str) -> None:
    assert f"{method} {path}" in {row.route for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.route} {row.path} {row.json or ''}")
def test_a_stranger_cannot_tell_what_is_there(world: Tenants, row: Row) -> None:
    before = world.holdings()
    nothing = unknown(world.ids)
    of_owner = ask(world.stranger, row, world.ids, row.name)
    of_nobody = ask(world.stranger, row, nothing, "absent" if row.name else "")
    assert of_owner.status_code == row.status, of_owner.text
    assert of_nobody.status_code == row.status, of_nobody.text
    assert without(of_owner.text, world.ids, row.name) == without(of_nobody.text, nothing, "absent" if row.name else "")
    assert HIDDEN not in of_owner.text
    assert world.holdings() == before


class Anything(dict[str, str]):
    """A name for every parameter of a path."""

    def __missing__(self, key: str) -> str:
        return "x"


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda part: part)
def test_nobody_gets_in_without_a_token(world: Tenants, method: str, path: str) -> None:
    for headers in ({}, {"X-Auth-Token": "ostro_0_x"}, {"X-Project-Id": "alpha", "X-Roles": "admin"}):
        answer = httpx.request(method, world.server.url + path.format_map(Anything()), headers=headers, trust_env=False)
        assert answer.status_code == 401, answer.text
        assert answer.headers["Server-Error-Message"].startswith("Failed to validate access token: ")
        assert answer.headers["WWW-Authenticate"] == answer.headers["Server-Error-Message"]


# A stream has no end, and nobody reads secrets of other projects.
NOT_READ = ("GET /v2/stream", "GET /v2/secrets")
READS = [row for row in ROWS if row.route.startswith("GET") and row.status == MISSING and "marker" not in row.path
         and not row.path.endswith("/space") and not row.route.startswith(NOT_READ)]  # fmt: skip


@pytest.mark.parametrize("row", READS, ids=lambda row: row.path)
def test_an_administrator_reads_everything(world: Tenants, row: Row) -> None:
    answer = ask(world.admin, row, world.ids, row.name)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("kind", ["executions", "workflows", "tasks", "action_executions", "environments", "workbooks"])
def test_lists_of_an_administrator_hold_all_projects(world: Tenants, kind: str) -> None:
    owned = {one["id"] for one in world.owner.get(f"/v2/{kind}").json()[kind]}
    assert owned
    assert owned <= {one["id"] for one in world.admin.get(f"/v2/{kind}").json()[kind]}
    assert not owned & {one["id"] for one in world.stranger.get(f"/v2/{kind}").json()[kind]}


@pytest.mark.parametrize(
    ("path", "text", "json"),
    [
        ("/v2/workflows", FLOW.format(name="flow"), None),
        ("/v2/workbooks", BOOK.format(name="book"), None),
        ("/v2/actions", ADHOC.format(name="adhoc"), None),
        ("/v2/environments", None, {"name": "env", "variables": {}}),
    ],
)
def test_both_may_have_things_of_the_same_name(world: Tenants, path: str, text: str | None, json: Any) -> None:
    kind = path.rpartition("/")[2]
    name = {"workflows": "flow", "workbooks": "book", "actions": "adhoc", "environments": "env"}[kind]
    before = world.holdings()
    made = world.stranger.post(path, content=text, json=json)
    assert made.status_code == 201, made.text
    assert world.stranger.post(path, content=text, json=json).status_code == 409
    assert HIDDEN not in world.stranger.get(f"{path}/{name}").text
    assert world.stranger.delete(f"{path}/{name}").status_code == 204
    assert world.holdings() == before


def test_an_execution_id_of_another_project_is_taken_and_says_nothing_else(world: Tenants) -> None:
    world.stranger.post("/v2/workflows", content=FLOW.format(name="own"))
    body = {"workflow_name": "own", "id": world.ids["execution"]}
    answer = world.stranger.post("/v2/executions", json=body)
    assert (answer.status_code, answer.json()["faultstring"]) == (
        409, f"The execution id {world.ids['execution']} is taken.",
    )  # fmt: skip


def test_what_is_public_can_be_read_and_run_but_not_changed(world: Tenants) -> None:
    text = FLOW.format(name="shared")
    id = world.admin.post("/v2/workflows?scope=public", content=text).json()["workflows"][0]["id"]
    refusal = f"Can not access WorkflowDefinition resource of other projects, ID: {id}"
    assert world.stranger.get(f"/v2/workflows/{id}").json()["project_id"] == "ops"
    for refused in (
        world.stranger.put("/v2/workflows", content=text),
        world.stranger.put(f"/v2/workflows/{id}", content=text),
        world.stranger.delete(f"/v2/workflows/{id}"),
    ):
        assert (refused.status_code, refused.json()["faultstring"]) == (403, refusal)
    started = world.stranger.post("/v2/executions", json={"workflow_id": id})
    assert (started.status_code, started.json()["project_id"]) == (201, "beta")
    world.admin.delete(f"/v2/workflows/{id}")


def test_earlier_texts_of_what_is_public_now_are_its_own_projects(world: Tenants) -> None:
    text = FLOW.format(name="opened")
    id = world.admin.post("/v2/workflows", content=f"{text}# {HIDDEN}\n").json()["workflows"][0]["id"]
    world.admin.put("/v2/workflows?scope=public", content=text)
    seen = world.stranger.get(f"/v2/workflows/{id}/revisions")
    assert [one["is_current"] for one in seen.json()["revisions"]] == [True]
    assert HIDDEN not in seen.text
    assert len(world.admin.get(f"/v2/workflows/{id}/revisions").json()["revisions"]) == 2
    world.admin.delete(f"/v2/workflows/{id}")


def test_system_definitions_cannot_be_changed_by_anybody(world: Tenants) -> None:
    for client in (world.owner, world.admin):
        answer = client.delete("/v2/actions/std.echo")
        assert answer.status_code == 404
        assert answer.json()["faultstring"].startswith("Action definition not found")


def test_an_administrator_changes_a_workbook_of_another_project_in_place(world: Tenants) -> None:
    text = "version: '2.0'\nname: changed\nworkflows:\n  w:\n    tasks:\n      t:\n        action: std.noop\n"
    world.owner.post("/v2/workbooks", content=text)
    assert world.admin.put("/v2/workbooks", content=text.replace("w:", "x:", 1)).status_code == 200
    assert world.owner.get("/v2/workflows/changed.x").json()["project_id"] == "alpha"


def test_a_request_for_another_cloud_is_refused(world: Tenants) -> None:
    answer = world.owner.get("/v2/workflows", headers={"X-Target-Auth-Uri": "http://cloud:5000/v3"})
    assert answer.status_code == 400
    assert "X-Target-*" in answer.json()["faultstring"]


def test_bearer_tokens_are_good_too(world: Tenants) -> None:
    headers = {"Authorization": f"bearer {world.tokens['alpha']}"}
    answer = httpx.get(f"{world.server.url}/v2/workflows", headers=headers, trust_env=False)
    assert answer.status_code == 200
