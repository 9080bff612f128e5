"""/automation/v1 over a real store; the engine only notes what it is asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from ostro.adapters.sql import open_store
from ostro.api import ApiSettings, create_app
from ostro.api.policy import Policy
from ostro.model.commands import Caller, StartExecution
from ostro.model.errors import Unauthenticated
from tests.unit.api.fakes import AT, FakeEngine, execution

URL = "/automation/v1/workflows"
UID = "6f1d8f5e-3f0e-4c53-9a55-0a5a6a3c1d11"
STEP = {"name": "call", "apispec": {"url": "http://127.0.0.1:1/x"}}


def document(name: str = "Publish", **more: Any) -> dict[str, Any]:
    return {"name": name, "steps": [STEP], **more}


class Clock:
    """A second passes with every look."""

    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> int:
        self.at += 1_000_000
        return self.at


CALLERS = {
    "ann": Caller(project_id="team-a", user_id="ann@example.com", roles=("member",)),
    "bob": Caller(project_id="team-b", user_id="bob@example.com", roles=("member",)),
    "root": Caller(project_id="team-a", user_id="root@example.com", is_admin=True, roles=("admin",)),
}


class Tokens:
    """Names as tokens."""

    async def authenticate(self, token: str) -> Caller:
        try:
            return CALLERS[token]
        except KeyError:
            raise Unauthenticated("No such token.") from None

    async def close(self) -> None:
        pass


class Api:
    """The application with its store; `with_token` asks as somebody."""

    def __init__(self, app: Any, engine: FakeEngine) -> None:
        self.engine = engine
        self._app = app
        self.clients: list[httpx.AsyncClient] = []

    def with_token(self, name: str | None) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        headers = {} if name is None else {"X-Auth-Token": name}
        client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8989", headers=headers)
        self.clients.append(client)
        return client


async def _api(folder: Path, identity: Tokens | None, **settings: Any) -> AsyncIterator[Api]:
    engine = FakeEngine()
    async with await open_store(f"sqlite:///{folder}/ostro.db", durability="normal") as store:
        app = create_app(
            engine=engine,
            store=store,
            actions={},
            settings=ApiSettings(now=Clock(), system_apis={"users": "http://127.0.0.1:1/users"}, **settings),
            identity=identity,
            policy=Policy(authenticated=identity is not None),
            triggers=store,
            automations=store,
        )
        api = Api(app, engine)
        yield api
        for client in api.clients:
            await client.aclose()


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async for api in _api(tmp_path, None):
        yield api


@pytest.fixture
def client(api: Api) -> httpx.AsyncClient:
    return api.with_token(None)


@pytest.fixture
async def teams(tmp_path: Path) -> AsyncIterator[Callable[[str], httpx.AsyncClient]]:
    """Clients of ann (team-a), bob (team-b) and root (administrator)."""
    async for api in _api(tmp_path, Tokens()):
        yield api.with_token


class TestCreate:
    async def test_what_is_answered_has_every_field(self, client: httpx.AsyncClient) -> None:
        answer = await client.post(URL, json=document(default_retry={"total": 3}))
        assert answer.status_code == 201
        made = answer.json()
        assert list(made) == [
            "uid", "name", "scope", "steps", "workspace_id", "user_id", "created", "updated", "deleted",
            "default_retry", "updated_by",
        ]  # fmt: skip
        assert (made["name"], made["scope"], made["deleted"]) == ("Publish", "workspace", False)
        assert (made["workspace_id"], made["user_id"]) == ("<default-project>", None)
        assert made["created"] == made["updated"] == "2026-11-18T11:06:41Z"
        assert made["default_retry"]["total"] == 3
        assert made["default_retry"]["backoff_factor"] == 0
        assert made["steps"][0]["apispec"] == {
            "url": "http://127.0.0.1:1/x", "method": "GET", "headers": None, "params": None, "data": None,
            "json_body": None, "timeout": 60,
        }  # fmt: skip
        assert (await client.get(f"{URL}/{made['uid']}")).json() == made
        assert (await client.get(f"{URL}/Publish")).json() == made

    async def test_yaml_goes_in_and_out(self, client: httpx.AsyncClient) -> None:
        text = yaml.safe_dump(document(uid=UID))
        answer = await client.post(
            URL, content=text, headers={"Content-Type": "application/yaml", "Accept": "application/yaml"}
        )
        assert (answer.status_code, answer.headers["content-type"]) == (201, "application/yaml")
        assert yaml.safe_load(answer.text)["uid"] == UID
        assert answer.headers["vary"] == "accept"
        both = await client.get(f"{URL}/{UID}", headers={"Accept": "application/yaml;q=0.5, application/json"})
        assert both.headers["vary"] == "accept"
        assert both.json()["uid"] == UID

    async def test_flow_is_another_name_of_steps(self, client: httpx.AsyncClient) -> None:
        made = (await client.post(URL, json={"name": "x", "flow": [STEP]})).json()
        assert [step["name"] for step in made["steps"]] == ["call"]
        assert "flow" not in made

    async def test_what_the_server_sets_is_ignored(self, client: httpx.AsyncClient) -> None:
        given = document(created="2000-01-01T00:00:00Z", updated="x", deleted=True, updated_by="a@b.c")
        made = (await client.post(URL, json=given)).json()
        assert (made["deleted"], made["updated_by"], made["created"][:4]) == (False, None, "2026")

    async def test_taken_names_and_uids(self, client: httpx.AsyncClient) -> None:
        assert (await client.post(URL, json=document(uid=UID))).status_code == 201
        for taken in (document(), document("other", uid=UID)):
            answer = await client.post(URL, json=taken)
            assert answer.status_code == 409
            assert answer.json()["errors"] == []

    async def test_another_workspace_is_refused(self, client: httpx.AsyncClient) -> None:
        assert (await client.post(URL, json=document(workspace_id=UID))).status_code == 403
        assert (await client.post(URL, json=document(workspace_id="<default-project>"))).status_code == 201

    async def test_findings_name_their_places(self, client: httpx.AsyncClient) -> None:
        given = document(steps=[STEP, {"name": "b", "apispec": {"method": "GET"}, "concurrency": 0}], speed=1)
        answer = await client.post(URL, json=given)
        assert answer.status_code == 422
        errors = {error["loc"]: error for error in answer.json()["errors"]}
        assert set(errors) == {"steps[1].apispec.url", "steps[1].concurrency", "speed"}
        assert set(errors["speed"]) == {"loc", "msg"}
        assert "Invalid automation" in answer.json()["faultstring"]

    async def test_of_yaml_also_line_and_column(self, client: httpx.AsyncClient) -> None:
        text = "name: x\nsteps:\n  - name: a\n    apispec: {url: 'http://a/', method: FLY}\n"
        answer = await client.post(URL, content=text, headers={"Content-Type": "application/yaml"})
        (error,) = answer.json()["errors"]
        assert (error["loc"], error["line"], error["column"]) == ("steps[0].apispec.method", 4, 41)

    @pytest.mark.parametrize(
        ("content", "type", "status"),
        [
            (b"{", "application/json", 422),
            (b"[1]", "application/json", 422),
            (b"name: x", "application/json", 422),
            (b"a: [", "application/yaml", 422),
            (b"\xff", "application/yaml", 422),
            (b"<a/>", "text/html", 415),
            (b"{}" + b" " * 4_194_304, "application/json", 413),
        ],
    )
    async def test_bodies_that_are_none(
        self, client: httpx.AsyncClient, content: bytes, type: str, status: int
    ) -> None:
        answer = await client.post(URL, content=content, headers={"Content-Type": type})
        assert answer.status_code == status
        assert set(answer.json()) == {"faultstring", "errors"}


class TestChange:
    async def test_put_replaces_all_but_who_and_when(self, client: httpx.AsyncClient) -> None:
        made = (await client.post(URL, json=document(default_retry={"total": 3}))).json()
        answer = await client.put(f"{URL}/{made['uid']}", json=document("New", updated="x"))
        assert answer.status_code == 200
        changed = answer.json()
        assert (changed["name"], changed["default_retry"]["total"]) == ("New", 10)
        assert changed["created"] == made["created"]
        assert changed["updated"] > made["updated"]

    async def test_patch_is_a_merge_patch(self, client: httpx.AsyncClient) -> None:
        made = (await client.post(URL, json=document(default_retry={"total": 3, "read": 1}))).json()
        changes = {"name": "New", "default_retry": {"read": None, "backoff_factor": 2}}
        changed = (await client.patch(f"{URL}/{made['uid']}", json=changes)).json()
        assert changed["name"] == "New"
        assert (changed["steps"], changed["uid"]) == (made["steps"], made["uid"])
        retry = changed["default_retry"]
        assert (retry["total"], retry["read"], retry["backoff_factor"]) == (3, None, 2)
        assert (await client.patch(f"{URL}/{made['uid']}", json={"steps": []})).status_code == 422

    async def test_changes_at_the_same_time_are_all_kept(self, client: httpx.AsyncClient) -> None:
        made = (await client.post(URL, json=document())).json()
        address = f"{URL}/{made['uid']}"
        counts = ("total", "connect", "read", "redirect", "status", "other")
        await asyncio.gather(*(client.patch(address, json={"default_retry": {name: 7}}) for name in counts))
        retry = (await client.get(address)).json()["default_retry"]
        assert {retry[name] for name in counts} == {7}

    async def test_a_deleted_one_is_not_brought_back_by_a_change(self, client: httpx.AsyncClient) -> None:
        made = (await client.post(URL, json=document())).json()
        address = f"{URL}/{made['uid']}"
        changes = [client.patch(address, json={"default_retry": {"total": n}}) for n in range(4)]
        answers = await asyncio.gather(client.delete(address), *changes)
        assert answers[0].status_code == 204
        assert {answer.status_code for answer in answers[1:]} <= {200, 404}
        assert (await client.get(address)).status_code == 404

    async def test_the_uid_stays(self, client: httpx.AsyncClient) -> None:
        made = (await client.post(URL, json=document())).json()
        answer = await client.put(f"{URL}/{made['uid']}", json=document(uid=UID))
        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"loc": "uid", "msg": "The uid of an automation cannot be changed"}]

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    async def test_not_if_it_was_changed_meanwhile(self, client: httpx.AsyncClient, method: str) -> None:
        made = await client.post(URL, json=document())
        address = f"{URL}/{made.json()['uid']}"
        await client.patch(address, json={"name": "other"})
        body = {} if method == "DELETE" else {"json": document()}
        for since in (made.headers["last-modified"], made.json()["updated"]):
            answer = await client.request(method, address, headers={"If-Unmodified-Since": since}, **body)
            assert answer.status_code == 412
        now = (await client.get(address)).headers["last-modified"]
        answer = await client.request(method, address, headers={"If-Unmodified-Since": now}, **body)
        assert answer.status_code in (200, 204)

    async def test_a_name_that_is_taken(self, client: httpx.AsyncClient) -> None:
        await client.post(URL, json=document("a"))
        made = (await client.post(URL, json=document("b"))).json()
        assert (await client.patch(f"{URL}/{made['uid']}", json={"name": "a"})).status_code == 409


class TestDelete:
    async def test_soft_and_back(self, api: Api, client: httpx.AsyncClient) -> None:
        made = (await client.post(URL, json=document())).json()
        address = f"{URL}/{made['uid']}"
        assert (await client.delete(address)).status_code == 204
        assert (await client.get(address)).status_code == 404
        assert (await client.post(f"{address}/run", json={})).status_code == 404
        assert (await client.get(URL)).json()["workflows"] == []
        gone = (await client.get(address, params={"include_deleted": "true"})).json()
        assert gone["deleted"] is True
        assert gone["updated"] > made["updated"]
        listed = (await client.get(URL, params={"include_deleted": "true"})).json()["workflows"]
        assert listed == [gone]
        back = await client.post(f"{address}/restore")
        assert back.status_code == 200
        assert back.json() == {**made, "updated": back.json()["updated"]}
        standing = await client.get(f"/v2/workflows/{made['uid']}")
        assert standing.json()["namespace"] == "automation"

    async def test_its_name_is_free_and_may_be_taken_when_it_comes_back(self, client: httpx.AsyncClient) -> None:
        made = (await client.post(URL, json=document())).json()
        await client.delete(f"{URL}/{made['uid']}")
        assert (await client.post(URL, json=document())).status_code == 201
        assert (await client.post(f"{URL}/{made['uid']}/restore")).status_code == 409

    async def test_purge_is_for_ever(self, client: httpx.AsyncClient) -> None:
        made = (await client.post(URL, json=document())).json()
        address = f"{URL}/{made['uid']}"
        await client.delete(address)
        assert (await client.delete(address)).status_code == 404
        assert (await client.delete(address, params={"purge": "true"})).status_code == 204
        assert (await client.post(f"{address}/restore")).status_code == 404
        assert (await client.post(URL, json=document(uid=made["uid"]))).status_code == 201

    async def test_not_while_a_trigger_starts_it(self, client: httpx.AsyncClient) -> None:
        made = (await client.post(URL, json=document())).json()
        trigger = {"name": "t", "workflow_id": made["uid"], "pattern": "0 0 1 1 *", "workflow_input": {}}
        assert (await client.post("/v2/cron_triggers", json=trigger)).status_code == 201
        answer = await client.delete(f"{URL}/{made['uid']}")
        assert answer.status_code == 400
        assert "cron triggers" in answer.json()["faultstring"]
        assert (await client.get(f"{URL}/{made['uid']}")).status_code == 200


class TestLists:
    async def test_pages_lead_to_each_other(self, client: httpx.AsyncClient) -> None:
        for number in range(5):
            await client.post(URL, json=document(f"n{number}"))
        seen = []
        address = f"{URL}?limit=2&fields=name&sort_keys=name&sort_dirs=desc"
        while address:
            page = (await client.get(address)).json()
            seen += [row["name"] for row in page["workflows"]]
            assert all(set(row) == {"uid", "name"} for row in page["workflows"])
            address = page.get("next", "")
        assert seen == ["n4", "n3", "n2", "n1", "n0"]

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ({"name": "has:l"}, ["all", "local"]),
            ({"scope": "global"}, ["all"]),
            ({"scope": "neq:global"}, ["local", "other"]),
            ({"workspace_id": "<default-project>"}, ["all", "local", "other"]),
            ({"user_id": "x@y.z"}, []),
            ({"created": "gt:2026-11-18T11:06:41Z"}, ["local", "other"]),
            ({"updated": "2026-11-18T11:06:41Z"}, ["all"]),
            ({"limit": "1"}, ["all"]),
        ],
    )
    async def test_filters(self, client: httpx.AsyncClient, query: dict[str, str], names: list[str]) -> None:
        await client.post(URL, json=document("all", scope="global"))
        await client.post(URL, json=document("local"))
        await client.post(URL, json=document("other"))
        rows = (await client.get(URL, params=query)).json()["workflows"]
        assert [row["name"] for row in rows] == names

    async def test_what_cannot_be_asked(self, client: httpx.AsyncClient) -> None:
        for query in ("color=red", "sort_keys=steps", "fields=id", "limit=0", "marker=nope"):
            answer = await client.get(f"{URL}?{query}")
            assert answer.status_code in (400, 404)
            assert answer.json()["errors"] == []

    async def test_workflows_of_v2_do_not_show_them_unless_asked(self, client: httpx.AsyncClient) -> None:
        made = (await client.post(URL, json=document())).json()
        assert (await client.get("/v2/workflows")).json()["workflows"] == []
        (row,) = (await client.get("/v2/workflows?namespace=automation")).json()["workflows"]
        assert (row["id"], row["name"]) == (made["uid"], f"automation.{made['uid']}")
        assert (row["tags"], row["scope"]) == (["automation"], "private")
        assert "std.http_step" in row["definition"]

    async def test_workflows_of_v2_cannot_change_them(self, client: httpx.AsyncClient) -> None:
        made = (await client.post(URL, json=document())).json()
        text = "version: '2.0'\nw: {tasks: {t: {action: std.noop}}}"
        own = f"/{made['uid']}"
        for method, path in (("DELETE", own), ("PUT", own), ("POST", "?namespace=automation")):
            answer = await client.request(method, f"/v2/workflows{path}", content=None if method == "DELETE" else text)
            assert answer.status_code == 403


class TestRuns:
    async def test_a_start_says_who_asks_and_for_what(self, api: Api, client: httpx.AsyncClient) -> None:
        made = (await client.post(URL, json=document())).json()
        api.engine.replies.append((execution(), True))
        body = {"input": {"n": 1}, "description": "d", "env": {"e": 1}, "notify": [{"type": "webhook"}]}
        answer = await client.post(f"{URL}/{made['uid']}/run", json=body, headers={"X-Auth-Token": "mine"})
        assert answer.status_code == 201
        assert answer.json()["state"] == "RUNNING"
        command = api.engine.commands[-1]
        assert isinstance(command, StartExecution)
        assert (command.workflow, command.namespace) == (made["uid"], "automation")
        assert command.input == {"INPUT": {"n": 1}}
        assert command.params == {"env": {"e": 1}, "notify": [{"type": "webhook"}]}
        assert command.user == {
            "token": "mine", "workspace_id": "<default-project>", "user_id": None, "email": None, "roles": [],
        }  # fmt: skip

    async def test_a_run_without_a_body(self, api: Api, client: httpx.AsyncClient) -> None:
        made = (await client.post(URL, json=document())).json()
        api.engine.replies.append((execution(), True))
        assert (await client.post(f"{URL}/{made['uid']}/run")).status_code == 201
        assert api.engine.commands[-1].input == {"INPUT": {}}

    async def test_bodies_of_a_run(self, client: httpx.AsyncClient) -> None:
        made = (await client.post(URL, json=document())).json()
        answer = await client.post(f"{URL}/{made['uid']}/run", json={"input": [], "speed": 1})
        assert answer.status_code == 422
        assert {error["loc"] for error in answer.json()["errors"]} == {"input", "speed"}

    async def test_validate_stores_nothing(self, client: httpx.AsyncClient) -> None:
        assert (await client.post(f"{URL}/validate", json=document())).json() == {"valid": True}
        bad = document(steps=[{"name": "a", "apispec": {"url": "{{ x"}}])
        answer = await client.post(f"{URL}/validate", json=bad)
        assert answer.status_code == 200
        assert answer.json()["valid"] is False
        assert answer.json()["errors"][0]["loc"] == "steps[0].apispec.url"
        assert (await client.get(URL)).json()["workflows"] == []

    async def test_preview_renders_and_masks(self, client: httpx.AsyncClient) -> None:
        spec = {
            "url": "{{ SYSTEM_APIS.users }}/{{ CURRENT_STEP.input.id }}",
            "method": "patch",
            "headers": {"Authorization": "Bearer {{ USER.token }}", "X-Run": "{{ token }}"},
            "json_body": {"by": "{{ INPUT.by }}", "t": "{{ USER.token }}"},
        }
        steps = [{"name": "s", "input": "users", "apispec": spec}]
        made = (await client.post(URL, json=document(steps=steps))).json()
        body = {"input": {"by": "me"}, "state": {"users": [{"id": 1}, {"id": 2}], "token": "t"}}
        answer = await client.post(f"{URL}/{made['uid']}/preview", json=body, headers={"X-Auth-Token": "very-secret"})
        assert answer.status_code == 200
        assert "very-secret" not in answer.text
        assert answer.json()["calls"] == [
            {
                "step": "s",
                "item_index": index,
                "method": "PATCH",
                "url": f"http://127.0.0.1:1/users/{index + 1}",
                "headers": {"Authorization": "Bearer ***", "X-Run": "t"},
                "params": None,
                "body": {"by": "me", "t": "***"},
            }
            for index in range(2)
        ]

    async def test_preview_tells_what_only_a_run_knows(self, client: httpx.AsyncClient) -> None:
        steps = [{"name": "s", "apispec": {"url": "http://a/{{ auth.id }}", "json_body": {"at": "{{ uuid() }}"}}}]
        made = (await client.post(URL, json=document(steps=steps))).json()
        (call,) = (await client.post(f"{URL}/{made['uid']}/preview", json={})).json()["calls"]
        assert call["url"] == "http://a/{{ auth.id }}"
        assert "auth" in call["errors"]["url"]
        assert len(call["body"]["at"]) == 36

    async def test_preview_of_reserved_state(self, client: httpx.AsyncClient) -> None:
        made = (await client.post(URL, json=document())).json()
        answer = await client.post(f"{URL}/{made['uid']}/preview", json={"state": {"USER": {}}})
        assert answer.status_code == 422

    async def test_state_is_the_engines_answer(self, api: Api, client: httpx.AsyncClient) -> None:
        assert (await client.get("/automation/v1/executions/nope/state")).status_code == 404

    async def test_executions_of_an_automation(self, client: httpx.AsyncClient) -> None:
        made = (await client.post(URL, json=document())).json()
        assert (await client.get(f"{URL}/{made['uid']}/executions")).json() == {"executions": []}
        assert (await client.get(f"{URL}/{UID}/executions")).status_code == 404


class TestDocuments:
    async def test_the_schema_is_published(self, client: httpx.AsyncClient) -> None:
        schema = (await client.get("/automation/v1/schema")).json()
        assert set(schema["$defs"]) >= {"Step", "APISpec", "Retry", "ScopeEnum"}
        assert set(schema["properties"]) >= {"uid", "name", "scope", "steps", "default_retry"}

    async def test_and_in_the_openapi_document(self, client: httpx.AsyncClient) -> None:
        parts = (await client.get("/openapi.json")).json()
        schemas = parts["components"]["schemas"]
        assert schemas["Automation"]["properties"]["steps"]["items"]["$ref"] == "#/components/schemas/AutomationStep"
        body = parts["paths"]["/automation/v1/workflows"]["post"]["requestBody"]["content"]
        assert set(body) == {"application/json", "application/yaml"}


Teams = Callable[[str], httpx.AsyncClient]


class TestTenancy:
    async def test_a_workspace_sees_its_own(self, teams: Teams) -> None:
        ann, bob = teams("ann"), teams("bob")
        made = (await ann.post(URL, json=document())).json()
        assert (made["workspace_id"], made["user_id"], made["updated_by"]) == (
            "team-a", "ann@example.com", "ann@example.com",
        )  # fmt: skip
        assert (await bob.get(f"{URL}/{made['uid']}")).status_code == 404
        assert (await bob.get(URL)).json()["workflows"] == []
        assert (await bob.post(URL, json=document())).status_code == 201
        assert (await teams("nobody").get(URL)).status_code == 401
        # What was answered can be sent back.
        assert (await ann.put(f"{URL}/{made['uid']}", json=made)).status_code == 200

    async def test_global_ones_are_for_all_to_run_and_for_their_own_to_change(self, teams: Teams) -> None:
        ann, bob, root = teams("ann"), teams("bob"), teams("root")
        assert (await ann.post(URL, json=document(scope="global"))).status_code == 403
        made = (await root.post(URL, json=document(scope="global"))).json()
        address = f"{URL}/{made['uid']}"
        assert (await bob.get(address)).json()["scope"] == "global"
        assert (await bob.post(f"{address}/preview", json={})).status_code == 200
        assert (await bob.patch(address, json={"name": "mine"})).status_code == 403
        assert (await bob.delete(address)).status_code == 403
        changed = (await ann.patch(address, json={"name": "ours"})).json()
        assert (changed["user_id"], changed["updated_by"]) == ("root@example.com", "ann@example.com")
        assert (await ann.delete(address)).status_code == 204
        assert (await bob.get(address, params={"include_deleted": "1"})).status_code == 404
        assert (await bob.post(f"{address}/restore")).status_code == 404
        assert (await root.post(f"{address}/restore")).status_code == 200

    async def test_purge_and_all_projects_are_for_administrators(self, teams: Teams) -> None:
        ann, bob, root = teams("ann"), teams("bob"), teams("root")
        made = (await bob.post(URL, json=document())).json()
        address = f"{URL}/{made['uid']}"
        assert (await bob.delete(address, params={"purge": "1"})).status_code == 403
        assert (await ann.get(URL, params={"all_projects": "1"})).status_code == 403
        assert len((await root.get(URL, params={"all_projects": "1"})).json()["workflows"]) == 1
        assert (await root.delete(address, params={"purge": "1"})).status_code == 204
