"""Sub-workflows, names and namespaces (language reference 11 and 15)."""

import json

import pytest

from ostro.model.commands import StartExecution
from ostro.testing import Workflow
from tests.unit.core.conftest import Start

CHILDREN = """
version: '2.0'
child:
  input: [{x: 1}]
  output: {got: <% $.x %>, env: "<% env().get(k) %>"}
  tasks: {c: {action: std.noop}}
failing:
  tasks: {c: {action: std.fail error_data="broken"}}
  output-on-error: {why: <% task(c).result %>}
waiting:
  tasks: {c: {action: std.async_noop}}
strict:
  input: [must]
  tasks: {c: {action: std.noop}}
"""


def test_the_output_of_the_child_is_the_result_and_env_is_the_roots(start: Start) -> None:
    result = start(
        "{output: {r: <% task(t).result %>}, tasks: {t: {workflow: child x=7}}}",
        more=CHILDREN,
        params={"env": {"k": 5}},
    ).result()

    assert result.output == {"r": {"got": 7, "env": 5}}


def test_undeclared_keys_become_params_of_the_child(start: Start) -> None:
    workflow = start("tasks: {t: {workflow: child, input: {x: 2, task_name: other}}}", more=CHILDREN)

    record = next(row for row in workflow.engine.store.executions.values() if row.workflow_name == "child")
    assert '"task_name":"other"' in record.params
    assert record.input == '{"x":2}'


def test_a_failed_child_fails_the_task_with_its_output(start: Start) -> None:
    result = start(
        """
        output: {r: <% task(t).result %>}
        tasks: {t: {workflow: failing, on-error: u}, u: {action: std.noop}}
        """,
        more=CHILDREN,
    ).result()

    assert result.state == "SUCCESS"
    assert result.output["r"]["why"] == "broken"
    assert result.output["r"]["result"].startswith("Failure caused by error in tasks: c\n")


def test_case_25_a_missing_workflow_can_be_handled_and_a_missing_action_can_not(start: Start) -> None:
    handled = start("tasks: {t: {workflow: nobody, on-error: u}, u: {action: std.noop}}").result()
    assert handled.state == "SUCCESS"
    assert handled.task("t").state_info == "Failed to find workflow [name=nobody] [namespace=]"

    fatal = start("tasks: {t: {action: nobody, on-error: u}, u: {action: std.noop}}").result()
    assert (fatal.state, "u" in fatal.states) == ("ERROR", False)


def test_a_child_with_a_missing_input_fails_the_task(start: Start) -> None:
    result = start("tasks: {t: {workflow: strict, on-error: u}, u: {action: std.noop}}", more=CHILDREN).result()

    assert result.state == "SUCCESS"
    assert "missing=['must']" in (result.task("t").state_info or "")


def test_case_32_cancelling_a_parent_cancels_what_is_below_and_leaves_the_action(start: Start) -> None:
    workflow = start("tasks: {t: {workflow: waiting}}", more=CHILDREN)
    workflow.change("CANCELLED", "enough")

    result = workflow.result()
    assert (result.state, result.state_info) == ("CANCELLED", "enough")
    assert (result.children[0].state, result.children[0].state_info) == ("CANCELLED", "enough")
    assert result.task("t").state == "CANCELLED"
    assert result.children[0].task("c").state == "RUNNING"


def test_a_cancelled_child_cancels_the_task_and_the_parent(start: Start) -> None:
    workflow = start("tasks: {t: {workflow: waiting}}", more=CHILDREN)
    workflow.finish_action("c", state="CANCELLED")

    result = workflow.result()
    assert [result.state, result.state_info] == ["CANCELLED", "Cancelled tasks: t"]
    assert result.children[0].state_info == "Cancelled tasks: c"


def test_items_of_a_workbook_find_their_siblings_by_short_name(start: Start) -> None:
    result = start(
        """version: '2.0'
name: wb
workflows:
  main:
    output: {r: <% task(t).result %>}
    tasks: {t: {workflow: part, on-success: u}, u: {action: shout what="hey"}}
  part: {output: {is: part}, tasks: {a: {action: std.noop}}}
actions:
  shout: {base: std.echo output="<% $.what %>!", input: [what]}
""",
        name="wb.main",
    ).result()

    assert result.output == {"r": {"is": "part"}}
    assert result.task("u").result == "hey!"


