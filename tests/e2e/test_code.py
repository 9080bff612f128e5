"""Uploaded Python, from its upload to its end in a child process."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.tenants import Tenants, tenants

SOURCE = '''
import json, os, sys

from mistral_lib import actions

print("noise that must not be taken for a result")


class Base(actions.Action):
    def __init__(self, name, times=2):
        self.name = name
        self.times = times


class Greet(Base):
    """Greets several times."""

    def run(self, context):
        return {"text": " ".join(["Hello", self.name] * self.times), "in": context.execution.workflow_name}


class Fails(actions.Action):
    def run(self, context):
        return actions.Result(error={"code": 7})


class Raises(actions.Action):
    def __init__(self, password):
        self.password = password

    def run(self, context):
        raise ValueError("no way with " + self.password)


class Waits(actions.Action):
    def run(self, context):
        return None

    def is_sync(self):
        return False


class Plain:
    def run(self):
        return sorted(os.environ), os.getcwd().startswith("/tmp"), len(sys.argv)


class Greedy:
    def run(self):
        return len(bytearray(4 << 30))


class Exits:
    def run(self):
        os._exit(3)


class Loud:
    def run(self):
        return "x" * (6 << 20)


class Odd:
    def run(self):
        return float("nan")


class NoAction:
    pass
'''
CLASSES = ("Greet", "Fails", "Raises", "Waits", "Plain", "Greedy", "Exits", "Loud", "Odd")
TEXT = {"Content-Type": "text/plain"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenants]:
    with tenants(tmp_path_factory.mktemp("code")) as running:
        admin = running.admin
        made = admin.post("/v2/code_sources?name=source&scope=public", content=SOURCE, headers=TEXT)
        assert made.status_code == 201, made.text
        for name in CLASSES:
            body = {"name": f"our.{name.lower()}", "class_name": name, "code_source_name": "source", "scope": "public"}
            answer = admin.post("/v2/dynamic_actions", json=body)
            assert answer.status_code == 201, answer.text
        yield running


def run(client: httpx.Client, action: str, **input: Any) -> tuple[str, Any]:
    """State and result of an action that is run alone."""
    answer = client.post("/v2/action_executions", json={"name": action, "input": input})
    assert answer.status_code == 201, answer.text
    return answer.json()["state"], json.loads(answer.json()["output"])["result"]


def test_a_code_source_is_read_back_with_its_actions(world: Tenants) -> None:
    read = world.admin.get("/v2/code_sources/source").json()
    assert (read["content"], read["version"], read["scope"]) == (SOURCE, 1, "public")
    assert read["actions"] == sorted(f"our.{name.lower()}" for name in CLASSES)
    listed = world.admin.get("/v2/dynamic_actions?class_name=Greet").json()["dynamic_actions"]
    assert [(one["name"], one["code_source_name"]) for one in listed] == [("our.greet", "source")]
    assert listed[0]["code_source_id"] == read["id"]


def test_a_dynamic_action_is_among_the_actions(world: Tenants) -> None:
    shown = world.owner.get("/v2/actions/our.greet").json()
    assert (shown["input"], shown["description"]) == ("name, times=2", "Greets several times.")
    names = {one["name"] for one in world.owner.get("/v2/actions").json()["actions"]}
    assert "our.greet" in names
    assert "ostro.code" not in names


def test_a_workflow_of_another_project_uses_what_is_public(world: Tenants) -> None:
    text = (
        "version: '2.0'\nuser:\n  tasks:\n    greet:\n      action: our.greet name='Ada' times=1\n"
        "      publish: {got: <% task().result %>}\n"
    )
    world.stranger.post("/v2/workflows", content=text)
    body = {"workflow_name": "user"}
    done = world.stranger.post("/v2/executions", json=body, headers={"Prefer": "wait=30"}).json()
    assert done["state"] == "SUCCESS", done["state_info"]
    assert json.loads(done["output"])["got"] == {"text": "Hello Ada", "in": "user"}


def test_what_an_action_gives_back(world: Tenants) -> None:
    assert run(world.owner, "our.greet", name="Ada") == ("SUCCESS", {"text": "Hello Ada Hello Ada", "in": None})
    assert run(world.owner, "our.fails") == ("ERROR", {"code": 7})


def test_the_child_has_nothing_of_the_server(world: Tenants) -> None:
    state, (names, is_elsewhere, arguments) = run(world.owner, "our.plain")
    assert state == "SUCCESS"
    assert set(names) <= {"HOME", "TMPDIR", "LC_CTYPE"}
    assert (is_elsewhere, arguments) == (True, 1)


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("our.greedy", "it needs too much memory"),
        ("our.exits", "its process ended without a result"),
        ("our.loud", "the result is larger than 5242880 bytes"),
        ("our.odd", "Out of range float values are not JSON compliant"),
    ],
)
def test_what_goes_wrong_costs_the_child_alone(world: Tenants, action: str, reason: str) -> None:
    state, result = run(world.owner, action)
    assert state == "ERROR"
    assert reason in result
    assert f"action={action}" in result


def test_an_error_tells_what_was_raised_but_not_the_secret_in_the_input(world: Tenants) -> None:
    state, result = run(world.owner, "our.raises", password="hunter22")
    assert state == "ERROR"
    assert "ValueError: no way with ***" in result


def test_input_is_checked_before_anything_runs(world: Tenants) -> None:
    answer = world.owner.post("/v2/action_executions", json={"name": "our.greet", "input": {"other": 1}})
    assert answer.status_code == 400
    assert "missing=['name']" in answer.json()["faultstring"]
    assert "unexpected=['other']" in answer.json()["faultstring"]


def test_a_private_action_is_for_its_project_alone(world: Tenants) -> None:
    body = {"name": "hidden", "class_name": "Plain", "code_source_name": "source"}
    id = world.admin.post("/v2/dynamic_actions", json=body).json()["id"]
    assert world.owner.get("/v2/actions/hidden").status_code == 404
    assert world.owner.post("/v2/action_executions", json={"name": "hidden", "input": {}}).status_code == 400
    state, result = run(world.owner, "ostro.code", dynamic_action=id, input={})
    assert (state, "is not there, or not for this project" in result) == ("ERROR", True)
    assert world.admin.delete(f"/v2/dynamic_actions/{id}").status_code == 204


def test_a_new_version_is_used_at_once(world: Tenants) -> None:
    first = "class A:\n    def run(self):\n        return 1\n"
    made = world.admin.post("/v2/code_sources?name=versions", content=first, headers=TEXT)
    body = {"name": "versioned", "class_name": "A", "code_source_id": made.json()["id"]}
    assert world.admin.post("/v2/dynamic_actions", json=body).status_code == 201
    assert run(world.admin, "versioned") == ("SUCCESS", 1)
    second = "class A:\n    def __init__(self, x):\n        self.x = x\n    def run(self):\n        return self.x\n"
    changed = world.admin.put("/v2/code_sources?identifier=versions", content=second, headers=TEXT)
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert run(world.admin, "versioned", x=2) == ("SUCCESS", 2)
    gone = world.admin.put("/v2/code_sources?identifier=versions", content="x = 1\n", headers=TEXT)
    assert (gone.status_code, "has no class 'A'" in gone.text) == (400, True)
    assert world.admin.delete("/v2/code_sources/versions").status_code == 204
    assert world.admin.get("/v2/dynamic_actions/versioned").status_code == 404


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("class A(:\n", "The code source is not Python: "),
        ("   \n", "The code source is empty."),
        ("a = '\0'", "The code source"),
    ],
)
def test_what_is_not_python_is_refused(world: Tenants, content: str, message: str) -> None:
    answer = world.admin.post("/v2/code_sources?name=bad", content=content, headers=TEXT)
    assert answer.status_code == 400
    assert answer.json()["faultstring"].startswith(message)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"name": "x", "class_name": "Greet"}, 400, "Either 'code_source_id' or 'code_source_name' must be provided."),
        ({"name": "x", "class_name": "Nobody", "code_source_name": "source"}, 400, "has no class 'Nobody'"),
        ({"name": "x", "class_name": "NoAction", "code_source_name": "source"}, 400, "it has no method 'run'"),
        (
            {"name": "x", "class_name": "Greet", "code_source_name": "none"},
            404,
            "Code Source not found [name=none,namespace=]",
        ),
        (
            {"name": "std.echo", "class_name": "Greet", "code_source_name": "source"},
            409,
            "a built-in action 'std.echo'",
        ),
        ({"name": "our.greet", "class_name": "Greet", "code_source_name": "source"}, 409, "Duplicate entry"),
        ({"class_name": "Greet", "code_source_name": "source"}, 400, "must be provided"),
    ],
)
def test_what_cannot_be_a_dynamic_action(world: Tenants, body: dict[str, str], status: int, message: str) -> None:
    answer = world.admin.post("/v2/dynamic_actions", json=body)
    assert answer.status_code == status
    assert message in answer.json()["faultstring"]


def test_a_change_names_what_it_changes(world: Tenants) -> None:
    answer = world.admin.put("/v2/dynamic_actions", json={"class_name": "Plain"})
    assert (answer.status_code, answer.json()["faultstring"]) == (400, "Either 'name' or 'id' must be provided.")
    changed = world.admin.put("/v2/dynamic_actions", json={"name": "our.fails", "class_name": "Fails"})
    assert (changed.status_code, changed.json()["class_name"]) == (200, "Fails")


def test_code_is_for_administrators(world: Tenants) -> None:
    assert world.owner.get("/v2/code_sources/source").status_code == 403
    assert world.owner.post("/v2/code_sources?name=mine", content=SOURCE, headers=TEXT).status_code == 403
    assert world.owner.post("/v2/dynamic_actions", json={}).status_code == 403


def test_an_operator_can_switch_it_off(tmp_path_factory: pytest.TempPathFactory) -> None:
    with tenants(tmp_path_factory.mktemp("off"), "--no-code-sources") as world:
        answer = world.admin.post("/v2/code_sources?name=source", content=SOURCE, headers=TEXT)
        assert (answer.status_code, "switched off" in answer.text) == (403, True)
        lone = world.admin.post("/v2/action_executions", json={"name": "ostro.code", "input": {}})
        assert lone.status_code == 400
