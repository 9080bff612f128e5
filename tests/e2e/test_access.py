"""Tokens, sharing and the audit log, on a real server."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.server import PATIENCE, Server, environment
from tests.e2e.tenants import HIDDEN, Tenants, tenants


def ostro(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ostro", *arguments, "--database", str(folder / "ostro.sqlite3")],
        capture_output=True,
        text=True,
        env=environment(folder),
        timeout=PATIENCE,
    )


def status(server: Server, token: str) -> int:
    headers = {"X-Auth-Token": token}
    return httpx.get(f"{server.url}/v2/workflows", headers=headers, trust_env=False).status_code


def test_tokens_are_made_listed_and_revoked_beside_a_running_server(tmp_path: Path) -> None:
    first = ostro(tmp_path, "token", "create", "--project", "shop", "--user", "build", "--expires", "never")
    assert first.returncode == 0, first.stderr
    token = first.stdout.strip()
    assert "cannot be shown again" in first.stderr
    with Server(tmp_path, "--auth", "token") as server:
        assert status(server, token) == 200
        second = ostro(tmp_path, "token", "create", "--project", "ops", "--role", "admin", "--role", "author")
        assert status(server, second.stdout.strip()) == 200
        listed = ostro(tmp_path, "token", "list")
        assert token.rpartition("_")[2] not in listed.stdout
        assert [line.split()[1:5] for line in listed.stdout.splitlines()] == [
            ["PROJECT", "USER", "ROLES", "STATE"],
            ["shop", "build", "valid", "never"],
            ["ops", "api", "admin,author", "valid"],
        ]
        third = ostro(tmp_path, "token", "create", "--project", "late").stdout.strip()
        revoked = ostro(tmp_path, "token", "revoke", third.split("_")[1], "--yes")
        assert "refuses it within 10 seconds" in revoked.stdout
        assert status(server, third) == 401  # never seen before, so not remembered
        assert ostro(tmp_path, "token", "revoke", third.split("_")[1], "--yes").returncode == 1
        assert token not in "".join(server.lines)


def test_mistakes_are_told(tmp_path: Path) -> None:
    wrong = ostro(tmp_path, "token", "create", "--project", "shop", "--expires", "soon")
    assert (wrong.returncode, "--expires: 'soon' is no lifetime" in wrong.stderr) == (2, True)
    assert "There is no database" in ostro(tmp_path, "token", "list").stderr
    for options, message in (
        (("--auth", "oidc"), "--auth oidc needs --oidc-issuer"),
        (("--auth", "keystone"), "--auth keystone needs --keystone-url"),
        (("--auth", "token", "--policy-file", "none.yaml"), "--policy-file none.yaml cannot be read"),
    ):
        refused = ostro(tmp_path, "serve", "--port", "0", *options)
        assert refused.returncode == 2
        assert message in refused.stderr


def test_with_authentication_any_address_will_do(tmp_path: Path) -> None:
    token = ostro(tmp_path, "token", "create", "--project", "shop").stdout.strip()
    with Server(tmp_path, "--auth", "token", "--host", "0.0.0.0") as server:
        headers = {"X-Auth-Token": token, "Host": "workflows.example"}
        assert httpx.get(f"{server.url}/v2/workflows", headers=headers, trust_env=False).status_code == 200


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenants]:
    with tenants(tmp_path_factory.mktemp("access")) as running:
        yield running


@pytest.fixture
def members(world: Tenants) -> str:
    return f"/v2/workflows/{world.ids['workflow_flow']}/members"


def test_a_shared_workflow_is_there_once_it_is_accepted_until_it_is_taken_back(world: Tenants, members: str) -> None:
    workflow = f"/v2/workflows/{world.ids['workflow_flow']}"
    invited = world.owner.post(members, json={"member_id": "beta"})
    assert (invited.status_code, invited.json()["status"]) == (201, "pending")
    assert world.stranger.get(workflow).status_code == 404
    assert [m["member_id"] for m in world.stranger.get(members).json()["members"]] == ["beta"]
    assert [m["member_id"] for m in world.owner.get(members).json()["members"]] == ["gamma", "beta"]
    assert world.owner.put(f"{members}/beta", json={"status": "accepted"}).status_code == 404

    accepted = world.stranger.put(f"{members}/beta", json={"status": "accepted"})
    assert (accepted.status_code, accepted.json()["status"]) == (200, "accepted")
    assert HIDDEN in world.stranger.get(workflow).text
    assert "flow" in {w["name"] for w in world.stranger.get("/v2/workflows").json()["workflows"]}
    refused = world.stranger.delete(workflow)
    assert (refused.status_code, "of other projects" in refused.text) == (403, True)
    again = world.stranger.post(members, json={"member_id": "delta"})
    assert again.status_code == 403
    started = world.stranger.post("/v2/executions", json={"workflow_name": "flow"})
    assert (started.status_code, started.json()["project_id"]) == (201, "beta")

    assert world.stranger.delete(f"{members}/beta").status_code == 404
    assert world.owner.delete(f"{members}/beta").status_code == 204
    assert world.stranger.get(workflow).status_code == 404
    assert world.stranger.post("/v2/executions", json={"workflow_name": "flow"}).status_code == 404


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({}, 400, "Member id must be provided."),
        ({"member_id": "alpha"}, 400, "belongs to that project already"),
        ({"member_id": "gamma"}, 409, "Duplicate entry for ResourceMember"),
    ],
)
def test_what_cannot_be_shared(world: Tenants, members: str, body: dict[str, str], code: int, message: str) -> None:
    answer = world.owner.post(members, json=body)
    assert answer.status_code == code
    assert message in answer.json()["faultstring"]
    assert list(answer.json()) == ["faultstring"]


def test_public_workflows_and_names_are_not_shared(world: Tenants) -> None:
    text = "version: '2.0'\nopen:\n  tasks:\n    t:\n      action: std.noop\n"
    id = world.admin.post("/v2/workflows?scope=public", content=text).json()["workflows"][0]["id"]
    answer = world.admin.post(f"/v2/workflows/{id}/members", json={"member_id": "beta"})
    assert (answer.status_code, answer.json()["faultstring"]) == (400, "Only private resource could be shared.")
    named = world.owner.get("/v2/workflows/flow/members")
    assert (named.status_code, "Only support UUID" in named.text) == (400, True)


def test_a_member_answers_with_a_status_that_exists(world: Tenants, members: str) -> None:
    world.owner.post(members, json={"member_id": "beta"})
    assert world.stranger.put(f"{members}/beta", json={}).json()["faultstring"] == "Status must be provided."
    assert world.stranger.put(f"{members}/beta", json={"status": "maybe"}).status_code == 400
    world.owner.delete(f"{members}/beta")


def test_every_change_is_in_the_audit_log(world: Tenants) -> None:
    world.stranger.post("/v2/environments", json={"name": "noted", "variables": {"key": HIDDEN}})
    world.stranger.delete("/v2/environments/noted")
    world.stranger.delete("/v2/environments/noted")  # 404: nothing changed
    world.stranger.post("/v2/workflows/validate", content="version: '2.0'")
    query = "?project_id=beta&action=has:environments&sort_keys=created_at&sort_dirs=asc"
    entries = world.admin.get(f"/v2/audit{query}").json()["audit"]
    assert [(e["user_id"], e["action"], e["method"], e["path"], e["status"]) for e in entries] == [
        ("user-of-beta", "environments:create", "POST", "/v2/environments", 201),
        ("user-of-beta", "environments:delete", "DELETE", "/v2/environments/noted", 204),
    ]
    assert entries[1]["target"] == "noted"
    everything = world.admin.get("/v2/audit?limit=1000").text
    assert HIDDEN not in everything
    assert '"tokens:create"' in everything
    assert "validate" not in everything


def test_the_log_knows_what_was_made(world: Tenants) -> None:
    entries = world.admin.get("/v2/audit?project_id=alpha").json()["audit"]
    targets = {entry["action"]: entry["target"] for entry in reversed(entries)}
    assert targets["workflows:create"] == "flow,below"
    assert targets["executions:create"] == world.ids["execution"]
    assert targets["workbooks:create"] == world.ids["workbook"]


def test_pages_of_the_log(world: Tenants) -> None:
    first = world.admin.get("/v2/audit?limit=2").json()
    second = world.admin.get(first["next"]).json()
    ids = [entry["id"] for entry in first["audit"] + second["audit"]]
    assert len(set(ids)) == 4
    assert ids == sorted(ids)


def test_what_everybody_may_read_says_little(world: Tenants) -> None:
    for path in ("/", "/v2/", "/healthcheck", "/docs", "/openapi.json"):
        answer = httpx.get(world.server.url + path, trust_env=False)
        assert answer.status_code == 200
        assert str(world.server.database) not in answer.text


def test_a_policy_file_changes_rules(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("environments:create: rule:admin_only\nexecutions:list:all_projects: role:auditor\n")
    user = ostro(tmp_path, "token", "create", "--project", "shop", "--role", "auditor").stdout.strip()
    with Server(tmp_path, "--auth", "token", "--policy-file", str(policy)) as server:
        client = httpx.Client(base_url=server.url, headers={"X-Auth-Token": user}, trust_env=False)
        with client:
            made = client.post("/v2/environments", json={"name": "e", "variables": {}})
            assert (made.status_code, made.json()["faultstring"]) == (
                403, "Operation forbidden (insufficient permissions)",
            )  # fmt: skip
            assert client.get("/v2/executions?all_projects=true").status_code == 200
            assert client.get("/v2/audit").status_code == 403
