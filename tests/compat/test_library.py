"""mistralclient's library against a real server: every call that the issue's resources have."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from mistralclient.api import base

WORKFLOW = """version: '2.0'
{name}:
  description: says hello
  tags: [compat]
  input: [who, greeting: Hello]
  output: {{said: <% $.said %>}}
  tasks:
    greet:
      action: std.echo output="<% $.greeting %>, <% $.who %>!"
      publish: {{said: <% task().result %>}}
"""
WAITING = """version: '2.0'
{name}:
  output: {{got: <% task(ask).result %>}}
  tasks:
    ask: {{action: std.async_noop}}
"""
FAILING = """version: '2.0'
{name}:
  tasks:
    break: {{action: std.fail, on-skip: after}}
    after: {{action: std.noop}}
"""
NESTED = """version: '2.0'
{name}:
  tasks: {{call: {{workflow: {child}}}}}
{child}:
  tasks: {{t: {{action: std.noop}}}}
"""
PATIENCE = 30  # seconds; only a hang takes that long


def wait_for(read: Callable[[], Any], *states: str) -> Any:
    """The resource, as soon as it is in one of the states."""
    deadline = time.monotonic() + PATIENCE
    while (found := read()).state not in states:
        assert time.monotonic() < deadline, f"still {found.state}"
    return found


def wait_for_one(read: Callable[[], list[Any]]) -> Any:
    """The only resource, as soon as it is there: an execution that was made may not have begun."""
    deadline = time.monotonic() + PATIENCE
    while not (found := read()):
        assert time.monotonic() < deadline, "there is none"
    (one,) = found
    return one


def finished(client: Any, id: str) -> Any:
    return wait_for(lambda: client.executions.get(id), "SUCCESS", "ERROR", "CANCELLED")


def test_workflows(client: Any) -> None:
    (made,) = client.workflows.create(WORKFLOW.format(name="lib_wf"))
    assert made.input == 'who, greeting="Hello"'
    assert client.workflows.get("lib_wf").id == client.workflows.get(made.id).id == made.id
    (changed,) = client.workflows.update(WORKFLOW.format(name="lib_wf").replace("hello", "hi"))
    assert "says hi" in changed.definition
    assert client.workflows.update(WORKFLOW.format(name="lib_wf"), id=made.id).id == made.id
    assert [w.name for w in client.workflows.list(tags="compat", name="lib_wf", fields=["name"])] == ["lib_wf"]
    assert client.workflows.validate(WORKFLOW.format(name="x")) == {"valid": True}
    assert client.workflows.validate("version: '2.0'\nx: {}")["valid"] is False
    client.workflows.delete("lib_wf")
    with pytest.raises(base.APIException) as gone:
        client.workflows.get("lib_wf")
    assert gone.value.error_code == 404
    assert "Workflow not found [workflow_identifier=lib_wf" in gone.value.error_message


def test_lists_come_in_pages(client: Any) -> None:
    for n in range(3):
        client.workflows.create(WORKFLOW.format(name=f"lib_page_{n}"))
    names = []
    marker = ""
    while page := client.workflows.list(name="has:lib_page_", limit=2, marker=marker, sort_keys="name"):
        names += [workflow.name for workflow in page]
        marker = page[-1].id
    assert names == ["lib_page_0", "lib_page_1", "lib_page_2"]


def test_executions(client: Any) -> None:
    client.workflows.create(WORKFLOW.format(name="lib_ex"))
    made = client.executions.create("lib_ex", workflow_input={"who": "Bob"}, description="d", env={"k": "v"})
    assert made.state == "RUNNING"
    done = finished(client, made.id)
    assert (done.state, json.loads(done.output)["said"]) == ("SUCCESS", "Hello, Bob!")
    assert json.loads(done.params)["env"] == {"k": "v"}
    (listed,) = client.executions.list(workflow_name="lib_ex")
    assert (listed.id, listed.description) == (made.id, "d")
    assert client.executions.update(made.id, None, description="e").description == "e"
    report = client.executions.get_report(made.id, errors_only=False)
    assert report["statistics"]["success_tasks_count"] == 1
    assert report["root_workflow_execution"]["task_executions"][0]["name"] == "greet"
    copy = client.executions.create(source_execution_id=made.id)
    assert json.loads(copy.input)["who"] == "Bob"
    assert finished(client, copy.id).state == "SUCCESS"
    client.executions.delete(made.id)
    with pytest.raises(base.APIException):
        client.executions.get(made.id)


def test_pause_resume_and_cancel(client: Any) -> None:
    client.workflows.create(WAITING.format(name="lib_states"))
    made = client.executions.create("lib_states")
    assert client.executions.update(made.id, "PAUSED").state == "PAUSED"
    assert client.executions.update(made.id, "RUNNING", env={"a": 1}).state == "RUNNING"
    assert client.executions.update(made.id, "CANCELLED").state == "CANCELLED"
    with pytest.raises(base.APIException) as refused:
        client.executions.update(made.id, "PAUSED")
    assert "Can't change workflow execution state from CANCELLED to PAUSED" in refused.value.error_message
    with pytest.raises(base.APIException) as unknown:
        client.executions.create("lib_nothing")
    assert unknown.value.error_code == 404


def test_sub_executions(client: Any) -> None:
    client.workflows.create(NESTED.format(name="lib_top", child="lib_child"))
    made = client.executions.create("lib_top")
    finished(client, made.id)
    names = [e.workflow_name for e in client.executions.get_ex_sub_executions(made.id)]
    assert names == ["lib_top", "lib_child"]
    (task,) = client.tasks.list(made.id)
    (below,) = client.tasks.get_task_sub_executions(task.id)
    assert below.task_execution_id == task.id
    (by_task,) = client.executions.list(task=task.id)
    assert by_task.id == below.id
    roots = client.executions.list(nulls="task_execution_id", workflow_name="in:lib_top,lib_child")
    assert [e.workflow_name for e in roots] == ["lib_top"]


def test_tasks(client: Any) -> None:
    client.workflows.create(FAILING.format(name="lib_tasks"))
    made = client.executions.create("lib_tasks")
    assert finished(client, made.id).state == "ERROR"
    (task,) = client.tasks.list(made.id)
    assert (task.name, task.state) == ("break", "ERROR")
    assert "Fail action expected exception" in json.loads(client.tasks.get(task.id).result)
    assert client.tasks.rerun(task.id).id == task.id
    assert finished(client, made.id).state == "ERROR"
    assert len(client.action_executions.list(task.id)) == 2
    with pytest.raises(base.APIException) as refused:
        client.tasks.rerun(task.id, reset=False)
    assert "Only with-items task has the option to not reset." in refused.value.error_message


def test_action_executions(client: Any) -> None:
    client.workflows.create(WAITING.format(name="lib_actions"))
    made = client.executions.create("lib_actions")
    waiting = wait_for_one(lambda: [a for t in client.tasks.list(made.id) for a in client.action_executions.list(t.id)])
    assert waiting.state == "RUNNING"
    changed = client.action_executions.update(waiting.id, "SUCCESS", {"answer": 42})
    assert json.loads(changed.output) == {"result": {"answer": 42}}
    assert json.loads(finished(client, made.id).output)["got"] == {"answer": 42}
    at_once = client.action_executions.create("std.echo", {"output": [1]}, run_sync=True)
    assert json.loads(at_once.output) == {"result": [1]}
    saved = client.action_executions.create("std.echo", {"output": 1}, save_result=True)
    done = wait_for(lambda: client.action_executions.get(saved.id), "SUCCESS", "ERROR")
    assert json.loads(done.output) == {"result": 1}
    client.action_executions.delete(saved.id)
    with pytest.raises(base.APIException) as unknown:
        client.action_executions.create("std.nothing")
    assert "Failed to find action [action_name=std.nothing" in unknown.value.error_message


def test_actions(client: Any) -> None:
    text = "version: '2.0'\nlib_say:\n  input: [what, n: 2]\n  base: std.echo output=<% $.what %>\n"
    (made,) = client.actions.create(text)
    assert made.input == "what, n=2"
    assert client.actions.get("lib_say").id == made.id
    (changed,) = client.actions.update(text + "  description: new\n")
    assert changed.description == "new"
    names = [action.name for action in client.actions.list()]
    assert {"lib_say", "std.echo", "std.http"} <= set(names)
    assert names == sorted(names)
    assert client.actions.validate(text) == {"valid": True}
    done = client.action_executions.create("lib_say", {"what": "hey"})
    assert json.loads(done.output) == {"result": "hey"}
    client.actions.delete("lib_say")
    with pytest.raises(base.APIException) as gone:
        client.actions.get("lib_say")
    assert "Action not found [name=lib_say, namespace=]" in gone.value.error_message


def test_workbooks(client: Any) -> None:
    text = (
        "version: '2.0'\nname: lib_book\nactions:\n  say: {base: std.echo output='hi'}\n"
        "workflows:\n  main:\n    tasks: {t: {action: say}}\n"
    )
    made = client.workbooks.create(text)
    assert made.name == "lib_book"
    assert client.workbooks.update(text).id == made.id
    assert client.workbooks.get("lib_book").definition == text
    assert "lib_book" in [book.name for book in client.workbooks.list()]
    assert client.workbooks.validate(text) == {"valid": True}
    assert finished(client, client.executions.create("lib_book.main").id).state == "SUCCESS"
    client.workbooks.delete("lib_book")
    assert client.workflows.get("lib_book.main").name == "lib_book.main"


def test_environments(client: Any) -> None:
    made = client.environments.create(name="lib_env", description="d", variables={"a": {"b": 1}})
    assert made.variables == {"a": {"b": 1}}
    changed = client.environments.update(name="lib_env", variables={"c": 2})
    assert (changed.description, changed.variables) == ("d", {"c": 2})
    assert client.environments.get("lib_env").variables == {"c": 2}
    assert "lib_env" in [env.name for env in client.environments.list()]
    client.environments.delete("lib_env")
    with pytest.raises(base.APIException) as gone:
        client.environments.get("lib_env")
    assert "Environment not found [name=lib_env]" in gone.value.error_message


def test_namespaces(client: Any) -> None:
    text = WORKFLOW.format(name="lib_space")
    (made,) = client.workflows.create(text, namespace="abc")
    assert client.workflows.get("lib_space", namespace="abc").id == made.id
    run = client.executions.create("lib_space", namespace="abc", workflow_input={"who": "x"})
    assert run.workflow_namespace == "abc"
    assert finished(client, run.id).state == "SUCCESS"
    client.workflows.delete("lib_space", namespace="abc")
