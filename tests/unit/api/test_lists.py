"""Query fields of lists: paging, sorting, filters, fields and the link to the next page."""

import httpx
import pytest

from ostro.api.mistral.memory_lists import select
from ostro.ports.store import Filter, ListQuery
from tests.unit.api.fakes import FakeEngine, FakeStore, execution, task

UUID = "11111111-2222-4333-8444-555555555555"


async def query_of(client: httpx.AsyncClient, store: FakeStore, path: str) -> ListQuery:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return store.queries[-1]


async def test_defaults(client: httpx.AsyncClient, store: FakeStore) -> None:
    assert await query_of(client, store, "/v2/executions") == ListQuery()
    assert (await query_of(client, store, "/v2/executions?limit=5000")).limit == 5000
    assert (await query_of(client, store, "/v2/executions?limit=50000")).limit == 20_000


async def test_a_full_page_links_to_the_next(client: httpx.AsyncClient, store: FakeStore) -> None:
    store.executions = [execution("e1"), execution("e2"), execution("e3")]
    page = (await client.get("/v2/executions?limit=2&workflow_name=in:a b,c&created_at=gt:2026-01-01 00:00:00")).json()
    assert page["next"] == (
        "http://127.0.0.1:8989/v2/executions?sort_keys=created_at,id&sort_dirs=asc,asc"
        "&workflow_name=in:a%20b,c&created_at=gt:2026-01-01%2000:00:00&limit=2&marker=e2"
    )
    rest = (await client.get(page["next"])).json()
    assert [row["id"] for row in rest["executions"]] == ["e3"]
    assert "next" not in rest


async def test_the_link_repeats_everything_that_chooses_rows(client: httpx.AsyncClient, store: FakeStore) -> None:
    store.executions = [execution("e1")]
    path = "/v2/executions?limit=1&sort_keys=workflow_name&sort_dirs=desc&nulls=task_execution_id&include_output=true"
    link = (await client.get(path)).json()["next"]
    assert "sort_keys=workflow_name,id&sort_dirs=desc,desc" in link
    assert "nulls=task_execution_id" in link
    assert "include_output=true" in link
    again = (await client.get("/v2/executions?limit=1&fields=state")).json()["next"]
    assert again.endswith("&limit=1&marker=e1&fields=id,state")


async def test_a_nested_list_links_to_the_flat_one(client: httpx.AsyncClient, store: FakeStore) -> None:
    store.executions = [execution(UUID)]
    store.tasks = [task(execution_id=UUID)]
    link = (await client.get(f"/v2/executions/{UUID}/tasks?limit=1&sort_keys=name")).json()["next"]
    assert link == (
        "http://127.0.0.1:8989/v2/tasks?sort_keys=name,id&sort_dirs=asc,asc"
        f"&workflow_execution_id=eq:{UUID}&limit=1&marker=t1"
    )
    assert (await client.get(link)).status_code == 200


@pytest.mark.parametrize(
    ("given", "filters"),
    [
        ("state=ERROR", [Filter("state", "eq", "ERROR")]),
        ("state=neq:SUCCESS", [Filter("state", "neq", "SUCCESS")]),
        ("state=in:ERROR, PAUSED", [Filter("state", "in", ("ERROR", "PAUSED"))]),
        ("description=what: ever", [Filter("description", "eq", "what: ever")]),
        ("description=", [Filter("description", "eq", "")]),
        ("tags=a,b", [Filter("tags", "all_tags", ("a", "b"))]),
        ("nulls=task_execution_id", [Filter("task_execution_id", "isnull", True)]),
        (f"workflow_id=neq:{UUID}", [Filter("workflow_id", "neq", UUID)]),
        ("workflow_id=", []),
        ("created_at=gte:2026-01-01", [Filter("created_at", "gte", 1_767_225_600_000_000)]),
        ("created_at=lt:2026-01-01T00:00:00Z", [Filter("created_at", "lt", 1_767_225_600_000_000)]),
        ("created_at=gt:2026-01-01T01:00:00%2B01:00", [Filter("created_at", "gte", 1_767_225_601_000_000)]),
        (
            "created_at=2026-01-01 00:00:00",
            [
                Filter("created_at", "gte", 1_767_225_600_000_000),
                Filter("created_at", "lt", 1_767_225_601_000_000),
            ],
        ),
        (
            "created_at=gte:2026-01-01,lt:2026-01-02",
            [
                Filter("created_at", "gte", 1_767_225_600_000_000),
                Filter("created_at", "lt", 1_767_312_000_000_000),
            ],
        ),
        ('input={"a": [1, null]}', [Filter("input", "eq", '{"a":[1,null]}')]),
        ('output=neq:{"a": "b, c"}', [Filter("output", "neq", '{"a":"b, c"}')]),
        ("params=has:env", [Filter("params", "has", "env")]),
        ("text=eq:Nightly É", [Filter("text", "has", "eq:nightly É")]),
    ],
)
async def test_filters(client: httpx.AsyncClient, store: FakeStore, given: str, filters: list[Filter]) -> None:
    assert list((await query_of(client, store, f"/v2/executions?{given}")).filters) == filters


