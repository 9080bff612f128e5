"""The `mistral` command against a real server, as people type it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.compat.conftest import Mistral
from tests.compat.test_library import FAILING, WAITING, WORKFLOW, finished, wait_for

# The command opens files that it does not close, and imports what is going away.
pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")]


@pytest.fixture
def hello(tmp_path: Path) -> str:
    file = tmp_path / "hello.yaml"
    file.write_text(WORKFLOW.format(name="cli_hello"))
    return str(file)


def test_workflows(mistral: Mistral, hello: str) -> None:
    assert mistral("workflow-validate", hello)["Valid"] is True
    (made,) = mistral("workflow-create", hello)
    assert (made["Name"], made["Scope"]) == ("cli_hello", "private")
    assert mistral("workflow-get", "cli_hello")["ID"] == made["ID"]
    assert mistral("workflow-get-definition", "cli_hello", form=None).rstrip() == Path(hello).read_text().rstrip()
    assert mistral("workflow-update", hello)[0]["ID"] == made["ID"]
    assert mistral("workflow-update", hello, "--id", made["ID"])[0]["ID"] == made["ID"]
    assert "cli_hello" in [row["Name"] for row in mistral("workflow-list", "--filter", "name=cli_hello")]
    assert "Duplicate entry for WorkflowDefinition" in mistral("workflow-create", hello, fails=True)
    assert "has been accepted" in mistral("workflow-delete", "cli_hello", form=None)
    assert "Workflow not found" in mistral("workflow-get", "cli_hello", fails=True)


def test_executions(mistral: Mistral, client: Any) -> None:
    client.workflows.create(WORKFLOW.format(name="cli_ex"))
    made = mistral("execution-create", "cli_ex", '{"who": "Ann"}', '{"env": {"a": 1}}', "-d", "by hand")
    assert (made["State"], made["Description"]) == ("RUNNING", "by hand")
    finished(client, made["ID"])
    assert mistral("execution-get", made["ID"])["State"] == "SUCCESS"
    assert json.loads(mistral("execution-get-output", made["ID"], form=None))["said"] == "Hello, Ann!"
    assert json.loads(mistral("execution-get-input", made["ID"], form=None)) == {"greeting": "Hello", "who": "Ann"}
    assert json.loads(mistral("execution-get-published", made["ID"], form=None)) == {}
    (row,) = mistral("execution-list", "--filter", "workflow_name=cli_ex", "--rootsonly")
    assert row["Duration"] is not None
    report = mistral("execution-get-report", made["ID"], "--no-errors-only", form=None)
    assert "task 'greet' [SUCCESS]" in report
    assert "action 'std.echo' [SUCCESS]" in report
    (below,) = mistral("execution-get-sub-executions", made["ID"])
    assert below["ID"] == made["ID"]
    assert mistral("execution-update", made["ID"], "-d", "other")["Description"] == "other"
    (task,) = mistral("task-list", made["ID"])
    assert (task["Name"], task["State"]) == ("greet", "SUCCESS")
    assert mistral("task-get", task["ID"])["Workflow Execution ID"] == made["ID"]
    assert json.loads(mistral("task-get-result", task["ID"], form=None)) == "Hello, Ann!"
    assert json.loads(mistral("task-get-published", task["ID"], form=None)) == {"said": "Hello, Ann!"}
    (nothing,) = mistral("task-get-sub-executions", task["ID"])  # an empty row says that there are none
    assert not any(nothing.values())
    assert "has been accepted" in mistral("execution-delete", made["ID"], form=None)


def test_states_of_an_execution(mistral: Mistral, client: Any) -> None:
    client.workflows.create(WAITING.format(name="cli_states"))
    made = mistral("execution-create", "cli_states")
    for state in ("PAUSED", "RUNNING"):
        assert mistral("execution-update", made["ID"], "-s", state)["State"] == state
    assert "Only completed executions can be deleted" in mistral("execution-delete", made["ID"], form=None, fails=True)
    (task,) = mistral("task-list", made["ID"])
    (waiting,) = mistral("action-execution-list", task["ID"])
    done = mistral("action-execution-update", waiting["ID"], "--state", "SUCCESS", "--output", '{"x": 1}')
    assert done["State"] == "SUCCESS"
    assert finished(client, made["ID"]).state == "SUCCESS"
    assert mistral("action-execution-get", waiting["ID"])["Accepted"] is True
    assert json.loads(mistral("action-execution-get-output", waiting["ID"], form=None)) == {"result": {"x": 1}}
    assert json.loads(mistral("action-execution-get-input", waiting["ID"], form=None)) == {}


def test_rerun(mistral: Mistral, client: Any) -> None:
    client.workflows.create(FAILING.format(name="cli_rerun"))
    made = mistral("execution-create", "cli_rerun")
    finished(client, made["ID"])
    (task,) = mistral("task-list", made["ID"])
    assert mistral("task-rerun", task["ID"], "-e", '{"a": 1}')["ID"] == task["ID"]
    finished(client, made["ID"])
    assert "Only with-items task" in mistral("task-rerun", task["ID"], "--resume", fails=True)


def test_actions(mistral: Mistral, client: Any, tmp_path: Path) -> None:
    file = tmp_path / "say.yaml"
    file.write_text("version: '2.0'\ncli_say:\n  input: [what]\n  base: std.echo output=<% $.what %>\n")
    assert mistral("action-validate", str(file))["Valid"] is True
    (made,) = mistral("action-create", str(file))
    assert made["Input"] == "what"
    assert mistral("action-get", "cli_say")["ID"] == made["ID"]
    assert mistral("action-update", str(file))[0]["ID"] == made["ID"]
    assert "cli_say" in mistral("action-get-definition", "cli_say", form=None)
    assert {"cli_say", "std.echo"} <= {row["Name"] for row in mistral("action-list")}
    assert json.loads(mistral("run-action", "cli_say", '{"what": "hey"}', form=None)) == {"result": "hey"}
    saved = mistral("run-action", "cli_say", '{"what": 1}', "-s")
    wait_for(lambda: client.action_executions.get(saved["ID"]), "SUCCESS", "ERROR")
    assert mistral("action-execution-get", saved["ID"])["State"] == "SUCCESS"
    assert "has been accepted" in mistral("action-execution-delete", saved["ID"], form=None)
    assert "has been accepted" in mistral("action-delete", "cli_say", form=None)


def test_workbooks(mistral: Mistral, tmp_path: Path) -> None:
    file = tmp_path / "book.yaml"
    file.write_text("version: '2.0'\nname: cli_book\nworkflows:\n  main:\n    tasks: {t: {action: std.noop}}\n")
    assert mistral("workbook-validate", str(file))["Valid"] is True
    assert mistral("workbook-create", str(file))["Name"] == "cli_book"
    assert mistral("workbook-update", str(file))["Name"] == "cli_book"
    assert mistral("workbook-get", "cli_book")["Scope"] == "private"
    assert "cli_book" in mistral("workbook-get-definition", "cli_book", form=None)
    assert "cli_book" in [row["Name"] for row in mistral("workbook-list")]
    assert "has been accepted" in mistral("workbook-delete", "cli_book", form=None)


def test_environments(mistral: Mistral, tmp_path: Path) -> None:
    file = tmp_path / "env.json"
    file.write_text('{"name": "cli_env", "description": "d", "variables": {"a": 1}}')
    assert mistral("environment-create", str(file))["Name"] == "cli_env"
    assert json.loads(mistral("environment-get", "cli_env")["Variables"]) == {"a": 1}
    assert mistral("environment-get", "cli_env", "--export", form=None)
    assert mistral("environment-update", str(file))["Name"] == "cli_env"
    assert "cli_env" in [row["Name"] for row in mistral("environment-list")]
    assert "has been accepted" in mistral("environment-delete", "cli_env", form=None)


def test_an_address_without_version(mistral: Mistral, server: Any) -> None:
    assert isinstance(mistral("--os-mistral-url", server.url, "workflow-list"), list)
