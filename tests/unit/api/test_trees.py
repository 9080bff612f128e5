"""The report of an execution, and flat lists of sub-executions."""

import httpx
import pytest

from tests.unit.api.fakes import AT, FakeStore, action, execution, task


@pytest.fixture(autouse=True)
def tree(store: FakeStore) -> None:
    """e1: call (ERROR) -> e2: boom (ERROR) -> e3, calm (SUCCESS) -> e4; after (SUCCESS)."""
    store.executions = [
        execution(),
        execution("e2", task_execution_id="call", workflow_name="kid", state="ERROR"),
        execution("e3", task_execution_id="boom", workflow_name="grandkid", state="ERROR", output='{"o":1}'),
        execution("e4", task_execution_id="calm", workflow_name="grandkid", state="SUCCESS"),
    ]
    store.tasks = [
        task("call", type="WORKFLOW", state="ERROR", runtime_context='{"retry_task_policy": {"retry_no": 2}}'),
        task("after"),
        task("boom", execution_id="e2", type="WORKFLOW", state="ERROR"),
        task("calm", execution_id="e2", type="WORKFLOW"),
        task("late", execution_id="e4", state="WAITING"),
    ]
    store.actions = [action(task_execution_id="after")]


async def test_report(client: httpx.AsyncClient) -> None:
    report = (await client.get("/v2/executions/e1/report")).json()
    assert report["statistics"] == {
        "total_tasks_count": 4,
        "running_tasks_count": 0,
        "success_tasks_count": 2,
        "error_tasks_count": 2,
        "idle_tasks_count": 0,
        "paused_tasks_count": 0,
        "estimated_time": -1,
    }
    root = report["root_workflow_execution"]
    call, after = root["task_executions"]
    assert root["name"] == "hello"
    assert call["retry_count"] == 2
    assert "retry_count" not in after
    assert call["action_executions"] == []
    assert after["action_executions"][0]["last_heartbeat"] == "2026-11-18 11:06:40"
    (kid,) = call["workflow_executions"]
    assert [t["name"] for t in kid["task_executions"]] == ["step", "step"]
    assert [t["workflow_executions"][0]["name"] for t in kid["task_executions"]] == ["grandkid", "grandkid"]


async def test_errors_only(client: httpx.AsyncClient) -> None:
    report = (await client.get("/v2/executions/e1/report?errors_only=true")).json()
    assert report["statistics"]["total_tasks_count"] == 2
    assert [t["id"] for t in report["root_workflow_execution"]["task_executions"]] == ["call"]


async def test_depth(client: httpx.AsyncClient) -> None:
    report = (await client.get("/v2/executions/e1/report?max_depth=0")).json()
    (kid,) = report["root_workflow_execution"]["task_executions"][0]["workflow_executions"]
    assert "task_executions" not in kid
    assert report["statistics"]["total_tasks_count"] == 2


async def test_statistics_only(client: httpx.AsyncClient) -> None:
    report = (await client.get("/v2/executions/e1/report?statistics_only=true&errors_only=")).json()
    assert list(report) == ["statistics"]
    assert report["statistics"]["total_tasks_count"] == 4


@pytest.mark.parametrize(("state", "mean", "left"), [("RUNNING", 90.0, 90), ("RUNNING", 0.2, 1), ("SUCCESS", 90.0, 0)])
async def test_estimated_time(client: httpx.AsyncClient, store: FakeStore, state: str, mean: float, left: int) -> None:
    store.executions = [execution(state=state, created_at=AT)]
    store.mean = mean
    assert (await client.get("/v2/executions/e1/report")).json()["statistics"]["estimated_time"] == left


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("executions/e1/executions", ["e1", "e2", "e3", "e4"]),
        ("executions/e1/executions?max_depth=0", ["e1"]),
        ("executions/e1/executions?max_depth=1", ["e1", "e2"]),
        ("executions/e1/executions?errors_only=true", ["e1", "e2", "e3"]),
        ("tasks/call/executions", ["e2", "e3", "e4"]),
        ("tasks/call/executions?max_depth=1", ["e2"]),
        ("tasks/after/executions", []),
        ("tasks/after/executions?errors_only=true", []),
        ("tasks/call/executions?errors_only=true", ["e2", "e3"]),
        ("tasks/calm/executions?errors_only=true", []),
        ("tasks/boom/workflow_executions", ["e3"]),
    ],
)
async def test_sub_executions(client: httpx.AsyncClient, path: str, ids: list[str]) -> None:
    rows = (await client.get(f"/v2/{path}")).json()["executions"]
    assert [row["id"] for row in rows] == ids
    assert all("output" not in row for row in rows)


async def test_sub_executions_with_output(client: httpx.AsyncClient) -> None:
    rows = (await client.get("/v2/tasks/boom/executions?include_output=true")).json()["executions"]
    assert [row["output"] for row in rows] == ['{"o":1}']


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("executions/nope/tasks", "workflow_execution_id"),
        ("executions/nope/report", "workflow_execution_id"),
        ("executions/nope/executions", "id"),
        ("tasks/nope/executions", "id"),
        ("tasks/nope/action_executions", "task_execution_id"),
        ("tasks/nope/workflow_executions", "task_execution_id"),
    ],
)
async def test_a_malformed_id_of_the_parent(client: httpx.AsyncClient, path: str, name: str) -> None:
    answer = await client.get(f"/v2/{path}")
    assert answer.status_code == 400
    assert answer.json()["faultstring"] == (
        f"Invalid input for field/attribute {name}. Value: 'nope'. unable to convert to uuid. "
        "Error: Expected a uuid but received nope."
    )


async def test_bad_depth(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v2/executions/e1/report?max_depth=deep")).status_code == 400
    assert (await client.get("/v2/executions/e1/report?bogus=1")).status_code == 400
