"""Cron triggers, event triggers, events and maintenance over HTTP, on a real store and an engine that only notes."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ostro.adapters.sql import open_store
from ostro.api import ApiSettings, create_app
from ostro.model.triggers import Event
from tests.unit.api.conftest import ACTIONS, BASE
from tests.unit.api.fakes import AT, FakeEngine

WORKFLOW = "version: '2.0'\nw: {input: [a], tasks: {t: {action: std.noop}}}"
NOBODY = "00000000-0000-4000-8000-000000000000"
CRON = {"name": "c", "workflow_name": "w", "workflow_input": {"a": 1}, "pattern": "0 3 1 1 *"}


class NotingDuties:
    """Notes what the API asks of the duties."""

    def __init__(self) -> None:
        self.maintenance_status = "RUNNING"
        self.cron_changes = 0
        self.event_changes = 0
        self.events: list[Event] = []

    async def set_maintenance(self, status: str) -> str:
        self.maintenance_status = "PAUSING" if status == "PAUSED" else status
        return self.maintenance_status

    def cron_changed(self) -> None:
        self.cron_changes += 1

    def events_changed(self) -> None:
        self.event_changes += 1

    async def take_event(self, event: Event) -> list[str]:
        self.events.append(event)
        return ["e1"]


@pytest.fixture
def duties() -> NotingDuties:
    return NotingDuties()


@pytest.fixture
async def client(tmp_path: Path, duties: NotingDuties) -> AsyncIterator[httpx.AsyncClient]:
    async with await open_store(f"sqlite:///{tmp_path}/x.db") as store:
        app = create_app(
            engine=FakeEngine(), store=store, actions=ACTIONS, settings=ApiSettings(now=lambda: AT),
            triggers=store, duties=duties,
        )  # fmt: skip
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as connected:
            await connected.post("/v2/workflows", content=WORKFLOW)
            yield connected


def fault(answer: httpx.Response) -> str:
    return str(answer.json()["faultstring"])


async def test_a_cron_trigger_from_birth_to_death(client: httpx.AsyncClient, duties: NotingDuties) -> None:
    made = await client.post("/v2/cron_triggers", json={**CRON, "time_zone": "Europe/Berlin", "overlap": "skip"})
    assert made.status_code == 201
    body = made.json()
    assert body["next_execution_time"] == "2027-01-01 02:00:00"
    assert (body["workflow_input"], body["workflow_params"], body["scope"]) == ('{"a":1}', "{}", "private")
    assert (body["catch_up"], body["overlap"], body["failures"]) == ("one", "skip", 0)
    assert duties.cron_changes == 1
    for identifier in ("c", body["id"]):
        assert (await client.get(f"/v2/cron_triggers/{identifier}")).json() == body
    listed = (await client.get("/v2/cron_triggers", params={"pattern": "0 3 1 1 *"})).json()
    assert listed == {"cron_triggers": [body]}
    assert (await client.get("/v2/cron_triggers?remaining_executions=3")).json() == {"cron_triggers": []}
    assert (await client.get("/v2/cron_triggers/c?fields=name")).json() == {"id": body["id"], "name": "c"}
    taken = await client.post("/v2/cron_triggers", json=CRON)
    assert (taken.status_code, "Duplicate entry for cron trigger" in fault(taken)) == (409, True)
    assert (await client.delete("/v2/cron_triggers/c")).status_code == 204
    assert fault(await client.get("/v2/cron_triggers/c")) == "Cron trigger not found [identifier=c]"


async def test_without_a_pattern_it_starts_once(client: httpx.AsyncClient) -> None:
    given = {"name": "c", "workflow_name": "w", "workflow_input": {"a": 1}, "first_execution_time": "2150-01-01 00:00"}
    body = (await client.post("/v2/cron_triggers", json=given)).json()
    assert (body["pattern"], body["remaining_executions"]) == (None, 1)
    assert body["next_execution_time"] == body["first_execution_time"] == "2150-01-01 00:00:00"


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"pattern": None}, 400, "Pattern or first_execution_time must be specified."),
        ({"pattern": "bad"}, 400, "The specified pattern is not valid: bad"),
        ({"first_execution_time": "2030-01-01"}, 400, "time data '2030-01-01' does not match format '%Y-%m-%d %H:%M'"),
        ({"first_execution_time": "2026-11-18 11:07"}, 400, "must be at least 1 minute in the future."),
        ({"pattern": None, "first_execution_time": "2150-01-01 00:00", "remaining_executions": 2}, 400,
         "Pattern must be provided if count is superior to 1."),
        ({"remaining_executions": 0}, 400, "Value: '0'. Value should be greater or equal to 1"),
        ({"remaining_executions": True}, 400, "Wrong type"),
        ({"workflow_input": {}}, 400, "Invalid input [name=w, class=DirectWorkflowSpec, missing=['a']]"),
        ({"workflow_input": {"a": 1, "b": 2}}, 400, "unexpected=['b']"),
        ({"workflow_name": "none"}, 404, "Workflow not found [workflow_identifier=none, namespace=]"),
        ({"workflow_name": None}, 404, "Workflow not found [workflow_identifier=None, namespace=]"),
        ({"name": None}, 400, "Name of the cron trigger is not provided."),
        ({"name": "n" * 201}, 400, "at most 200 characters"),
        ({"overlap": "maybe"}, 400, "Value should be one of: skip, one, all"),
        ({"time_zone": "Mars/Base"}, 400, "There is no time zone 'Mars/Base'."),
        ({"scope": "public"}, 403, "Operation forbidden (insufficient permissions)"),
        ({"foo": 1}, 400, "Unknown attribute for argument cron_trigger: foo"),
        ({"project_id": "x"}, 400, "Cannot set read only field."),
    ],
)  # fmt: skip
async def test_refused_cron_triggers(client: httpx.AsyncClient, change: Any, status: int, message: str) -> None:
    answer = await client.post("/v2/cron_triggers", json={**CRON, **change})
    assert (answer.status_code, message in fault(answer)) == (status, True), fault(answer)


async def _event_trigger(client: httpx.AsyncClient, **change: Any) -> httpx.Response:
    workflow = (await client.get("/v2/workflows/w")).json()
    given = {
        "name": "e", "workflow_id": workflow["id"], "workflow_input": {"a": 1}, "exchange": "x", "topic": "t",
        "event": "v",
    }  # fmt: skip
    return await client.post("/v2/event_triggers", json={**given, **change})


async def test_an_event_trigger_from_birth_to_death(client: httpx.AsyncClient, duties: NotingDuties) -> None:
    made = await _event_trigger(client)
    assert made.status_code == 201
    path = f"/v2/event_triggers/{made.json()['id']}"
    assert (await client.get(path)).json() == made.json()
    changed = await client.put(path, json={"name": "new", "workflow_input": {"a": 2}})
    assert (changed.json()["name"], changed.json()["workflow_input"]) == ("new", '{"a":2}')
    assert [t["name"] for t in (await client.get("/v2/event_triggers?event=v")).json()["event_triggers"]] == ["new"]
    fixed = await client.put(path, json={"topic": "other"})
    assert "Can not update fields ['exchange', 'topic', 'event']" in fault(fixed)
    assert (await client.put(path, json={"workflow_input": {}})).status_code == 400
    assert (await _event_trigger(client)).status_code == 409
    assert (await client.delete(path)).status_code == 204
    assert fault(await client.get(path)).endswith("].")
    assert duties.event_changes == 2


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"exchange": None}, 400, "must be provided for creating event trigger."),
        ({"workflow_id": None}, 400, "must be provided for creating event trigger."),
        ({"workflow_id": NOBODY}, 404, f"Workflow not found [workflow_id={NOBODY}]"),
        ({"workflow_id": "w"}, 400, "Expected a uuid but received w."),
        ({"id": NOBODY}, 400, "Cannot set read only field."),
        ({"name": "n" * 201}, 400, "The name of the event trigger has at most 200 characters."),
        ({"workflow_input": {}}, 400, "missing=['a']"),
    ],
)
async def test_refused_event_triggers(client: httpx.AsyncClient, change: Any, status: int, message: str) -> None:
    answer = await _event_trigger(client, **change)
    assert (answer.status_code, message in fault(answer)) == (status, True), fault(answer)


async def test_a_workflow_that_triggers_start_cannot_be_deleted(client: httpx.AsyncClient) -> None:
    cron = (await client.post("/v2/cron_triggers", json=CRON)).json()["id"]
    refused = await client.delete("/v2/workflows/w")
    assert fault(refused) == (
        "Can't delete workflow that has cron triggers associated. [workflow_identifier=w, namespace=], "
        f"[cron_trigger_id(s)={cron}]"
    )
    await client.delete("/v2/cron_triggers/c")
    event = (await _event_trigger(client)).json()["id"]
    refused = await client.delete("/v2/workflows/w")
    assert (refused.status_code, f"[event_trigger_id(s)={event}]" in fault(refused)) == (400, True)
    await client.delete(f"/v2/event_triggers/{event}")
    assert (await client.delete("/v2/workflows/w")).status_code == 204


async def test_events(client: httpx.AsyncClient, duties: NotingDuties) -> None:
    whole = {"exchange": "x", "topic": "t", "event": "v", "payload": [1], "id": "i", "project_id": "not believed"}
    assert (await client.post("/v2/events", json=whole)).json() == {"executions": ["e1"]}
    by_path = await client.post("/v2/events/x/t/a%2Fb", content=b"[2]", headers={"X-GitHub-Delivery": "g"})
    assert by_path.status_code == 202
    first, second = duties.events
    assert (first.payload, first.id, first.project_id) == ([1], "i", "<default-project>")
    assert (second.event_type, second.payload, second.id) == ("a/b", [2], "g")


@pytest.mark.parametrize("body", [b"no", b"[]", b"{}", b'{"exchange": 1, "topic": "t", "event": "e"}'])
async def test_what_is_no_event(client: httpx.AsyncClient, body: bytes) -> None:
    assert (await client.post("/v2/events", content=body)).status_code == 400


async def test_what_maintenance_refuses(client: httpx.AsyncClient, duties: NotingDuties) -> None:
    assert (await client.get("/maintenance")).json() == {"status": "RUNNING"}
    assert (await client.put("/maintenance", json={"status": "PAUSED"})).json() == {"status": "PAUSING"}
    refused = await client.post("/v2/executions", json={"workflow_name": "w"})
    assert (refused.status_code, fault(refused)) == (423, "Current Mistral state is PAUSING. Method is not allowed")
    assert refused.headers["server-error-message"] == fault(refused)
    assert (await client.get("/v2/executions")).status_code == 200
    # 404: it was let through
    assert (await client.put("/v2/action_executions/x", json={"state": "SUCCESS"})).status_code == 404
    assert (await client.put("/v2/executions/x", json={"state": "CANCELLED"})).status_code == 404
    duties.maintenance_status = "PAUSED"
    assert (await client.put("/v2/action_executions/x", json={"state": "SUCCESS"})).status_code == 423


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("BOGUS", "Not found BOGUS maintenance state. List of states: ['PAUSING', 'PAUSED', 'RUNNING']"),
        ("PAUSING", "PAUSING is intermediate state. Consider PAUSED, RUNNING as new state"),
    ],
)
async def test_states_that_maintenance_cannot_be_set_to(client: httpx.AsyncClient, status: str, message: str) -> None:
    answer = await client.put("/maintenance", json={"status": status})
    assert (answer.status_code, fault(answer)) == (400, message)