def test_the_child_of_an_attempt_that_is_over_does_not_count(start: Start) -> None:
    workflow = start(
        "tasks: {t: {workflow: waiting, timeout: 5, retry: {count: 1, delay: 1}, on-error: hold}, "
        "hold: {action: std.async_noop}}",
        more=CHILDREN,
    )
    first, second = workflow.result().children
    workflow.change("SUCCESS", execution_id=first.id)
    workflow.change("SUCCESS", execution_id=second.id)

    assert [child.state for child in workflow.result().children] == ["SUCCESS", "SUCCESS"]
    assert not any(row.accepted for row in workflow.engine.store.executions.values())
    assert workflow.result().task("t").state == "ERROR"


def test_a_parents_message_quotes_the_childs_and_not_its_whole_output(start: Start) -> None:
    tasks = "tasks: {a: {action: std.noop, on-success: fail msg='no'}}"
    more = f"version: '2.0'\nchild: {{output-on-error: {{extra: 1}}, {tasks}}}\n"
    info = start("tasks: {t: {workflow: child}}", more=more).result().state_info or ""

    assert "t [task_ex_id=" in info
    assert info.rstrip().endswith(", idx=0]: no")


def test_a_childs_message_of_success_is_its_own(start: Start) -> None:
    more = "version: '2.0'\nchild: {tasks: {a: {action: std.noop, on-success: succeed msg='fine'}}}\n"

    assert start("tasks: {t: {workflow: child}}", more=more).result().task("t").state_info is None


def test_a_child_that_is_cancelled_without_a_word_leaves_the_task_without_one(start: Start) -> None:
    more = "version: '2.0'\nchild: {tasks: {a: {action: std.async_noop}}}\n"
    workflow = start("tasks: {t: {workflow: child}}", more=more)
    workflow.change("CANCELLED")

    task = workflow.result().task("t")
    assert (task.state, task.state_info) == ("CANCELLED", None)


@pytest.mark.parametrize("name", ["<% null %>", "<% 5 %>"])
def test_a_name_that_is_no_name_is_a_workflow_that_is_missing(start: Start, name: str) -> None:
    result = start(f"tasks: {{t: {{workflow: {name}, on-error: u}}, u: {{action: std.noop}}}}").result()

    assert result.state == "SUCCESS"
    assert (result.task("t").state_info or "").startswith("Failed to find workflow [name=")
    assert result.task("t").result == []


def test_a_name_that_is_empty_is_the_action_that_does_nothing(start: Start) -> None:
    assert start("tasks: {t: {action: <% null %>}}").result().task("t").state == "SUCCESS"


def test_a_child_found_in_the_default_namespace_is_of_that_one_but_hands_on_the_namespace_asked_for() -> None:
    workflow = Workflow()
    for space in ("", "ns"):
        workflow.engine.upload(
            f"version: '2.0'\nleaf: {{output: {{of: '{space}'}}, tasks: {{t: {{action: std.noop}}}}}}\n", space
        )
    workflow.engine.upload(
        "version: '2.0'\nmiddle: {output: {leaf: '<% task(t).result %>'}, tasks: {t: {workflow: leaf}}}\n"
    )
    workflow.engine.upload("version: '2.0'\ntop: {tasks: {t: {workflow: middle}}}\n", "ns")
    workflow.root_id = workflow.engine.new_id()
    workflow.do(StartExecution(root_id=workflow.root_id, workflow="top", namespace="ns", params={"namespace": "other"}))
    workflow.run()
    rows = {row.workflow_name: row for row in workflow.engine.store.executions.values()}
    assert {name: row.workflow_namespace for name, row in rows.items()} == {"top": "ns", "middle": "", "leaf": "ns"}
    assert {json.loads(row.params)["namespace"] for row in rows.values()} == {"ns"}
    assert json.loads(rows["middle"].output or "") == {"leaf": {"of": "ns"}}
