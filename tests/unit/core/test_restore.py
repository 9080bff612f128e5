"""Reading a tree back: cut off once after any single commit, in both ways, a run must end as it does undisturbed."""

from collections.abc import Callable

import pytest

from ostro.testing import Result, Workflow
from tests.simulation.compare import differences

WORKFLOWS = {
    "a chain": """
  tasks:
    a: {action: std.noop, publish: {x: 1}, on-success: b}
    b: {action: std.echo output=<% $.x %>, publish: {y: <% task().result + 1 %>}, on-success: c}
    c: {action: std.noop, publish: {z: <% $.x + $.y %>}}
""",
    "a fork whose branches meet": """
  tasks:
    z: {action: std.noop, publish: {early: 1}, on-success: a}
    a: {action: std.noop, publish: {x: 1}, on-success: [b, j]}
    b: {action: std.noop, publish: {y: 2}, on-success: j}
    j: {join: all, action: std.sleep seconds=1, publish: {sum: <% $.early + $.x + $.y %>}}
""",
    "a join that fails and is handled": """
  tasks:
    a: {action: std.noop, on-success: j}
    b: {action: std.fail error_data="no", on-success: j, on-error: noop}
    j: {join: all, action: std.noop, on-error: h}
    h: {action: std.noop, publish: {handled: <% task(j).state_info %>}}
""",
    "a loop": """
  tasks:
    first: {action: std.noop, publish: {c: 0}, on-success: a}
    a: {action: std.noop, publish: {c: <% $.c + 1 %>}, on-success: [{a: <% $.c < 4 %>}, {end: <% $.c = 4 %>}]}
    end: {action: std.noop, publish: {last: <% $.c %>}}
""",
    "items with concurrency, one of them failing": """
  tasks:
    t:
      with-items: i in <% range(4) %>
      concurrency: 2
      action: my.check i=<% $.i %>
      publish-on-error: {all: <% task().result %>}
      on-error: noop
""",
    "policies": """
  tasks:
    t:
      action: std.fail error_data="no"
      wait-before: 1
      wait-after: 1
      timeout: 30
      retry: {count: 2, delay: 1}
      on-error: u
    u: {action: std.async_noop, timeout: 2, publish-on-error: {why: <% task().state_info %>}, on-error: noop}
""",
    "sub-workflows": """
  tasks:
    t: {workflow: child n=3, publish: {r: <% task().result %>}, on-success: u}
    u: {with-items: i in <% range(2) %>, workflow: child n=<% $.i %>, publish: {all: <% task().result %>}}
child:
  input: [n]
  output: {doubled: <% $.n * 2 %>}
  tasks: {c: {action: std.sleep seconds=1}}
""",
    "questions about rows": """
  output: {n: "<% tasks(execution().id).len() %>"}
  tasks:
    a:
      action: std.noop
      wait-after: 1
      publish: {n: "<% tasks(execution().id).len() %>"}
      on-success: [{b: "<% tasks(execution().id).len() = 1 %>"}]
    b: {action: std.noop}
""",
    "a fatal error": """
  tasks:
    a: {action: std.noop, publish: {x: <% $.none %>}, on-error: b}
    b: {action: std.noop}
""",
}


def _check(i: int) -> int:
    if i == 1:
        raise RuntimeError("not this one")
    return i


def _run(name: str, disturb: Callable[[Workflow], None] | None) -> Result:
    workflow = Workflow(f"version: '2.0'\nw:\n{WORKFLOWS[name]}", actions={"my.check": _check}, disturb=disturb)
    workflow.start("w")
    workflow.run()
    return workflow.result()


def _shape(result: Result) -> object:
    tasks = sorted((task.name, task.state, str(task.published), str(task.result)) for task in result.tasks)
    return result.state, result.output if result.state == "SUCCESS" else None, tasks, result.seconds


@pytest.mark.parametrize("how", ["crash", "forget"])
@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_run_may_be_cut_off_after_any_commit(name: str, how: str) -> None:
    expected = _shape(_run(name, None))
    commits = 0

    def count(workflow: Workflow) -> None:
        nonlocal commits
        commits += 1

    _run(name, count)
    assert commits > 3
    for number in range(1, commits + 1):
        seen = 0

        def cut(workflow: Workflow, number: int = number) -> None:
            nonlocal seen
            seen += 1
            if seen == number and how == "crash":
                workflow.engine.crash()
            elif seen == number:
                workflow.engine.forget(workflow.root_id)

        assert _shape(_run(name, cut)) == expected, f"cut off after commit {number}"


@pytest.mark.parametrize("name", WORKFLOWS)
def test_rows_say_what_memory_says(name: str) -> None:
    def compare(workflow: Workflow) -> None:
        for tree in workflow.engine.trees.values():
            if not tree.steps and not tree.parked:
                assert list(differences(workflow.engine, tree)) == []

    _run(name, compare)


def test_a_long_loop_is_read_back_without_its_whole_history() -> None:
    """Contexts are stored in full now and then: reading walks back to the nearest only."""
    workflow = Workflow("""
version: '2.0'
w:
  tasks:
    first: {action: std.noop, publish: {c: 0}, on-success: a}
    a: {action: std.noop, publish: {c: <% $.c + 1 %>}, on-success: [{a: <% $.c < 300 %>}, {end: <% $.c = 300 %>}]}
    end: {action: std.async_noop}
""")
    workflow.start("w")
    workflow.run()
    (stored,) = [workflow.engine.store._stored(workflow.engine.store.executions[workflow.root_id])]
    assert len(stored.tasks) < 10
    assert len(stored.context_tasks) < 150

    workflow.engine.forget(workflow.root_id)
    task = workflow.engine.trees[workflow.root_id].executions[workflow.root_id].latest["end"]
    assert task.in_ctx.as_dict() == {"c": 300}
