"""A server with two tenants and an administrator, and all that one tenant can have in it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from ostro.adapters.vault import new_key
from ostro.cli.token import create
from ostro.config import load
from tests.e2e.server import Server

HIDDEN = "kestrel"  # in every text and value that belongs to the first tenant alone

WORKFLOW = f"""
version: '2.0'
flow:
  description: {HIDDEN}
  input: [value: '{HIDDEN}']
  output:
    result: <% $.value %>
  tasks:
    call:
      workflow: below
      on-success: broken
    broken:
      action: std.fail
below:
  tasks:
    wait:
      action: std.noop
"""
WORKBOOK = f"""
version: '2.0'
name: book
description: {HIDDEN}
workflows:
  inner:
    tasks:
      one:
        action: std.noop
"""
ACTION = f"""
version: '2.0'
adhoc:
  description: {HIDDEN}
  base: std.echo
  base-input:
    output: {HIDDEN}
"""


class Tenants:
    """`owner` has everything in `ids`; `stranger` is of another project; `admin` of a third."""

    def __init__(self, server: Server, tokens: dict[str, str]) -> None:
        self.server = server
        self.tokens = tokens
        self.owner, self.stranger, self.admin = (self.client(name) for name in ("alpha", "beta", "ops"))
        self.ids: dict[str, str] = {}

    def client(self, project: str) -> httpx.Client:
        headers = {"X-Auth-Token": self.tokens[project]}
        return httpx.Client(base_url=self.server.url, timeout=60, trust_env=False, headers=headers)

    def close(self) -> None:
        for client in (self.owner, self.stranger, self.admin):
            client.close()

    def fill(self) -> None:
        """One of each thing, as the first tenant."""
        ids, owner = self.ids, self.owner
        made = _good(owner.post("/v2/workflows", content=WORKFLOW))["workflows"]
        ids |= {f"workflow_{one['name']}": one["id"] for one in made}
        ids["workbook"] = _good(owner.post("/v2/workbooks", content=WORKBOOK))["id"]
        ids["action"] = _good(owner.post("/v2/actions", content=ACTION))["actions"][0]["id"]
        variables = {"value": HIDDEN}
        ids["environment"] = _good(owner.post("/v2/environments", json={"name": "env", "variables": variables}))["id"]
        started = owner.post("/v2/executions", json={"workflow_name": "flow"}, headers={"Prefer": "wait=30"})
        ids["execution"] = _good(started)["id"]
        tasks = _good(owner.get(f"/v2/executions/{ids['execution']}/tasks"))["tasks"]
        ids |= {f"task_{one['name']}": one["id"] for one in tasks}
        below = _good(owner.get(f"/v2/tasks/{ids['task_call']}/workflow_executions"))["executions"]
        ids["child"] = below[0]["id"]
        actions = _good(owner.get(f"/v2/tasks/{ids['task_broken']}/action_executions"))["action_executions"]
        ids["task_action"] = actions[0]["id"]
        body = {"name": "std.async_noop", "input": {}, "params": {"save_result": True}}
        ids["waiting"] = _good(owner.post("/v2/action_executions", json=body))["id"]
        body = {"name": "std.echo", "input": {"output": HIDDEN}, "params": {"save_result": True, "run_sync": True}}
        ids["done"] = _good(owner.post("/v2/action_executions", json=body))["id"]
        trigger = {"name": "cron", "workflow_id": ids["workflow_flow"], "pattern": "0 0 1 1 *",
                   "workflow_input": {"value": HIDDEN}}  # fmt: skip
        ids["cron"] = _good(owner.post("/v2/cron_triggers", json=trigger))["id"]
        event = {"exchange": "x", "topic": "t", "event": "e", "workflow_id": ids["workflow_flow"]}
        ids["event"] = _good(owner.post("/v2/event_triggers", json=event | {"workflow_input": {"value": HIDDEN}}))["id"]
        step = {"name": "call", "apispec": {"url": f"http://127.0.0.1:1/{HIDDEN}"}}
        automation = {"name": "auto", "scope": "workspace", "steps": [step]}
        ids["automation"] = _good(owner.post("/automation/v1/workflows", json=automation))["uid"]
        ran = owner.post(f"/automation/v1/workflows/{ids['automation']}/run", json={})
        assert ran.status_code in (200, 201, 202), ran.text
        ids["run"] = _good(owner.get(f"/automation/v1/workflows/{ids['automation']}/executions"))["executions"][0]["id"]
        finished = owner.get(f"/v2/executions/{ids['run']}")
        while finished.json()["state"] == "RUNNING":
            finished = owner.get(f"/v2/executions/{ids['run']}")
        secret = owner.put("/v2/secrets/key", json={"value": HIDDEN})
        assert secret.status_code == 201, secret.text
        ids["token"] = self.tokens["alpha"].split("_")[1]
        member = owner.post(f"/v2/workflows/{ids['workflow_flow']}/members", json={"member_id": "gamma"})
        ids["member"] = _good(member)["id"]

    def holdings(self) -> dict[str, Any]:
        """All that the first tenant has, as it reads it."""
        kinds = ("workflows", "workbooks", "actions", "environments", "executions", "tasks", "action_executions",
                 "cron_triggers", "event_triggers")  # fmt: skip
        found = {kind: _good(self.owner.get(f"/v2/{kind}"))[kind] for kind in kinds}
        found["automations"] = _good(self.owner.get("/automation/v1/workflows"))["workflows"]
        found["secrets"] = _good(self.owner.get("/v2/secrets"))["secrets"]
        found["members"] = _good(self.owner.get(f"/v2/workflows/{self.ids['workflow_flow']}/members"))["members"]
        return found


def _good(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code in (200, 201), f"{answer.request.url}: {answer.status_code} {answer.text}"
    body: dict[str, Any] = json.loads(answer.text)
    return body


def unknown(ids: dict[str, str]) -> dict[str, str]:
    """Ids of the same kinds that nothing has."""
    return {name: str(uuid4()) for name in ids}


@contextmanager
def tenants(folder: Path, *options: str) -> Iterator[Tenants]:
    settings = load({"database": str(folder / "ostro.sqlite3")}, {"HOME": str(folder)})
    tokens = {}
    for project, roles in (("alpha", ()), ("beta", ()), ("ops", ("admin",))):
        tokens[project], _ = create(
            settings, project=project, user=f"user-of-{project}", roles=roles, expires="1h", description=""
        )
    allowed = ("--auth", "token", "--allow-action-execution-deletion")
    with Server(folder, *allowed, *options, OSTRO_SECRET_KEY=new_key()) as server:
        world = Tenants(server, tokens)
        try:
            world.fill()
            yield world
        finally:
            world.close()