async def test_booleans(client: httpx.AsyncClient, store: FakeStore) -> None:
    assert (await query_of(client, store, "/v2/tasks?processed=false")).filters == (Filter("processed", "eq", False),)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("executions?bogus=1", 'Unknown argument: "bogus"'),
        ("executions?limit=0", "Limit must be positive."),
        ("executions?limit=-3", "Limit must be positive."),
        (
            "executions?limit=abc",
            "Invalid input for field/attribute limit. Value: 'abc'. unable to convert to int. "
            "Error: invalid literal for int() with base 10: 'abc'",
        ),
        (
            "executions?marker=abc",
            "Invalid input for field/attribute marker. Value: 'abc'. unable to convert to uuid. "
            "Error: Expected a uuid but received abc.",
        ),
        ("executions?sort_keys=nope", "Sort key supplied is invalid: nope"),
        ("executions?sort_dirs=up", "Unknown sort direction, must be 'desc' or 'asc'."),
        ("executions?sort_dirs=asc,asc", "Length of sort_keys must be equal or greater than sort_dirs."),
        ("executions?nulls=bogus", "'bogus' is not a valid field name."),
        ("executions?nulls=published_global", "'published_global' is not a valid field name."),
        ("executions?nulls=id", "The field 'id' can't hold None value."),
        ("tasks?workflow_execution_id=x", "Expected a uuid but received x."),
        ("tasks?result=1", "The list of tasks cannot be filtered by 'result'."),
        ("tasks?processed=maybe", "unable to convert to bool"),
        ("actions?is_system=has:t", "The operator 'has' cannot be used with is_system"),
        ("executions?input=x", "Value: 'x'. unable to convert to json. Error: "),
        ("cron_triggers?workflow_params={", "unable to convert to json."),
        ("executions?created_at=gt:soon", "Expected a time such as"),
        ("executions?created_at=has:2026-01-01", "The operator 'has' cannot be used with the time created_at"),
        (
            "workbooks?fields=name,nope",
            "Some fields do not exist  [nope], please choose from [id, name, namespace, definition, tags, scope, "
            "project_id, created_at, updated_at]",
        ),
    ],
)
async def test_refused_queries(client: httpx.AsyncClient, path: str, message: str) -> None:
    answer = await client.get(f"/v2/{path}")
    assert answer.status_code == 400
    assert message in answer.json()["faultstring"]


@pytest.mark.parametrize("collection", ["executions", "workflows"])
async def test_all_projects_is_for_administrators(client: httpx.AsyncClient, collection: str) -> None:
    answer = await client.get(f"/v2/{collection}?all_projects=true")
    assert answer.status_code == 403
    assert answer.json()["faultstring"] == "Operation forbidden (insufficient permissions)"
    assert (await client.get(f"/v2/{collection}?all_projects=false")).status_code == 200


async def test_executions_alone_guard_the_name_of_a_project(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"/v2/executions?project_id={UUID}")).status_code == 403
    found = await client.get(f"/v2/workflows?project_id={UUID}")
    assert (found.status_code, found.json()) == (200, {"workflows": []})


@pytest.mark.parametrize(
    ("collection", "message"),
    [
        ("executions", f"WorkflowExecution not found [id={UUID}]"),
        ("tasks", f"Task execution not found [id={UUID}]"),
        ("action_executions", f"ActionExecution not found [id={UUID}]"),
        ("workflows", f"Workflow not found [workflow_id={UUID}]"),
    ],
)
async def test_an_unknown_marker(client: httpx.AsyncClient, collection: str, message: str) -> None:
    answer = await client.get(f"/v2/{collection}?marker={UUID}")
    assert answer.status_code == 404
    assert answer.json()["faultstring"] == message


