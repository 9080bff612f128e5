"""The checker: it names what everything waits for, and it sees what is wrong."""

import pytest

from ostro.core.invariants import Waiting, stored_violations, violations, waiting_for
from ostro.core.state import Execution, Tree
from ostro.model.commands import ChangeExecution, RerunTask
from ostro.testing import Workflow
from ostro.testing.store import at_once

TEXT = """
version: '2.0'
w:
  tasks:
    a: {action: std.async_noop, on-success: j}
    b: {action: std.noop, wait-before: 5, on-success: j}
    c: {action: my.remote, timeout: 60}
    d: {workflow: child}
    j: {join: all, action: std.noop}
child:
  tasks: {e: {action: std.sleep seconds=3}}
"""


@pytest.fixture
def waiting() -> Workflow:
    """A workflow in which everything waits for something else."""
    workflow = Workflow(TEXT, actions={"my.remote": lambda: None})
    workflow._fakes = {}  # no executor takes it
    workflow.start("w")
    workflow.finish_action("a")
    return workflow


def _tree(workflow: Workflow) -> Tree:
    return workflow.engine.trees[workflow.root_id]


def _reasons(workflow: Workflow) -> dict[str, Waiting]:
    return {one.name: one for one in waiting_for(_tree(workflow), workflow.engine.store.timers.values())}


def test_everything_unfinished_has_one_reason(waiting: Workflow) -> None:
    reasons = _reasons(waiting)
    now = waiting.engine.clock.now()

    assert {name: (one.reason, one.detail) for name, one in reasons.items() if one.kind != "task" or name in "bj"} == {
        "w": ("tasks", "b, c, d, j"),
        "child": ("tasks", "e"),
        "b": ("timer", "wait-before"),
        "j": ("join", "b"),
        "my.remote": ("executor", "any"),
        "std.sleep": ("timer", "delay"),
    }
    assert reasons["b"].until == now + 5_000_000
    assert reasons["c"].until == now + 60_000_000
    assert reasons["w"].since == now
    assert violations(_tree(waiting), waiting.engine.store.timers.values()) == []


def test_a_paused_workflow_waits_for_a_person(waiting: Workflow) -> None:
    waiting.change("PAUSED", "lunch")

    assert (_reasons(waiting)["w"].reason, _reasons(waiting)["w"].detail) == ("paused", "")


def test_a_wait_that_is_over_goes_on_when_a_paused_workflow_is_resumed() -> None:
    tasks = "{a: {action: my.remote, on-error: fail}, b: {action: std.noop, wait-before: 5}}"
    workflow = Workflow(f"version: '2.0'\nw: {{tasks: {tasks}}}", actions={"my.remote": lambda: None})
    workflow._fakes = {}
    workflow.start("w")
    workflow.finish_action("a", state="ERROR")
    while workflow.engine.fire():  # b's wait ends while the workflow is in ERROR
        workflow.settle()
    main = workflow.root_id
    workflow.engine.submit(RerunTask(root_id=main, execution_id=main, task_id=workflow.result().task("a").id))
    workflow.engine.compute()  # it asks for the results that there were
    workflow.engine.commit()
    workflow.engine.submit(ChangeExecution(root_id=main, execution_id=main, state="PAUSED"))
    workflow.settle()

    assert _reasons(workflow)["b"].reason == "paused"
    assert _rules(workflow) == set()
    workflow.change("RUNNING")
    assert workflow.result().task("b").state == "SUCCESS"


def test_work_that_is_queued_is_a_reason(waiting: Workflow) -> None:
    waiting.engine.submit(ChangeExecution(root_id=waiting.root_id, execution_id=waiting.root_id, description="later"))
    waiting.engine.fire()

    assert _reasons(waiting)["std.sleep"].reason == "queued"


def _main(workflow: Workflow) -> Execution:
    return _tree(workflow).executions[workflow.root_id]


def _rules(workflow: Workflow) -> set[str]:
    return {one.rule for one in violations(_tree(workflow), workflow.engine.store.timers.values())}


def test_a_lost_timer_is_found(waiting: Workflow) -> None:
    del waiting.engine.store.timers[(_main(waiting).latest["b"].id, "wait-before")]

    found = violations(_tree(waiting), waiting.engine.store.timers.values())
    assert [str(one) for one in found] == [
        f"stuck: task b is DELAYED and nothing will move it [{_main(waiting).latest['b'].id}]"
    ]


def test_a_join_that_nothing_can_reach_is_found(waiting: Workflow) -> None:
    _main(waiting).joins["j"].dead["b"] = None

    assert _rules(waiting) == {"stuck"}


def test_an_action_that_no_executor_has_is_found(waiting: Workflow) -> None:
    found = violations(_tree(waiting), waiting.engine.store.timers.values(), lambda action: False)

    assert [one.rule for one in found] == ["not-handed-out"]


@pytest.mark.parametrize("book", ["live", "waiting", "paused_children"])
def test_a_wrong_counter_is_found(waiting: Workflow, book: str) -> None:
    setattr(_main(waiting), book, getattr(_main(waiting), book) + 1)

    assert f"books-{book}" in _rules(waiting)


def test_a_wrong_index_is_found(waiting: Workflow) -> None:
    task = _main(waiting).latest["b"]
    for index in (_main(waiting).errors, _main(waiting).cancelled, _main(waiting).ends, _main(waiting).unprocessed):
        index[task.id] = task

    assert _rules(waiting) == {"books-errors", "books-cancelled", "books-ends", "books-unprocessed"}


def test_a_child_that_is_counted_wrongly_is_found(waiting: Workflow) -> None:
    _main(waiting).latest["c"].live_children = 0

    assert _rules(waiting) == {"books-live-children"}


def test_stored_rows_are_judged_by_what_reading_them_would_do(waiting: Workflow) -> None:
    store = waiting.engine.store
    graphs = waiting.engine._definitions

    def found() -> set[str]:
        ids = at_once(store.unfinished_in_tree(waiting.root_id))
        stored = at_once(store.load_executions(ids))
        wrong = stored_violations(stored, lambda one: at_once(graphs.graph(one.record.revision_id)), {})
        return {one.rule for one in wrong}

    assert found() == set()
    waiting.engine.store.timers.clear()
    assert found() == {"stuck"}