async def test_a_marker_may_be_an_id_that_a_caller_chose(client: httpx.AsyncClient, store: FakeStore) -> None:
    store.executions = [execution("nightly-1"), execution("nightly-2")]
    rows = (await client.get("/v2/executions?marker=nightly-1")).json()["executions"]
    assert [row["id"] for row in rows] == ["nightly-2"]


async def test_fields_that_are_not_stored_are_left_out(client: httpx.AsyncClient, store: FakeStore) -> None:
    store.tasks = [task()]
    assert (await client.get("/v2/tasks?fields=name,result,env")).json() == {"tasks": [{"id": "t1", "name": "step"}]}


class TestActions:
    """Listed from two sources, so paging happens in memory."""

    async def test_built_in_and_stored_ones_together(
        self, client: httpx.AsyncClient, store: FakeStore, engine: FakeEngine
    ) -> None:
        text = "version: '2.0'\nmine:\n  tags: [t]\n  base: std.noop\nstd.zero:\n  base: std.noop\n"
        assert (await client.post("/v2/actions", content=text)).status_code == 201
        names = [row["name"] for row in (await client.get("/v2/actions")).json()["actions"]]
        assert names == ["mine", "std.echo", "std.noop", "std.zero"]
        page = (await client.get("/v2/actions?limit=3&sort_dirs=desc")).json()
        assert [row["name"] for row in page["actions"]] == ["std.zero", "std.noop", "std.echo"]
        assert [row["name"] for row in (await client.get(page["next"])).json()["actions"]] == ["mine"]
        by_name = (await client.get("/v2/actions?marker=std.echo&fields=name")).json()["actions"]
        assert [row["name"] for row in by_name] == ["std.noop", "std.zero"]
        assert (await client.get("/v2/actions?marker=nobody")).status_code == 404
        system = (await client.get("/v2/actions?is_system=true&name=has:echo")).json()["actions"]
        assert [row["input"] for row in system] == ["output, delay=0"]
        assert [row["name"] for row in (await client.get("/v2/actions?tags=t")).json()["actions"]] == ["mine"]

    @pytest.mark.parametrize("direction", ["asc", "desc"])
    async def test_pages_do_not_repeat_equal_rows(
        self, client: httpx.AsyncClient, engine: FakeEngine, direction: str
    ) -> None:
        text = "version: '2.0'\n" + "".join(f"a{n}: {{base: std.noop}}\n" for n in range(5))
        await client.post("/v2/actions", content=text)
        link, names = f"/v2/actions?limit=2&sort_keys=scope&sort_dirs={direction}", []
        while link:
            page = (await client.get(link)).json()
            names += [row["name"] for row in page["actions"]]
            link = page.get("next")
        assert sorted(names) == ["a0", "a1", "a2", "a3", "a4", "std.echo", "std.noop"]

    @pytest.mark.parametrize(
        ("wanted", "names"),
        [
            (Filter("name", "neq", "b"), ["a", "c"]),
            (Filter("name", "in", ("a", "c")), ["a", "c"]),
            (Filter("name", "nin", ("a", "c")), ["b"]),
            (Filter("name", "gte", "b"), ["b", "c"]),
            (Filter("name", "lt", "b"), ["a"]),
            (Filter("scope", "eq", "private"), ["a"]),
            (Filter("scope", "neq", "private"), []),
            (Filter("scope", "isnull", True), ["b", "c"]),
            (Filter("created_at", "gt", 1), ["a"]),
            (Filter("created_at", "lt", 1), []),
        ],
    )
    def test_nothing_compares_with_null(self, wanted: Filter, names: list[str]) -> None:
        items = [
            {"id": "a", "name": "a", "scope": "private", "created_at": "2026-01-01 00:00:00"},
            {"id": "b", "name": "b", "scope": None, "created_at": ""},
            {"id": "c", "name": "c", "scope": None, "created_at": ""},
        ]
        chosen = select(items, ListQuery(filters=(wanted,), sort=(("name", "asc"),)))
        assert chosen is not None
        assert [item["name"] for item in chosen] == names
